package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// summarise prints what the runs were, and reports whether all was well. The last line is that of the sums.
func summarise(runs []*run, out io.Writer) bool {
	fmt.Fprintln(out, "\nwhat ran:")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "time\tpackages\tpassed\tfailed\tskipped\t\n")
	var sum counts
	for _, run := range runs {
		run.tabulate(table, &sum)
	}
	_ = table.Flush()
	printSkipped(runs, out)
	failures := failuresOf(runs)
	if sum.passed+sum.failed == 0 && len(failures) == 0 {
		failures = append(failures, "no test ran")
	}
	if len(failures) > 0 {
		fmt.Fprintf(out, "failed:\n  %s\n", strings.Join(failures, "\n  "))
	}
	// What failed without a test that could be named counts as one.
	failed := max(sum.failed, len(failures))
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", sum.passed, failed, sum.skipped)
	return failed == 0
}

// tabulate writes a line for the command, and one for each kind of tests that it ran.
func (r *run) tabulate(table io.Writer, sum *counts) {
	fmt.Fprintf(table, "%s\t\t\t\t\t  %s\n", r.elapsed.Round(time.Second), r.command)
	byKind, elapsed := map[string]*counts{}, map[string]float64{}
	for name, tested := range r.packages {
		if len(tested.byName) == 0 {
			continue
		}
		kind := kindOf(name)
		if byKind[kind] == nil {
			byKind[kind] = &counts{}
		}
		tested.count(byKind[kind])
		elapsed[kind] += tested.elapsed
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		sums := byKind[kind]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t    %s\n", time.Duration(elapsed[kind]*float64(time.Second)).Round(time.Second),
			sums.packages, sums.passed, sums.failed, sums.skipped, kind)
		sum.passed += sums.passed
		sum.failed += sums.failed
		sum.skipped += sums.skipped
	}
}

// kindOf returns the kind of the tests of a package: the folder that it is in below the module's; of those below
// tests the room.
func kindOf(name string) string {
	parts := strings.Split(name, "/")[1:]
	switch {
	case len(parts) == 0:
		return name
	case parts[0] == "tests" && len(parts) > 1:
		return strings.Join(parts[:2], "/")
	}
	return parts[0]
}

func printSkipped(runs []*run, out io.Writer) {
	reasons := map[string]int{}
	for _, run := range runs {
		for _, tested := range run.packages {
			for _, known := range tested.byName {
				if known.outcome == "skip" && !known.isParent {
					reasons[known.reason()]++
				}
			}
		}
	}
	if len(reasons) > 0 {
		fmt.Fprintln(out, "skipped:")
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(out, "  %d: %s\n", reasons[reason], reason)
	}
}

// failuresOf returns a line for each test that failed, and for each command that did without such a test.
func failuresOf(runs []*run) []string {
	var failures []string
	for _, run := range runs {
		before := len(failures)
		ran := 0
		for _, name := range run.names {
			for _, test := range run.packages[name].failed() {
				failures = append(failures, name+" "+test)
			}
			ran += len(run.packages[name].byName)
		}
		if len(failures) > before {
			continue
		}
		if ran == 0 && run.err == nil && strings.Contains(run.command, "-json") {
			run.err = errors.New("no test ran")
		}
		if run.err != nil {
			failures = append(failures, fmt.Sprintf("%s: %v", run.command, run.err))
		}
	}
	return failures
}
