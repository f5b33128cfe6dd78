package program

/*
#include "start.h"
*/
import "C"

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// lastSignal is the last of those that Linux has on all machines.
const lastSignal = 64

// restore makes what the program inherits what this process was started with: Go's runtime has handlers for
// signals that were ignored, and has opened /dev/null where a descriptor was closed. A signal that this process
// needs itself may be left out.
func restore(except syscall.Signal) {
	for number := 1; number <= lastSignal; number++ {
		if syscall.Signal(number) != except && bool(C.start_ignored(C.int(number))) {
			signal.Ignore(syscall.Signal(number))
		}
	}
	for number := range 3 {
		if bool(C.start_closed(C.int(number))) {
			syscall.CloseOnExec(number)
		}
	}
}

// Replace makes this process the program: with its number, its parent, its place before the terminal, and every
// signal. It returns only where that is not possible.
func Replace(path string, words, environment []string) error {
	restore(0)
	err := syscall.Exec(path, words, environment)
	if errors.Is(err, syscall.ENOEXEC) { // a script that does not say of what, as execvp(3) has it
		err = syscall.Exec(shell, append([]string{shell, path}, words[1:]...), environment)
	}
	return notExecuted(words[0], err)
}

const shell = "/bin/sh"

// start starts a program as a child.
func start(path string, words, environment []string) (*os.Process, error) {
	attributes := &os.ProcAttr{Env: environment, Files: inherited()}
	process, err := os.StartProcess(path, words, attributes)
	if errors.Is(err, syscall.ENOEXEC) {
		process, err = os.StartProcess(shell, append([]string{shell, path}, words[1:]...), attributes)
	}
	if err != nil {
		return nil, notExecuted(words[0], err)
	}
	return process, nil
}

// inherited are the standard descriptors that this process was given.
func inherited() []*os.File {
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	for number := range files {
		if bool(C.start_closed(C.int(number))) {
			files[number] = nil
		}
	}
	return files
}

// Run runs a program as a child and waits for its end. What this process is sent meanwhile is the program's, and
// it stops where the program stops. With wait, what the program leaves behind, however deep, is waited for too, but
// not beyond a signal that would end this process.
func Run(path string, words, environment []string, wait bool) (Status, error) {
	after, written, err := os.Pipe()
	if err != nil {
		return Status{}, err
	}
	if wait {
		if err := adoptOrphans(); err != nil {
			return Status{}, err
		}
	}
	restore(syscall.SIGCHLD)
	C.forward_signals(C.int(written.Fd()))
	process, err := start(path, words, environment)
	if err != nil {
		return Status{}, err
	}
	C.forward_to(C.pid_t(process.Pid))
	ended, all := make(chan Status, 1), make(chan struct{})
	go reap(process.Pid, ended, all)
	status := <-ended
	if !wait {
		return status, nil
	}
	select {
	case <-all:
	case <-ending(after):
	}
	return status, nil
}

// reap waits for the program, and for what it leaves behind as that ends, until nobody is left.
func reap(program int, ended chan<- Status, all chan<- struct{}) {
	for {
		var number C.int
		pid := int(C.forward_wait(&number))
		state := syscall.WaitStatus(number)
		switch {
		case pid < 0:
			close(all)
			return
		case pid == program && state.Stopped():
			// Whoever waits for this process waits for the program.
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		case pid == program:
			ended <- statusOf(state)
		}
	}
}

// ending tells of a signal that is meant to end this process, once the program has ended.
func ending(signals *os.File) <-chan struct{} {
	told := make(chan struct{})
	go func() {
		defer close(told)
		number := make([]byte, 1)
		for {
			if _, err := signals.Read(number); err != nil {
				return
			}
			switch syscall.Signal(number[0]) {
			case syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM:
				return
			}
		}
	}()
	return told
}
