package command

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"libsslcache/internal/command/bound"
	"libsslcache/internal/command/program"
	"libsslcache/internal/command/report"
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
	output       output
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

sslcache is the parent of the program and hands on every signal but those that a terminal sends to
both.

Exit status: 0 if the program ended with 0 and every bound held; 1 if a bound is broken, with a
line on standard error for each; 3 if every bound held and the program failed; 125 if sslcache
failed, also where it could not write what it was asked to; 126 if the program can't be
executed, 127 if it is not found.`,
		Example: `  sslcache check --min-resumed 90% --no-leaks -- ./integration-test.sh
  sslcache check --wait --max-missed 3 -- ./service start
  sslcache check --tickets=off --max-evicted 0 -- ./server --self-test
  sslcache check --store valkey://localhost --store-key keys --min-resumed 0.5 -- ./workers
  sslcache check --no-findings --junit sessions.xml -o report.txt -- ./server --self-test`,
		Args: needProgram,
		RunE: func(_ *cobra.Command, words []string) error { return checks.run(words) },
	}
	checks.addFlags(command)
	checks.addBounds(command)
	return command
}

func (c *checking) addBounds(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&c.minResumed, "min-resumed", "", "at least this `PART` of all handshakes resumes a session: 90% or 0.9")
	for _, most := range c.most {
		flags.Uint64Var(&most.value, most.flag, 0, fmt.Sprintf("at most this `NUMBER` of %s", most.noun))
		groupBounds.add(flags, most.flag)
	}
	flags.BoolVar(&c.noLeaks, "no-leaks", false, "the program gives back every reference to a session that it takes")
	flags.BoolVar(&c.noFindings, "no-findings", false, "nothing looks wrong: no finding but notes")
	flags.BoolVar(&c.ignoreStatus, "ignore-status", false, "do not judge how the program itself ended")
	groupBounds.add(flags, "min-resumed", "no-leaks", "no-findings", "ignore-status")
	flags.StringVar(&c.junit, "junit", "", "write the outcome as JUnit XML to this `FILE`")
	c.output.addReportFlags(command)
	groupOutput.add(flags, "junit")
}

// bounds returns what was asked for.
func (c *checking) bounds() ([]bound.Bound, error) {
	var bounds []bound.Bound
	if c.flags.Changed("min-resumed") {
		part, err := bound.ParsePart(c.minResumed)
		if err != nil {
			return nil, fail(program.StatusOwn, "--min-resumed %v", err)
		}
		bounds = append(bounds, bound.MinResumed(part, c.minResumed))
	}
	for _, most := range c.most {
		if c.flags.Changed(most.flag) {
			bounds = append(bounds, bound.AtMost(most.flag, most.noun, most.value, most.count))
		}
	}
	if c.noLeaks {
		bounds = append(bounds, bound.NoLeaks())
	}
	if c.noFindings {
		bounds = append(bounds, bound.NoFindings())
	}
	if len(bounds) == 0 {
		return nil, fail(program.StatusOwn, "there is no bound to check: --min-resumed, --no-leaks, ... (see sslcache check --help)")
	}
	return bounds, nil
}

func (c *checking) run(words []string) error {
	bounds, err := c.bounds()
	if err != nil {
		return err
	}
	opened, err := c.openFiles()
	if err != nil {
		return err
	}
	name := filepath.Base(words[0])
	began := time.Now()
	ended, err := c.launch.run(words)
	if err != nil {
		_ = opened.writeJUnit(name, time.Since(began), []bound.Verdict{notRun(err)})
		return err
	}
	verdicts := bound.Judge(bounds, ended.report)
	for _, verdict := range verdicts {
		say(verdict.String())
	}
	failed := c.failed(ended.status, name)
	if failed.Broken {
		say(failed.Says)
	}
	unwritten := firstOf(
		opened.writeJUnit(name, time.Since(began), append(verdicts, failed)),
		opened.writeReport(c.output, ended.report),
	)
	complain(unwritten)
	switch {
	case bound.Broken(verdicts) > 0:
		return silentFailure(statusFailed)
	case unwritten != nil:
		return silentFailure(program.StatusOwn)
	case failed.Broken:
		return silentFailure(statusProgram)
	default:
		return nil
	}
}

// failed judges how the program itself ended.
func (c *checking) failed(status program.Status, name string) bound.Verdict {
	return bound.Verdict{
		Name:   theProgram,
		Broken: status.Code() != 0 && !c.ignoreStatus,
		Says:   fmt.Sprintf("the program %s %s", name, status),
	}
}

// notRun is the verdict where there is none on anything else.
func notRun(err error) bound.Verdict {
	return bound.Verdict{Name: theProgram, Broken: true, Says: err.Error()}
}

// theProgram is the name of the last verdict.
const theProgram = "the program itself"

// files are where the outcome goes beside standard error; nil where nobody asked.
type files struct{ junit, report *os.File }

func (c *checking) openFiles() (files, error) {
	var opened files
	var err error
	if c.junit != "" {
		if opened.junit, err = os.Create(c.junit); err != nil {
			return opened, fail(program.StatusOwn, "the JUnit file can't be written to %s: %v", c.junit, program.Cause(err))
		}
	}
	if c.output.path != "" {
		opened.report, err = c.output.open()
	}
	return opened, err
}

func (f files) writeJUnit(name string, took time.Duration, verdicts []bound.Verdict) error {
	if f.junit == nil {
		return nil
	}
	err := firstOf(bound.WriteJUnit(f.junit, name, took.Seconds(), verdicts), f.junit.Close())
	if err != nil {
		return fmt.Errorf("the JUnit file can't be written: %w", program.Cause(err))
	}
	return nil
}

func (f files) writeReport(asked output, result *report.Report) error {
	if f.report == nil {
		return nil
	}
	return asked.write(f.report, result)
}
