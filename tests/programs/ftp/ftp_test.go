// Package ftp runs FTP servers of Debian that demand TLS, and clients of Debian with and without
// SSLCACHE_CLIENT=ftp.
package ftp

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/trace"
	"libsslcache/tests/harness"
	"libsslcache/tests/libssls"
)

// sizeVariable is "all" for every client and a file of 50 MB; without it only ftplib runs, with a small one.
const sizeVariable = "SSLCACHE_APPS"

// outcome is what became of one client.
type outcome struct {
	problem   string         // its last line, if it failed
	told      map[string]int // the outcomes of the client's events in its trace
	obstacles map[string]int
	took      time.Duration
}

func (o outcome) String() string {
	if o.problem != "" {
		return "fails: " + o.problem
	}
	return "works"
}

// attempt runs a client once, with the setting or, if that is empty, without our library.
func attempt(t *testing.T, s *site, c client, j job, setting string) outcome {
	t.Helper()
	for _, left := range []string{"home/up/stored", "back"} {
		require.NoError(t, os.RemoveAll(s.path(left)))
	}
	command := c.command(s, j)
	command.Timeout = 5 * time.Minute
	path := filepath.Join(t.TempDir(), "trace")
	if setting != "" {
		command.Preload = []string{harness.OurLibrary(t)}
		command.Env = append(command.Env, setting, "SSLCACHE_TRACE="+path)
	}
	began := time.Now()
	result := command.Run(t)
	seen := outcome{took: time.Since(began), told: map[string]int{}, obstacles: map[string]int{}}
	if result.Exit != 0 {
		seen.problem = lastLine(result.Stderr)
	}
	if setting != "" {
		seen.read(t, path)
	}
	return seen
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func (o *outcome) read(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return // it has no libssl
	}
	require.NoError(t, err)
	defer file.Close()
	reader := trace.NewReader(file)
	for {
		var event trace.Event
		err := reader.Next(&event)
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		if event.Operation == trace.ClientConnection {
			o.told[string(event.Outcome)]++
			o.obstacles[string(event.Cause)]++
		}
	}
}

// fileOf makes a file of random bytes, as those of a file that is compressed.
func fileOf(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "large")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	_, err = io.CopyN(file, rand.Reader, size)
	require.NoError(t, err)
	return path
}

// pair is a client alone and under ours at one server.
type pair struct {
	server server
	client client
	job    job
	alone  outcome
	ours   outcome
}

// check requires that ours works wherever it can, and is in nobody's way.
func (p pair) check(t *testing.T) {
	t.Helper()
	verifies := !strings.Contains(p.client.name, "nothing verified")
	assert.Zero(t, p.ours.told["failed"])
	switch {
	case p.client.ownSessions:
		// Some fail now and then at vsftpd in TLS 1.3, alone too, and lftp which has no libssl.
		assert.Zero(t, p.ours.told["resumed"]+p.ours.told["refused"], "we are not to be seen")
	case !verifies:
		assert.Equal(t, p.alone.problem, p.ours.problem, "we are not to be seen")
		assert.Zero(t, p.ours.told["resumed"])
	case p.server.demands:
		assert.NotEmpty(t, p.alone.problem, "the server does not demand what it is here to demand")
		assert.Empty(t, p.ours.problem)
		assert.Equal(t, p.job.connections(), p.ours.told["resumed"], "each data connection")
	default:
		assert.Empty(t, p.alone.problem)
		assert.Empty(t, p.ours.problem)
	}
}

func (j job) connections() int {
	if j.file == "" {
		return j.lists
	}
	return j.lists + 2
}

// run tries all modes of a client at a server.
func run(t *testing.T, s server, c client, j job, library harness.Library) []pair {
	t.Helper()
	at := newSite(t)
	at.serve(s, library)
	var pairs []pair
	for _, mode := range c.modes {
		one := pair{server: s, client: c, job: j}
		one.job.mode = mode
		one.alone = attempt(t, at, c, one.job, "")
		one.ours = attempt(t, at, c, one.job, "SSLCACHE_CLIENT=ftp")
		t.Run(mode, one.check)
		pairs = append(pairs, one)
	}
	return pairs
}

// TestDataConnectionsResume asks: does a client at a server that demands it get its data, and is it
// otherwise as it is alone?
func TestDataConnectionsResume(t *testing.T) {
	all := os.Getenv(sizeVariable) == "all"
	used, size, lists := clients[:1], int64(1<<20), 3
	if all {
		used, size, lists = clients, 50<<20, 10
	}
	large, small := fileOf(t, size), fileOf(t, 1<<20)
	var pairs []pair
	for _, s := range servers {
		for _, c := range used {
			file := small
			if c.large {
				file = large
			}
			for _, version := range []string{"1.2", "1.3"} {
				t.Run(fmt.Sprintf("%s, %s, TLS %s", s.name, c.name, version), func(t *testing.T) {
					pairs = append(pairs, run(t, s, c, job{version: version, lists: lists, file: file}, harness.Library{})...)
				})
			}
		}
	}
	if all {
		write(t, pairs)
	}
}

// The same servers with a newer libssl of the same name.
func TestServersOfOtherLibssls(t *testing.T) {
	for _, version := range []string{"3.5", "3.6"} {
		library := libssls.Get(t, version).Harness()
		for _, s := range servers {
			if s.name == "proftpd-core" {
				continue // it loads its libssl with its module
			}
			for _, protocol := range []string{"1.2", "1.3"} {
				t.Run(fmt.Sprintf("%s, libssl %s, TLS %s", s.name, version, protocol), func(t *testing.T) {
					run(t, s, clients[0], job{version: protocol, lists: 3}, library)
				})
			}
		}
	}
}

const documentText = `# Clients and servers of FTP over TLS

Written by ` + "`make ftp`" + ` on %s, with libssl %s.

Each client makes 10 lists, stores a file and gets it back: 12 data connections. The file has 50 MB for ftplib, 1 MB
for the others. The servers are as Debian
has them but for a certificate, a user, and that they demand TLS of both connections. What fails in both columns is no
matter of ours; curl and lftp, which has GnuTLS, fail now and then at vsftpd in TLS 1.3, alone too. "Resumed" counts the data
connections for which we offered the session and the server took it.

| server | client | TLS | mode | alone | with SSLCACHE_CLIENT=ftp | resumed |
| --- | --- | --- | --- | --- | --- | --- |
%s
`

func write(t *testing.T, pairs []pair) {
	t.Helper()
	var rows bytes.Buffer
	for _, p := range pairs {
		fmt.Fprintf(&rows, "| %s | %s, %s | %s | %s | %s | %s | %d |\n", shown(t, p.server.name), p.client.name,
			versionOf(t, p.client.packages), p.job.version, p.job.mode, p.alone, p.ours, p.ours.told["resumed"])
	}
	path := filepath.Join(harness.Root(t), "docs", "clients-programs.md")
	text := fmt.Sprintf(documentText, time.Now().UTC().Format("2006-01-02"), versionOf(t, "libssl3"), rows.String())
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}
