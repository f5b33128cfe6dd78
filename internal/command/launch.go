package command

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"libsslcache/internal/command/program"
	"libsslcache/internal/command/report"
	"libsslcache/internal/command/settings"
	"libsslcache/internal/command/trace"
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
	l.flags.StringVar(&l.library, "lib", "", "the `FILE` to preload (default: "+program.Library+" beside sslcache, in ../lib or its multiarch folder)")
	l.flags.BoolVar(&l.wait, "wait", false, "wait for processes that the program leaves behind, and for the report")
	groupRunning.add(l.flags, "lib", "wait")
	l.values = map[string]*setting{}
	for _, option := range offered() {
		l.addSetting(option)
	}
}

// offered are the settings that are flags: all but the report of each process, which a run does better.
func offered() []settings.Setting {
	return slices.DeleteFunc(settings.List(), func(option settings.Setting) bool {
		return option.Variable == "SSLCACHE_REPORT"
	})
}

func (l *launch) addSetting(option settings.Setting) {
	// A quoted word of the text would be taken for the name of the value.
	usage := strings.ReplaceAll(option.Help, "`", "'") + " [" + option.Variable + "]"
	given := &setting{kind: option.Value}
	l.values[option.Variable] = given
	l.flags.Var(given, option.Flag, usage)
	if option.Value == "0|1" {
		l.flags.Lookup(option.Flag).NoOptDefVal = "1"
	}
	groupOf(option.Variable).add(l.flags, option.Flag)
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

// environment returns ours with the settings of the flags, checked.
func (l *launch) environment() ([]string, error) {
	environment := os.Environ()
	given := map[string]string{}
	for _, option := range offered() {
		if !l.flags.Changed(option.Flag) {
			continue
		}
		environment = program.Set(environment, option.Variable, l.values[option.Variable].String())
		given[option.Variable] = "--" + option.Flag
	}
	if _, err := settings.Read(environment); err != nil {
		problem := err.Error()
		for variable, flag := range given {
			problem = strings.ReplaceAll(problem, variable+" ", flag+" ")
		}
		return nil, fail(program.StatusOwn, "%s", problem)
	}
	return environment, nil
}

// started is a program that is ready to run under the library.
type started struct {
	path        string
	words       []string
	environment []string
	copy        *os.File // of the trace, or nil
}

// prepare finds all that a run needs, so that nothing is begun that can't be ended.
func (l *launch) prepare(words []string) (*started, error) {
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
	copied, err := openTrace(valueOf(environment, traceVariable))
	if err != nil {
		return nil, err
	}
	return &started{path: path, words: words, environment: program.Preload(environment, library), copy: copied}, nil
}

// traceTo makes the processes of the program write their events to a FIFO.
func (s *started) traceTo(fifo string) {
	s.environment = program.Set(s.environment, traceVariable, fifo)
}

func (s *started) close() {
	if s.copy != nil {
		_ = s.copy.Close()
	}
}

func valueOf(environment []string, variable string) string {
	for _, line := range environment {
		if value, found := strings.CutPrefix(line, variable+"="); found {
			return value
		}
	}
	return ""
}

// openTrace opens the file of a trace as the library does, which appends.
func openTrace(path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fail(program.StatusOwn, "the trace can't be written to %s: %v", path, program.Cause(err))
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

// outcome is what became of a program.
type outcome struct {
	status program.Status
	report *report.Report // nil: no process of it wrote an event
}

// run runs a program as a child to its end and reads the trace of all its processes.
func (l *launch) run(words []string) (*outcome, error) {
	ready, err := l.prepare(words)
	if err != nil {
		return nil, err
	}
	defer ready.close()
	pipe, err := trace.NewPipe("trace", asWriter(ready.copy))
	if err != nil {
		return nil, notCollected(err)
	}
	defer pipe.Close()
	ready.traceTo(pipe.Path())
	read := make(chan *report.Report, 1)
	go func() { read <- readTrace(pipe, func(*trace.Event) {}) }()
	status, err := program.Run(ready.path, words, ready.environment, l.wait)
	pipe.Finish(quiet)
	result := <-read
	if err != nil {
		return nil, err
	}
	complainOf(pipe)
	return &outcome{status: status, report: result}, nil
}

func notCollected(err error) error {
	return fail(program.StatusOwn, "the trace can't be collected: %v", program.Cause(err))
}

// readTrace reads a trace to its end, whatever is in it: nobody may have to wait for its reader.
func readTrace(pipe io.Reader, use func(*trace.Event)) *report.Report {
	result, err := report.ReadEach(pipe, use)
	if err != nil && result != nil {
		say("the trace of the program can't be read to its end: " + err.Error())
	}
	_, _ = io.Copy(io.Discard, pipe)
	return result
}

// complainOf says what is not as it should be with a trace that was read.
func complainOf(pipe *trace.Pipe) {
	if err := pipe.CopyError(); err != nil {
		say("the trace is not whole: " + program.Cause(err).Error())
	}
	if pipe.Left() {
		say("the program left processes behind: the report is about what they did until now (--wait waits for them)")
	}
}

// noTrace is said where no process of a program had anything to report.
const noTrace = "libsslcache.so saw no TLS in the program: it used none, is linked statically, runs setuid, " +
	"clears its environment, or SSLCACHE_DISABLE is set"

// output is where a report of a run goes, and how.
type output struct {
	path   string
	asJSON bool
}

// open opens the file of a report; "" is standard error.
func (o output) open() (*os.File, error) {
	if o.path == "" {
		return os.Stderr, nil
	}
	file, err := os.Create(o.path)
	if err != nil {
		return nil, fail(program.StatusOwn, "the report can't be written to %s: %v", o.path, program.Cause(err))
	}
	return file, nil
}

// write writes the report of a run into a file that it opened, and closes it.
func (o output) write(target *os.File, result *report.Report) error {
	var err error
	switch {
	case result == nil:
		say(noTrace)
	case o.asJSON:
		err = result.WriteJSON(target)
	default:
		err = result.WriteText(target)
	}
	if target != os.Stderr {
		err = firstOf(err, target.Close())
	}
	if err != nil {
		return fmt.Errorf("the report can't be written: %w", program.Cause(err))
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
