package differential

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

const (
	// scriptBound is far beyond what any script needs: who passes it hangs.
	scriptBound = 20 * time.Second
	endMark     = "--\n"
	driverEnded = "the driver ended"
)

// A process runs the driver and takes one script after another. One that hung or died is replaced.
type process struct {
	start   func() *exec.Cmd
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	errors  *bytes.Buffer
}

// newProcess is the driver under a version of libssl, and with preload (empty: nothing) before it.
func newProcess(t testing.TB, libssl libssls.Libssl, preload string) *process {
	t.Helper()
	program := harness.Program{
		Source:  filepath.Join(harness.Root(t), "tests", "differential", "driver", "driver.c"),
		Flags:   []string{"-O1", "-rdynamic"},
		Library: libssl.Harness(),
	}.Compile(t, harness.Libssl)
	process := &process{start: func() *exec.Cmd {
		return libssl.Command(context.Background(), preload, program)
	}}
	t.Cleanup(func() { process.end() })
	return process
}

// run gives what the driver printed for the script. How a driver ended that did not survive the
// script is part of what it printed.
func (p *process) run(script string) string {
	if p.command == nil {
		if err := p.begin(); err != nil {
			return fmt.Sprintf("%s before it began: %v", driverEnded, err)
		}
	}
	late := time.AfterFunc(scriptBound, func() { _ = p.command.Process.Kill() })
	defer late.Stop()
	go func(input io.Writer) { _, _ = io.WriteString(input, script+"end\n") }(p.input)
	var printed strings.Builder
	for {
		line, err := p.output.ReadString('\n')
		if line == endMark {
			return printed.String()
		}
		printed.WriteString(line)
		if err != nil {
			hung := !late.Stop()
			fmt.Fprintf(&printed, "%s, hung: %t, %s\n", driverEnded, hung, p.end())
			return printed.String()
		}
	}
}

func (p *process) begin() error {
	command, errors := p.start(), &bytes.Buffer{}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Stderr = errors
	input, err := command.StdinPipe()
	if err != nil {
		return err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	p.command, p.input, p.output, p.errors = command, input, bufio.NewReader(output), errors
	return nil
}

// end ends the driver and says how it went.
func (p *process) end() string {
	if p.command == nil {
		return ""
	}
	_ = p.input.Close()
	late := time.AfterFunc(scriptBound, func() { _ = p.command.Process.Kill() })
	defer late.Stop()
	_ = p.command.Wait()
	ended := fmt.Sprintf("%s\n%s", p.command.ProcessState, p.errors)
	p.command = nil
	return ended
}
