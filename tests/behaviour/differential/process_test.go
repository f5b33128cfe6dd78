package differential

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

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

func driver(t testing.TB) harness.Program {
	t.Helper()
	return harness.Program{
		Source: filepath.Join(harness.Root(t), "tests", "behaviour", "differential", "driver", "driver.c"),
		Flags:  []string{"-O1", "-rdynamic"},
	}
}

// newJudge is the driver under a version of libssl alone.
func newJudge(t testing.TB, libssl libssls.Libssl) *process {
	t.Helper()
	return newProcess(t, libssl, "")
}

// newCandidate is the driver with our library under it.
func newCandidate(t testing.TB, libssl libssls.Libssl, way way) *process {
	t.Helper()
	return newProcess(t, libssl, harness.OurLibrary(t), "SSLCACHE_CORE="+way.core)
}

func newProcess(t testing.TB, libssl libssls.Libssl, preload string, environment ...string) *process {
	t.Helper()
	program := driver(t)
	program.Library = libssl.Harness()
	path := program.Compile(t, harness.Libssl)
	return endedWell(t, &process{start: func() *exec.Cmd {
		command := libssl.Command(context.Background(), preload, path)
		command.Env = append(command.Env, environment...)
		return command
	}})
}

// newSanitizedProcess is the driver and our library under AddressSanitizer, with the system's libssl.
func newSanitizedProcess(t testing.TB, mode harness.Mode) *process {
	t.Helper()
	program := driver(t)
	program.Sanitized = true
	run := program.Command(t, mode)
	return endedWell(t, &process{start: func() *exec.Cmd {
		command := exec.Command(run.Path)
		command.Env = append(command.Environ(), run.Env...)
		command.Env = append(command.Env, "OPENSSL_CONF="+os.DevNull, "LD_PRELOAD="+strings.Join(run.Preload, ":"))
		return command
	}})
}

// endedWell ends the process with the test, and fails the test if there is anything to complain of.
func endedWell(t testing.TB, process *process) *process {
	t.Cleanup(func() {
		if process.command != nil {
			assert.Equal(t, "exit status 0\n", process.end(), "the driver's end")
		}
	})
	return process
}

// run returns what the driver printed for the script. How a driver ended that did not survive the
// script is part of what it printed.
func (p *process) run(script string) string {
	if p.command == nil {
		if err := p.begin(); err != nil {
			return fmt.Sprintf("%s before it began: %v", driverEnded, err)
		}
	}
	driver := p.command.Process
	late := time.AfterFunc(scriptBound, func() { _ = driver.Kill() })
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
	_ = p.input.Close()
	driver := p.command.Process
	late := time.AfterFunc(scriptBound, func() { _ = driver.Kill() })
	defer late.Stop()
	_ = p.command.Wait()
	ended := fmt.Sprintf("%s\n%s", p.command.ProcessState, p.errors)
	p.command = nil
	return ended
}
