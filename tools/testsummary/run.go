package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An event is a line of `go test -json`; see `go doc test2json` and `go help buildjson`.
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// A test is a test, example or fuzz target with what it has printed.
type test struct {
	outcome   string // pass, fail, skip; empty while it runs
	output    []string
	isParent  bool
	hasFailed bool // one of its own parts has
}

// A testedPackage is a package with its tests.
type testedPackage struct {
	names   []string // in the order of their beginning
	byName  map[string]*test
	output  []string // what the package itself has printed
	outcome string
	elapsed float64
}

// A run is a command and what is known of its tests.
type run struct {
	command  string
	out      io.Writer
	names    []string // of packages
	packages map[string]*testedPackage
	err      error
	elapsed  time.Duration
}

func newRun(command string, out io.Writer) *run {
	return &run{command: command, out: out, packages: map[string]*testedPackage{}}
}

// take takes in a line of the command.
func (r *run) take(line []byte) {
	var event event
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &event) != nil || event.Action == "" {
		_, _ = r.out.Write(line)
		return
	}
	switch {
	case event.Action == "build-output":
		fmt.Fprint(r.out, event.Output)
	case event.Package == "":
	case event.Test == "":
		r.takePackage(event)
	default:
		r.takeTest(event)
	}
}

func (r *run) of(name string) *testedPackage {
	found := r.packages[name]
	if found == nil {
		found = &testedPackage{byName: map[string]*test{}}
		r.packages[name] = found
		r.names = append(r.names, name)
	}
	return found
}

func (r *run) takePackage(event event) {
	tested := r.of(event.Package)
	switch event.Action {
	case "output":
		tested.output = append(tested.output, event.Output)
	case "pass", "skip", "fail":
		tested.outcome, tested.elapsed = event.Action, event.Elapsed
		tested.print(r.out)
	}
}

func (r *run) takeTest(event event) {
	tested := r.of(event.Package)
	known := tested.of(event.Test)
	switch event.Action {
	case "output":
		known.output = append(known.output, event.Output)
	case "pass", "skip", "fail":
		known.outcome = event.Action
		if event.Action == "pass" {
			known.output = nil
		}
	}
}

func (p *testedPackage) of(name string) *test {
	known := p.byName[name]
	if known == nil {
		known = &test{}
		p.byName[name] = known
		p.names = append(p.names, name)
	}
	return known
}

// print shows a package that has ended as go test does. Of one that failed all is shown but what tests have said
// that passed or were skipped: a test that has no outcome was cut off by a panic, or by the end of the time.
func (p *testedPackage) print(out io.Writer) {
	if p.outcome == "fail" {
		for _, name := range p.names {
			if test := p.byName[name]; test.outcome == "fail" || test.outcome == "" {
				test.print(out)
			}
		}
	}
	for _, line := range p.output {
		if p.outcome == "fail" || strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") {
			fmt.Fprint(out, line)
		}
	}
}

// tells is what begins a line of go test -v that tells what goes on, and no more.
var tells = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME) `)

func (t *test) print(out io.Writer) {
	for _, line := range t.output {
		if !tells.MatchString(line) {
			fmt.Fprint(out, line)
		}
	}
}

// end closes the run. What had not ended then has failed.
func (r *run) end(err error, elapsed time.Duration) {
	r.err, r.elapsed = err, elapsed
	for _, name := range r.names {
		tested := r.packages[name]
		if tested.outcome == "" {
			tested.outcome = "fail"
			tested.print(r.out)
		}
		tested.close()
	}
}

// close says of each test whether it has parts, and whether one of them has failed. Only the others are counted: a
// test that has parts passes and fails with them, unless it fails by itself.
func (p *testedPackage) close() {
	for _, name := range p.names {
		known := p.byName[name]
		if known.outcome == "" {
			known.outcome = "fail"
		}
		for above := name; strings.Contains(above, "/"); {
			above = above[:strings.LastIndex(above, "/")]
			if parent := p.byName[above]; parent != nil {
				parent.isParent = true
				parent.hasFailed = parent.hasFailed || known.outcome == "fail"
			}
		}
	}
}

// counts are the numbers of tests by what came of them.
type counts struct{ packages, passed, failed, skipped int }

func (p *testedPackage) count(sum *counts) {
	sum.packages++
	for _, known := range p.byName {
		switch {
		case known.outcome == "fail":
			if !known.hasFailed {
				sum.failed++
			}
		case known.isParent:
		case known.outcome == "skip":
			sum.skipped++
		default:
			sum.passed++
		}
	}
}

// failed returns the names of the tests of the package that failed, or says that the package itself has.
func (p *testedPackage) failed() []string {
	var names []string
	for _, name := range p.names {
		if known := p.byName[name]; known.outcome == "fail" && !known.hasFailed {
			names = append(names, name)
		}
	}
	if p.outcome == "fail" && names == nil {
		names = []string{"(the package itself)"}
	}
	return names
}

// said is a line that a test has logged, behind the place where it did.
var said = regexp.MustCompile(`^\s+\S+\.go:\d+: (.*)`)

// reason returns why a test was skipped: the last thing that it has logged.
func (t *test) reason() string {
	for _, line := range slices.Backward(t.output) {
		if match := said.FindStringSubmatch(line); match != nil {
			return match[1]
		}
	}
	return "no reason given"
}
