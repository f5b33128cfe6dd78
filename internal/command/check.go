package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"libsslcache/internal/bound"
	"libsslcache/internal/program"
	"libsslcache/internal/report"
)

// statusProgram is the exit status of check where the bounds could be judged and the program itself failed.
const statusProgram = 3

// checking is one call of `check`.
type checking struct {
	launch
	minResumed   string
	most         []*limit
	noLeaks      bool
	noFindings   bool
	ignoreStatus bool
	junit        string
	output       string
}

// limit is a flag that bounds a counter.
type limit struct {
	flag, noun string
	count      func(*report.Report) uint64
	value      uint64
}

func limits() []*limit {
	return []*limit{
		{flag: "max-missed", noun: "look-ups missed", count: func(r *report.Report) uint64 { return r.Missed }},
		{flag: "max-evicted", noun: "sessions evicted", count: func(r *report.Report) uint64 { return r.Evicted }},
		{flag: "max-expired", noun: "sessions expired", count: func(r *report.Report) uint64 { return r.Expired }},
		{flag: "max-removed", noun: "sessions removed", count: func(r *report.Report) uint64 { return r.Removed }},
		{flag: "max-held", noun: "sessions held at one time", count: func(r *report.Report) uint64 { return r.Peak }},
	}
}

func newCheck() *cobra.Command {
	checks := &checking{most: limits()}
	command := &cobra.Command{
		Use:   "check [flags] [--] PROGRAM [ARGUMENT...]",
		Short: "Run a program and hold its TLS sessions to bounds",
		Long: `Runs a program as "sslcache run" does, and holds what its TLS sessions did to the bounds that
are given. For tests.

Exit status: 0 if the program ended with 0 and every bound held; 1 if a bound is broken, with a
line on standard error for each; 3 if every bound held and the program failed; 2 if the command
line or a setting can't be read; 125 if sslcache failed, 126 if the program can't be executed,
127 if it is not found.`,
		Example: `  sslcache check --min-resumed 90% --no-leaks -- ./integration-test.sh
  sslcache check --max-evicted 0 --junit sessions.xml -- ./server --self-test`,
		Args: needProgram,
		RunE: func(_ *cobra.Command, words []string) error { return checks.run(words) },
	}
	checks.addBounds(command.Flags())
	checks.addFlags(command)
	return command
}

func (c *checking) addBounds(flags *pflag.FlagSet) {
	flags.StringVar(&c.minResumed, "min-resumed", "", "at least this `PART` of all handshakes resumes a session: 90% or 0.9")
	for _, one := range c.most {
		flags.Uint64Var(&one.value, one.flag, 0, fmt.Sprintf("at most this `NUMBER` of %s", one.noun))
	}
	flags.BoolVar(&c.noLeaks, "no-leaks", false, "the program gives back every reference to a session that it takes")
	flags.BoolVar(&c.noFindings, "no-findings", false, "nothing looks wrong: no finding but notes")
	flags.BoolVar(&c.ignoreStatus, "ignore-status", false, "do not judge how the program itself ended")
	flags.StringVar(&c.junit, "junit", "", "write the outcome as JUnit XML to this `FILE`")
	flags.StringVarP(&c.output, "output", "o", "", "write the report to this `FILE` too")
}

// bounds gives what was asked for.
func (c *checking) bounds() ([]bound.Bound, error) {
	var bounds []bound.Bound
	if c.minResumed != "" {
		part, err := bound.ParsePart(c.minResumed)
		if err != nil {
			return nil, fail(statusUsage, "--min-resumed %v", err)
		}
		bounds = append(bounds, bound.MinResumed(part))
	}
	for _, one := range c.most {
		if c.flags.Changed(one.flag) {
			bounds = append(bounds, bound.AtMost(one.flag, one.noun, one.value, one.count))
		}
	}
	if c.noLeaks {
		bounds = append(bounds, bound.NoLeaks())
	}
	if c.noFindings {
		bounds = append(bounds, bound.NoFindings())
	}
	if len(bounds) == 0 {
		return nil, fail(statusUsage, "there is no bound to check: --min-resumed, --no-leaks, ... (see sslcache check --help)")
	}
	return bounds, nil
}

func (c *checking) run(words []string) error {
	bounds, err := c.bounds()
	if err != nil {
		return err
	}
	files, err := openFiles(c.junit, c.output)
	if err != nil {
		return err
	}
	began := time.Now()
	ended, err := c.launch.run(words)
	if err != nil {
		return err
	}
	verdicts := bound.Judge(bounds, ended.report)
	for _, one := range verdicts {
		say(one.String())
	}
	name := filepath.Base(words[0])
	failed := c.failed(ended.status, name)
	if failed.Broken {
		say(failed.Says)
	}
	writeFiles(files, name, time.Since(began), ended.report, append(verdicts, failed))
	switch {
	case bound.Broken(verdicts) > 0:
		return silently(statusFailed)
	case failed.Broken:
		return silently(statusProgram)
	default:
		return nil
	}
}

// failed judges how the program itself ended.
func (c *checking) failed(status program.Status, name string) bound.Verdict {
	return bound.Verdict{
		Name:   "the program itself",
		Broken: status.Code() != 0 && !c.ignoreStatus,
		Says:   fmt.Sprintf("the program %s %s", name, status),
	}
}

// files are where the outcome goes beside standard error; nil where nobody asked.
type files struct{ junit, output io.WriteCloser }

func openFiles(junit, output string) (files, error) {
	var opened files
	if junit != "" {
		file, err := os.Create(junit)
		if err != nil {
			return opened, fail(statusUsage, "the JUnit file can't be written: %v", err)
		}
		opened.junit = file
	}
	if output == "" {
		return opened, nil
	}
	var err error
	opened.output, err = openOutput(output)
	return opened, err
}

func writeFiles(opened files, name string, took time.Duration, made *report.Report, verdicts []bound.Verdict) {
	if opened.junit != nil {
		err := bound.WriteJUnit(opened.junit, name, took.Seconds(), verdicts)
		complain("the JUnit file can't be written", err, opened.junit.Close())
	}
	if opened.output != nil {
		err := writeShort(opened.output, made, false)
		complain("the report can't be written", err, opened.output.Close())
	}
}

// complain says the first of the errors, if there is one.
func complain(what string, errs ...error) {
	for _, err := range errs {
		if err != nil {
			say(what + ": " + err.Error())
			return
		}
	}
}
