package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"libsslcache/internal/command/program"
	"libsslcache/internal/command/trace"
)

// `run` becomes the program. What reads the trace and makes the report is a process of its own, which nobody is the
// parent of but init: the program can't tell that it is there, and a signal of the terminal does not reach it.
//
// Its descriptors, beside standard error: it says the path of its FIFO, or a problem, on the first; it learns from
// the second what became of the program: an end when that runs, a byte when it could not be executed.
const (
	readyDescriptor = 3 + iota
	executedDescriptor
	reportDescriptor
	copyDescriptor
)

const collectName = "collect"

// collector is how the second process was started.
type collector struct {
	process  int // that becomes the program
	orphan   bool
	asJSON   bool
	toFile   bool
	withCopy bool
}

func newCollect() *cobra.Command {
	var asked collector
	command := &cobra.Command{
		Use: collectName, Hidden: true, Args: cobra.NoArgs,
		Short: "What `sslcache run` starts to read the trace; not to be called",
		RunE:  func(*cobra.Command, []string) error { return asked.run() },
	}
	flags := command.Flags()
	flags.IntVar(&asked.process, "process", 0, "")
	flags.BoolVar(&asked.orphan, "orphan", false, "")
	flags.BoolVar(&asked.asJSON, "json", false, "")
	flags.BoolVar(&asked.toFile, "file", false, "")
	flags.BoolVar(&asked.withCopy, "copy", false, "")
	return command
}

func (c *collector) arguments() []string {
	return []string{
		collectName, fmt.Sprintf("--process=%d", c.process), fmt.Sprintf("--orphan=%t", c.orphan),
		fmt.Sprintf("--json=%t", c.asJSON), fmt.Sprintf("--file=%t", c.toFile), fmt.Sprintf("--copy=%t", c.withCopy),
	}
}

// command starts this program once more. Where a file is nil the new process has none in its place.
func (c *collector) command(files []*os.File) *exec.Cmd {
	command := exec.Command("/proc/self/exe", c.arguments()...)
	command.Args[0], command.Stderr, command.ExtraFiles = "sslcache", os.Stderr, files
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return command
}

// follow starts the process that makes the report of a run, and returns the path of its FIFO and what tells it that
// the program could not be executed.
func follow(asked output, target, copied *os.File) (fifo string, failed func(), err error) {
	hears, ready, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	defer hears.Close()
	executed, tells, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	defer executed.Close()
	started := collector{process: os.Getpid(), asJSON: asked.asJSON, toFile: asked.path != "", withCopy: copied != nil}
	files := []*os.File{ready, executed, target, copied}
	err = started.command(files).Run()
	_ = ready.Close()
	if err != nil {
		return "", nil, err
	}
	fifo, err = readPath(hears)
	return fifo, func() { _, _ = tells.Write([]byte{0}) }, err
}

// readPath reads the path of a FIFO, or the problem that there is instead.
func readPath(from io.Reader) (string, error) {
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil {
		return "", errors.New("the process that reads it has ended")
	}
	line = strings.TrimSuffix(line, "\n")
	if !strings.HasPrefix(line, "/") {
		return "", errors.New(line)
	}
	return line, nil
}

func (c *collector) run() error {
	files := c.files()
	if unix.Fstat(readyDescriptor, new(unix.Stat_t)) != nil || c.process == 0 {
		return fail(statusUsage, "%s is started by `sslcache run`, not by hand", collectName)
	}
	if !c.orphan {
		c.orphan = true
		return c.command(files).Start()
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGTTOU, syscall.SIGPIPE)
	c.collect(files[0], files[1], files[2], files[3])
	return nil
}

func (c *collector) files() []*os.File {
	files := []*os.File{
		os.NewFile(readyDescriptor, "ready"), os.NewFile(executedDescriptor, "executed"), os.Stderr, nil,
	}
	if c.toFile {
		files[2] = os.NewFile(reportDescriptor, "report")
	}
	if c.withCopy {
		files[3] = os.NewFile(copyDescriptor, "trace")
	}
	return files
}

// collect reads the trace of the program to its end, and makes the report.
func (c *collector) collect(ready, executed, target, copied *os.File) {
	pipe, err := trace.NewPipe(trace.RunName(c.process), asWriter(copied))
	if err != nil {
		fmt.Fprintln(ready, program.Cause(err))
		return
	}
	defer pipe.Close()
	ended := program.Watch(c.process)
	_ = os.Chdir("/") // no folder is kept in use
	fmt.Fprintln(ready, pipe.Path())
	_ = ready.Close()
	if count, _ := executed.Read(make([]byte, 1)); count > 0 {
		return
	}
	go func() {
		<-ended
		pipe.Finish(quiet)
	}()
	result := readTrace(pipe, func(event *trace.Event) {
		// It waits for the report now, and is not asked to wait for long.
		if event.Operation == trace.End && event.Process == c.process {
			pipe.Finish(quiet)
		}
	})
	complainOf(pipe)
	complain(output{asJSON: c.asJSON}.write(target, result))
}

// complain says an error, if there is one.
func complain(err error) {
	if err != nil {
		say(err.Error())
	}
}
