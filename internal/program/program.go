// Package program runs another program as if it stood alone: its exit status, its signals, its terminal
// and its environment are its own.
package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The exit statuses of env(1) and timeout(1).
const (
	StatusOwn          = 125 // the command before the program failed
	StatusNotExecuted  = 126 // the program is there and can't be executed
	StatusNotFound     = 127
	statusBySignalFrom = 128
)

// Error is why a program did not start, with the exit status that says so.
type Error struct {
	Status  int
	Problem string
}

func (e *Error) Error() string { return e.Problem }

// Find gives the path of a program as a shell finds it.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case err == nil, errors.Is(err, exec.ErrDot):
		return path, nil
	case errors.Is(err, fs.ErrPermission):
		return "", &Error{Status: StatusNotExecuted, Problem: name + " can't be executed: permission denied"}
	case strings.Contains(name, "/"):
		return "", whyNot(name)
	default:
		return "", &Error{Status: StatusNotFound, Problem: name + " is not found in PATH"}
	}
}

// whyNot says what is wrong with a program that was named by its path.
func whyNot(path string) error {
	found, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Status: StatusNotFound, Problem: path + " does not exist"}
	case err != nil:
		return &Error{Status: StatusNotExecuted, Problem: fmt.Sprintf("%s can't be executed: %v", path, errors.Unwrap(err))}
	case found.IsDir():
		return &Error{Status: StatusNotExecuted, Problem: path + " can't be executed: it is a folder"}
	default:
		return &Error{Status: StatusNotExecuted, Problem: path + " can't be executed: permission denied"}
	}
}

// Status is how a program ended.
type Status struct {
	Exit   int            // its exit status, where it had one
	Signal syscall.Signal // that ended it, or 0
}

// Code is the status as a shell gives it on.
func (s Status) Code() int {
	if s.Signal != 0 {
		return statusBySignalFrom + int(s.Signal)
	}
	return s.Exit
}

// String says how the program ended.
func (s Status) String() string {
	if s.Signal != 0 {
		return fmt.Sprintf("was ended by %s", unix.SignalName(s.Signal))
	}
	return fmt.Sprintf("ended with status %d", s.Exit)
}

// handedOn are the signals that ask something of a program. The others either stop this process and its
// program alike, or are about this process.
var handedOn = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2,
	syscall.SIGALRM, syscall.SIGWINCH, syscall.SIGPWR,
}

// fromTerminal are those that a terminal sends to all processes in its foreground.
var fromTerminal = []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH}

// Run runs the program at the path with its arguments (without its name) and environment, and waits for
// its end. The signals that this process gets meanwhile are the program's.
func Run(path string, name string, arguments, environment []string) (Status, error) {
	command := &exec.Cmd{
		Path: path, Args: append([]string{name}, arguments...), Env: environment,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	signals := make(chan os.Signal, 64)
	catch(signals)
	defer signal.Stop(signals)
	if err := command.Start(); err != nil {
		return Status{}, &Error{Status: StatusNotExecuted, Problem: fmt.Sprintf("%s can't be executed: %v", name, Cause(err))}
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case one := <-signals:
			handOn(command.Process, one)
		case err := <-ended:
			return statusOf(command.ProcessState, err)
		}
	}
}

// catch leaves alone what was ignored before, as nohup(1) does it: the program is to ignore it too.
func catch(signals chan<- os.Signal) {
	for _, one := range handedOn {
		if !signal.Ignored(one) {
			signal.Notify(signals, one)
		}
	}
}

// handOn gives the program a signal, unless the terminal gave it one already: it is in our process group.
func handOn(child *os.Process, one os.Signal) {
	for _, typed := range fromTerminal {
		if one == typed && inForeground() {
			return
		}
	}
	// A program that has just ended needs it no more.
	_ = child.Signal(one)
}

// inForeground says whether a terminal sends us the signals of its keys.
func inForeground() bool {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// Cause is what the system said, in an error that also says how it was asked.
func Cause(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

func statusOf(state *os.ProcessState, err error) (Status, error) {
	if state == nil {
		return Status{}, err
	}
	waited := state.Sys().(syscall.WaitStatus)
	if waited.Signaled() {
		return Status{Signal: waited.Signal()}, nil
	}
	return Status{Exit: waited.ExitStatus()}, nil
}
