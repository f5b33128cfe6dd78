// Package live asks running processes for the counters of their caches. Each serves them on a socket in a
// run folder (SSLCACHE_LIVE); docs/trace.md describes what it answers.
package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"libsslcache/internal/trace"
)

// The format that is read here.
const (
	format  = "sslcache-live"
	version = 1
)

// patience bounds what one process may take to answer, and mostBytes what it may answer.
const (
	patience  = 2 * time.Second
	mostBytes = 64 << 20
)

// freshness is how old a socket must be before nobody behind it means that nobody ever will be: a process
// makes it first and listens then.
const freshness = 10 * time.Second

// Process is what a process answers.
type Process struct {
	Format      string    `json:"format"`
	Version     int       `json:"version"`
	ID          int       `json:"process"`
	Program     string    `json:"program"`
	Libsslcache string    `json:"libsslcache"`
	Libssl      string    `json:"libssl"`
	Uptime      float64   `json:"uptime"` // seconds
	Forks       uint64    `json:"forks"`
	Contexts    []Context `json:"contexts"`
	Dropped     uint64    `json:"dropped"` // events of its trace

	Document json.RawMessage `json:"-"` // all that it answered
}

// Context is one SSL_CTX of a process.
type Context struct {
	ID int `json:"context"`
	trace.Counters
}

// Total adds up the contexts of a process.
func (p *Process) Total() trace.Counters {
	var sum trace.Counters
	for _, one := range p.Contexts {
		sum.Number += one.Number
		sum.Peak += one.Peak
		sum.Stored += one.Stored
		sum.Found += one.Found
		sum.Missed += one.Missed
		sum.Replaced += one.Replaced
		sum.Evicted += one.Evicted
		sum.Expired += one.Expired
		sum.Removed += one.Removed
		sum.Accept += one.Accept
		sum.AcceptGood += one.AcceptGood
		sum.Hits += one.Hits
		sum.ConnectGood += one.ConnectGood
	}
	return sum
}

// Folder gives the run folder: the one that was asked for, or, with "", the one of this user.
func Folder(asked string) string {
	if asked != "" {
		return asked
	}
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); runtime != "" {
		return filepath.Join(runtime, "sslcache")
	}
	return fmt.Sprintf("/tmp/sslcache-%d", os.Getuid())
}

// List asks all processes of a run folder, in the order of their ids, and takes away the sockets of those
// that are gone. The errors are of single processes that could not be asked. No folder is no process.
func List(folder string) ([]*Process, []error) {
	names, err := filepath.Glob(filepath.Join(escape(folder), "*.sock"))
	if err != nil {
		return nil, []error{err}
	}
	var processes []*Process
	var problems []error
	for _, name := range names {
		one, err := ask(name)
		switch {
		case err == nil:
			processes = append(processes, one)
		case isStale(name, err):
			_ = os.Remove(name)
		case !errors.Is(err, os.ErrNotExist):
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	slices.SortFunc(processes, func(a, b *Process) int { return a.ID - b.ID })
	return processes, problems
}

// Ask asks one process.
func Ask(folder string, id int) (*Process, error) {
	return ask(filepath.Join(folder, fmt.Sprintf("%d.sock", id)))
}

// escape keeps the name of a folder from being a pattern.
func escape(folder string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(folder)
}

func ask(socket string) (*Process, error) {
	connection, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if err := connection.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(connection, mostBytes))
	if err != nil {
		return nil, err
	}
	return parse(answer)
}

func parse(answer []byte) (*Process, error) {
	one := &Process{Document: answer}
	if err := json.Unmarshal(answer, one); err != nil || one.Format != format {
		return nil, errors.New("who listens there is no process of libsslcache")
	}
	if one.Version != version {
		return nil, fmt.Errorf("it answers in version %d of the format, this command reads version %d", one.Version, version)
	}
	return one, nil
}

// isStale says whether nobody listens on a socket any more.
func isStale(socket string, err error) bool {
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	id, failed := strconv.Atoi(strings.TrimSuffix(filepath.Base(socket), ".sock"))
	if failed == nil && errors.Is(syscall.Kill(id, 0), syscall.ESRCH) {
		return true
	}
	made, failed := os.Stat(socket)
	return failed == nil && time.Since(made.ModTime()) > freshness
}
