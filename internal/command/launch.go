package command

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"libsslcache/internal/program"
	"libsslcache/internal/report"
	"libsslcache/internal/settings"
	"libsslcache/internal/trace"
)

// quiet is how long processes that go on after the program may be silent before the report is made
// without them. What the program itself wrote is there by then.
const quiet = time.Second

// launch is what `run` and `check` have in common: a program, under the library, watched.
type launch struct {
	library string
	wait    bool
	values  map[string]*setting // by variable
	flags   *pflag.FlagSet
}

// traceVariable is set for every run: the command reads the events itself.
const traceVariable = "SSLCACHE_TRACE"

// addFlags gives a command the flags that say how the program runs: one for each setting, and ours.
func (l *launch) addFlags(command *cobra.Command) {
	l.flags = command.Flags()
	l.flags.SetInterspersed(false)
	l.flags.SortFlags = false
	l.values = map[string]*setting{}
	for _, one := range offered() {
		l.addSetting(one)
	}
	l.flags.StringVar(&l.library, "lib", "", "the `FILE` to preload (default: "+program.Library+" beside sslcache, in ../lib or its multiarch folder)")
	l.flags.BoolVar(&l.wait, "wait", false, "wait for processes that the program leaves behind")
}

// offered are the settings that are flags: all but the report of each process, which a run does better.
func offered() []settings.Setting {
	return slices.DeleteFunc(settings.List(), func(one settings.Setting) bool {
		return one.Variable == "SSLCACHE_REPORT"
	})
}

func (l *launch) addSetting(one settings.Setting) {
	// A quoted word of the text would be taken for the name of the value.
	usage := strings.ReplaceAll(one.Help, "`", "'") + " [" + one.Variable + "]"
	given := &setting{kind: one.Value}
	l.values[one.Variable] = given
	l.flags.Var(given, one.Flag, usage)
	if one.Value == "0|1" {
		l.flags.Lookup(one.Flag).NoOptDefVal = "1"
	}
}

// setting is the value of a flag, as it was given: the library's parser is the one that judges it.
type setting struct {
	kind   string
	values []string
}

func (s *setting) String() string { return strings.Join(s.values, ",") }

// Type is how help shows the value.
func (s *setting) Type() string { return s.kind }

// Set takes the last value, but of faults all.
func (s *setting) Set(value string) error {
	if !strings.HasPrefix(s.kind, "FAULT") {
		s.values = nil
	}
	s.values = append(s.values, value)
	return nil
}

// environment is ours with the settings of the flags, checked.
func (l *launch) environment() ([]string, error) {
	environment := os.Environ()
	given := map[string]string{}
	for _, one := range offered() {
		if !l.flags.Changed(one.Flag) {
			continue
		}
		environment = program.Set(environment, one.Variable, l.values[one.Variable].String())
		given[one.Variable] = "--" + one.Flag
	}
	if _, err := settings.Read(environment); err != nil {
		problem := err.Error()
		for variable, flag := range given {
			problem = strings.ReplaceAll(problem, variable+" ", flag+" ")
		}
		return nil, fail(statusUsage, "%s", problem)
	}
	return environment, nil
}

// outcome is what became of a program.
type outcome struct {
	status program.Status
	report *report.Report // nil: no process of it wrote an event
}

// run runs a program under the library to its end and reads the trace of all its processes.
func (l *launch) run(words []string) (*outcome, error) {
	environment, err := l.environment()
	if err != nil {
		return nil, err
	}
	library, err := program.FindLibrary(l.library)
	if err != nil {
		return nil, fail(program.StatusOwn, "%v", err)
	}
	path, err := program.Find(words[0])
	if err != nil {
		return nil, err
	}
	copy, err := openTrace(traceFile(environment))
	if err != nil {
		return nil, err
	}
	if copy != nil {
		defer copy.Close()
	}
	pipe, err := trace.NewPipe(asWriter(copy))
	if err != nil {
		return nil, fail(program.StatusOwn, "the trace can't be collected: %v", err)
	}
	defer pipe.Close()
	environment = program.Set(environment, traceVariable, pipe.Path())
	return l.watch(pipe, path, words, program.Preload(environment, library))
}

func traceFile(environment []string) string {
	for _, line := range environment {
		if path, found := strings.CutPrefix(line, traceVariable+"="); found {
			return path
		}
	}
	return ""
}

func openTrace(path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fail(statusUsage, "the trace can't be written: %v", err)
	}
	return file, nil
}

// asWriter makes no file no writer, which a nil *os.File would not be.
func asWriter(file *os.File) io.Writer {
	if file == nil {
		return nil
	}
	return file
}

// reading is what came of a trace.
type reading struct {
	report *report.Report
	err    error
}

// watch reads the trace while the program runs.
func (l *launch) watch(pipe *trace.Pipe, path string, words, environment []string) (*outcome, error) {
	done := make(chan reading, 1)
	go func() {
		made, err := report.Read(pipe)
		// Nothing may wait for us: what can't be read is still taken away.
		_, _ = io.Copy(io.Discard, pipe)
		done <- reading{report: made, err: err}
	}()
	status, err := l.start(path, words, environment)
	pipe.Finish(quiet)
	if err != nil {
		return nil, err
	}
	read := <-done
	if read.err != nil && read.report != nil {
		say("the trace of the program can't be read to its end: " + read.err.Error())
	}
	if err := pipe.CopyError(); err != nil {
		say("the trace is not whole: " + err.Error())
	}
	if pipe.Left() {
		say("the program left processes behind: the report is about what they did until now (--wait waits for them)")
	}
	return &outcome{status: status, report: read.report}, nil
}

// start runs the program to its end, and with --wait to the end of all that it leaves behind.
func (l *launch) start(path string, words, environment []string) (program.Status, error) {
	if !l.wait {
		return program.Run(path, words[0], words[1:], environment)
	}
	orphans, err := program.AdoptOrphans()
	if err != nil {
		return program.Status{}, fail(program.StatusOwn, "--wait can't be had here: %v", err)
	}
	status, err := program.Run(path, words[0], words[1:], environment)
	if err == nil {
		orphans.Wait()
	}
	return status, err
}

// noTrace is said where no process of a program had anything to report.
const noTrace = "libsslcache.so saw no TLS in the program: it used none, is linked statically, runs setuid, " +
	"clears its environment, or SSLCACHE_DISABLE is set"

// endLike ends this process as the program ended, so that whoever waits sees the same.
func endLike(status program.Status) error { return silently(status.Code()) }
