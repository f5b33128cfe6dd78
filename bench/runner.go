package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"libsslcache/internal/store/keyfile"
)

const processTimeout = 2 * time.Minute

// measurements are what one run of a program printed, by name.
type measurements map[string]float64

type key struct {
	name   string // of the case
	metric string
	side   side
}

// results keep every value of every round.
type results map[key][]float64

func (r results) add(name string, s side, measured measurements) {
	for metric, value := range measured {
		k := key{name, metric, s}
		r[k] = append(r[k], value)
	}
}

// median returns NaN for what was not measured.
func (r results) median(name, metric string, s side) float64 {
	return median(r[key{name, metric, s}])
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

type runner struct {
	programs programs
	library  string // preloaded on our side; empty: libssl stands on both
	results  results

	variables []string // of the environment, on our side
}

// runAll goes round by round, and within a round runs the two sides of a case one after the other, so
// that a machine that slows down for a while slows both. The side that goes first changes.
func (r *runner) runAll(cases []benchCase, rounds int) error {
	for round := range rounds {
		for _, c := range cases {
			for turn := range c.repeat {
				if err := r.runSides(c, (round+turn)%2 == 1); err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
			}
		}
		fmt.Fprintf(os.Stderr, "bench: round %d of %d done\n", round+1, rounds)
	}
	return nil
}

func (r *runner) runSides(c benchCase, reversed bool) error {
	sides := slices.Clone(c.sides)
	if reversed {
		slices.Reverse(sides)
	}
	for _, s := range sides {
		measured, err := r.measure(c, s)
		if err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
		r.results.add(c.name, s, measured)
	}
	return nil
}

func (r *runner) measure(c benchCase, s side) (measurements, error) {
	if c.run != nil {
		return c.run(r)
	}
	if c.traced {
		return r.runTraced(s, c.arguments...)
	}
	if c.ticketed {
		return r.runTicketed(s, c.arguments...)
	}
	return r.runBench(s, c.arguments...)
}

// runTicketed has our side seal tickets with keys of a file.
func (r *runner) runTicketed(s side, arguments ...string) (measurements, error) {
	file, err := os.CreateTemp("", "sslcache-bench-*.keys") // only its owner may read it
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := fmt.Fprintln(file, keyfile.Generate()); err != nil {
		return nil, err
	}
	ticketed := *r
	ticketed.variables = []string{"SSLCACHE_TICKETS=shared", "SSLCACHE_STORE_KEY=" + file.Name()}
	return ticketed.runBench(s, arguments...)
}

// runTraced has our side write every event into a file.
func (r *runner) runTraced(s side, arguments ...string) (measurements, error) {
	file, err := os.CreateTemp("", "sslcache-bench-*.jsonl")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	traced := *r
	traced.variables = []string{"SSLCACHE_TRACE=" + file.Name()}
	return traced.runBench(s, arguments...)
}

func (r *runner) environment(s side) []string {
	environment := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "LD_PRELOAD=")
	})
	if s == ours && r.library != "" {
		environment = append(append(environment, "LD_PRELOAD="+r.library), r.variables...)
	}
	return environment
}

// runBench runs the C program and makes sure that it measured the cache it was meant to.
func (r *runner) runBench(s side, arguments ...string) (measurements, error) {
	output, err := r.output(s, r.programs.bench, arguments...)
	if err != nil {
		return nil, err
	}
	measured, subject, err := parse(output)
	if err != nil {
		return nil, err
	}
	if preloaded := s == ours && r.library != ""; preloaded != (subject != "none") {
		return nil, fmt.Errorf("the process had sslcache %q", subject)
	}
	return measured, nil
}

func (r *runner) output(s side, program string, arguments ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), processTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = r.environment(s)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) } // workers too
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, complaints.Bytes())
	}
	return output, nil
}

// parse reads lines of a name and a value. The line "sslcache" names the cache that was preloaded.
func parse(output []byte) (measured measurements, subject string, err error) {
	measured = measurements{}
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "libssl":
			continue
		case "sslcache":
			subject = value
			continue
		}
		if measured[name], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, "", fmt.Errorf("line %q: %w", lines.Text(), err)
		}
	}
	return measured, subject, lines.Err()
}

func (r *runner) measurePreload() (measurements, error) {
	library := r.library
	if library == "" {
		library = "/dev/null" // nothing is loaded, and the time is that of trying
	}
	return r.runBench(libssl, "spawn", "--operations", "200", "--library", library)
}

func (r *runner) measureEmptyPreload() (measurements, error) {
	return r.runBench(libssl, "spawn", "--operations", "200", "--library", r.programs.empty)
}

// countThreads lets a program without TLS read its own state.
func (r *runner) countThreads() (measurements, error) {
	output, err := r.output(ours, "cat", "/proc/self/status")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(output)) {
		value, found := strings.CutPrefix(line, "Threads:")
		if !found {
			continue
		}
		threads, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return measurements{"threads": threads}, err
	}
	return nil, fmt.Errorf("/proc/self/status names no threads")
}
