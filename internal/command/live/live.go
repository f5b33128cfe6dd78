// Package live asks running processes for the counters of their caches. Each serves them on a socket in a
// run folder (SSLCACHE_LIVE); docs/trace.md describes what it answers.
package live

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"libsslcache/internal/command/printable"
	"libsslcache/internal/command/trace"
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
	for i := range p.Contexts {
		counters := &p.Contexts[i].Counters
		sum.Number += counters.Number
		sum.Peak += counters.Peak
		sum.Sums = sum.Plus(counters.Own())
	}
	return sum
}

// Folder returns the run folder: the one that was asked for, or, with "", the one of this user.
func Folder(asked string) string {
	if asked != "" {
		return asked
	}
	if folder := os.Getenv("XDG_RUNTIME_DIR"); folder != "" {
		return filepath.Join(folder, "sslcache")
	}
	return fmt.Sprintf("/tmp/sslcache-%d", os.Getuid())
}

// List asks all processes of a run folder at once, and returns them in the order of their ids. The sockets of those
// that are gone are taken away. The errors are of single processes that could not be asked. No folder is no process.
func List(folder string) ([]*Process, []error) {
	if err := checkFolder(folder); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, []error{err}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, []error{err}
	}
	answers := make([]listed, len(entries))
	var asked sync.WaitGroup
	for i, entry := range entries {
		if id, is := idOf(entry); is {
			asked.Go(func() { answers[i] = askSocket(filepath.Join(folder, entry.Name()), id) })
		}
	}
	asked.Wait()
	return sorted(answers)
}

// listed is what came of one socket; neither where there is nothing to say about it.
type listed struct {
	process *Process
	problem error
}

func sorted(answers []listed) (processes []*Process, problems []error) {
	for _, answer := range answers {
		if answer.process != nil {
			processes = append(processes, answer.process)
		}
		if answer.problem != nil {
			problems = append(problems, answer.problem)
		}
	}
	slices.SortFunc(processes, func(a, b *Process) int { return cmp.Compare(a.ID, b.ID) })
	return processes, problems
}

const suffix = ".sock"

// idOf returns the process whose socket an entry of a run folder is, and false for what is none: that is not ours.
func idOf(entry os.DirEntry) (int, bool) {
	digits, named := strings.CutSuffix(entry.Name(), suffix)
	id, err := strconv.Atoi(digits)
	return id, named && err == nil && id > 0 && strconv.Itoa(id) == digits && entry.Type() == fs.ModeSocket
}

func askSocket(socket string, id int) listed {
	process, err := ask(socket)
	switch {
	case err == nil:
		return listed{process: process}
	case isStale(socket, id, err):
		_ = os.Remove(socket)
		return listed{}
	case errors.Is(err, fs.ErrNotExist):
		return listed{}
	default:
		return listed{problem: fmt.Errorf("%s: %w", socket, err)}
	}
}

// Ask asks one process.
func Ask(folder string, id int) (*Process, error) {
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	return ask(filepath.Join(folder, strconv.Itoa(id)+suffix))
}

// checkFolder refuses a folder into which somebody else can put sockets: the library does not use such a one either.
func checkFolder(folder string) error {
	found, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	status, _ := found.Sys().(*syscall.Stat_t)
	switch {
	case !found.IsDir():
		return fmt.Errorf("%s is no folder", folder)
	case status == nil || int(status.Uid) != os.Geteuid() || found.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is not a folder of this user alone (mode 0700): what is in it is not believed", folder)
	default:
		return nil
	}
}

func ask(socket string) (*Process, error) {
	connection, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if err := checkPeer(connection); err != nil {
		return nil, err
	}
	if err := connection.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(io.LimitReader(connection, mostBytes))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("it has not answered within %s", patience)
	}
	if err != nil {
		return nil, err
	}
	return parse(answer)
}

// checkPeer refuses who is not this user.
func checkPeer(connection net.Conn) error {
	raw, err := connection.(*net.UnixConn).SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var failed error
	err = raw.Control(func(number uintptr) {
		peer, failed = unix.GetsockoptUcred(int(number), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if int(peer.Uid) != os.Geteuid() {
		return fmt.Errorf("who listens there is another user (%d)", peer.Uid)
	}
	return nil
}

func parse(answer []byte) (*Process, error) {
	process := &Process{Document: answer}
	if err := json.Unmarshal(answer, process); err != nil || process.Format != format {
		return nil, errors.New("who listens there is no process of libsslcache")
	}
	if process.Version != version {
		return nil, fmt.Errorf("it answers in version %d of the format, this command reads version %d", process.Version, version)
	}
	for _, text := range []*string{&process.Program, &process.Libsslcache, &process.Libssl} {
		*text = printable.Line(*text)
	}
	return process, nil
}

// isStale reports whether nobody listens on a socket any more.
func isStale(socket string, id int, err error) bool {
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	if errors.Is(syscall.Kill(id, 0), syscall.ESRCH) {
		return true
	}
	status, failed := os.Lstat(socket)
	return failed == nil && time.Since(status.ModTime()) > freshness
}
