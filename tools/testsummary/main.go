// Command testsummary runs commands that test, one after the other, and says at the end what ran, in how long, what
// was skipped and why, and what failed.
//
// Each COMMAND is a line for the shell. What one prints in the format of `go test -json` is shown as go test shows it
// without: a line for each package, and all that a test has said which failed. Anything else passes through. A
// command that fails stops no other. The status is 0 only where all were well, and each with -json has run a test.
//
// usage: go run ./tools/testsummary COMMAND...
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: testsummary COMMAND...")
		os.Exit(2)
	}
	if !runAll(os.Args[1:], os.Stdout) {
		os.Exit(1)
	}
}

// runAll runs the commands and prints the summary. It reports whether all was well.
func runAll(commands []string, out io.Writer) bool {
	var runs []*run
	for _, command := range commands {
		run := newRun(command, out)
		run.execute()
		runs = append(runs, run)
	}
	return summarise(runs, out)
}

// execute runs the command of a run to its end, and takes in what it prints.
func (r *run) execute() {
	started := time.Now()
	command := exec.Command("sh", "-c", r.command)
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err == nil {
		lines := bufio.NewReader(stdout)
		for {
			line, failed := lines.ReadBytes('\n')
			r.take(line)
			if failed != nil {
				break
			}
		}
		err = command.Wait()
	}
	r.end(err, time.Since(started))
}
