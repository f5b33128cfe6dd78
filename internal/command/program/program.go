// Package program runs another program as if it stood alone: its exit status, its signals, its terminal
// and its environment are its own.
package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
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

// Find returns the path of a program as a shell finds it.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case err == nil, errors.Is(err, exec.ErrDot):
		return path, nil
	case errors.Is(err, fs.ErrPermission):
		return "", &Error{Status: StatusNotExecuted, Problem: name + " can't be executed: permission denied"}
	case strings.Contains(name, "/"):
		return "", problemOf(name)
	default:
		return "", &Error{Status: StatusNotFound, Problem: name + " is not found in PATH"}
	}
}

// problemOf returns what is wrong with a program that was named by its path.
func problemOf(path string) error {
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

// adoptOrphans makes what a program leaves behind, however deep, children of this process: see
// PR_SET_CHILD_SUBREAPER in prctl(2).
func adoptOrphans() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("the processes that the program leaves behind can't be waited for: %w", err)
	}
	return nil
}

func notExecuted(name string, err error) error {
	return &Error{Status: StatusNotExecuted, Problem: fmt.Sprintf("%s can't be executed: %v", name, Cause(err))}
}

// Cause is what the system said, in an error that also says how it was asked.
func Cause(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

func statusOf(waited syscall.WaitStatus) Status {
	if waited.Signaled() {
		return Status{Signal: waited.Signal()}
	}
	return Status{Exit: waited.ExitStatus()}
}
