// Command bench measures our session cache and libssl's own side by side, in turn, in one run, and
// writes what came out to docs/performance.md. Run it from the root of the project.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

type flags struct {
	library   string
	build     string
	output    string
	selection string
	rounds    int
	quick     bool
}

func parseFlags() flags {
	var f flags
	flag.StringVar(&f.library, "library", "build/libsslcache.so", "the `file` to measure against libssl; \"none\" measures libssl against itself")
	flag.StringVar(&f.build, "build", "build/bench", "the `folder` for the programs that are built")
	flag.StringVar(&f.output, "output", "docs", "the `folder` for performance.md and its pictures; \"none\" writes nothing")
	flag.StringVar(&f.selection, "case", "", "only the cases whose name matches this `expression`; writes nothing")
	flag.IntVar(&f.rounds, "rounds", 5, "how often each case runs on each side")
	flag.BoolVar(&f.quick, "quick", false, "one round of the small cases, to see that all works; writes nothing")
	flag.Parse()
	return f
}

// partial reports whether a run leaves cases out: its figures must not replace those of a whole one.
func (f flags) partial() bool {
	return f.quick || f.selection != "" || f.library == "none" || f.output == "none"
}

// possible leaves out what only our side can do in reasonable time, where libssl stands on it.
func (f flags) possible(c benchCase) bool {
	return f.library != "none" || len(c.sides) == len(bothSides) || c.run != nil
}

func (f flags) selectedCases() ([]benchCase, error) {
	selection, err := regexp.Compile(f.selection)
	if err != nil {
		return nil, err
	}
	var selected []benchCase
	for _, c := range allCases(f.quick) {
		if selection.MatchString(c.name) && f.possible(c) {
			selected = append(selected, c)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("no case matches %q", f.selection)
	}
	return selected, nil
}

func absoluteLibrary(library string) (string, error) {
	if library == "none" {
		return "", nil
	}
	if _, err := os.Stat(library); err != nil {
		return "", err
	}
	return filepath.Abs(library)
}

func run(f flags) error {
	cases, err := f.selectedCases()
	if err != nil {
		return err
	}
	library, err := absoluteLibrary(f.library)
	if err != nil {
		return err
	}
	programs, err := buildPrograms(f.build)
	if err != nil {
		return err
	}
	bench := runner{programs: programs, library: library, results: results{}}
	rounds := f.rounds
	if f.quick {
		rounds = 1
	}
	started := time.Now()
	if err := bench.runAll(cases, rounds); err != nil {
		return err
	}
	report := newReport(bench.results, started, rounds)
	if !f.partial() {
		if report.Profile, err = runTool("bench/profile.sh", library); err != nil {
			return err
		}
	}
	if err := report.print(os.Stdout); err != nil || f.partial() {
		return err
	}
	return report.write(f.output)
}

func main() {
	log.SetFlags(0)
	if err := run(parseFlags()); err != nil {
		log.Fatalf("bench: %v", err)
	}
}
