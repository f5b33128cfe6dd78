package sslcache

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// liveServer is a Python server that serves its counters, after some visits.
func liveServer(t *testing.T) (running *harness.Server, runFolder string) {
	t.Helper()
	s := newSite(t)
	runFolder = filepath.Join(s.folder, "run")
	arguments := append([]string{"run", "--live", "--run-folder", runFolder, "-o", os.DevNull, "--"}, python(t, s).words...)
	running = sslcache(t, arguments...).Start(t, 0)
	waitUntil(t, "it listens", func() bool { return listens(s.port) })
	require.Equal(t, visits-1, newVisitor(t, s.port).visit(visits))
	waitUntil(t, "its socket", func() bool { return len(sockets(t, runFolder)) == 1 })
	return running, runFolder
}

func sockets(t *testing.T, runFolder string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(runFolder, "*.sock"))
	require.NoError(t, err)
	return all
}

// columns are at least two blanks apart; a value such as "1.0 s" has one in it.
func columns(line string) []string {
	return regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
}

// cellsOf returns what a table has in its first line, by the names of the columns.
func cellsOf(t *testing.T, table string) map[string]string {
	t.Helper()
	names, values := columns(linesOf(table)[0]), columns(linesOf(table)[1])
	require.Len(t, values, len(names), table)
	cells := map[string]string{}
	for i, name := range names {
		cells[name] = values[i]
	}
	return cells
}

func TestTopShowsARunningProgram(t *testing.T) {
	t.Parallel()
	running, runFolder := liveServer(t)
	top := func(arguments ...string) string {
		result := sslcache(t, append([]string{"top", "--run-folder", runFolder}, arguments...)...).Run(t)
		require.Empty(t, result.Stderr)
		require.Zero(t, result.Exit)
		return result.Stdout
	}
	process := strings.TrimSuffix(filepath.Base(sockets(t, runFolder)[0]), ".sock")

	all := cellsOf(t, top("--once"))
	require.Equal(t, []string{process, "python3"}, []string{all["PID"], all["PROGRAM"]})
	for _, cells := range []map[string]string{all, cellsOf(t, top(process, "--once"))} {
		require.Equal(t, []string{fmt.Sprint(visits), "95%"}, []string{cells["HANDSHAKES"], cells["RESUMED"]})
	}

	var documents []struct {
		Process  int
		Contexts []struct{ Found, Stored int }
	}
	require.NoError(t, json.Unmarshal([]byte(top("--json")), &documents))
	require.Len(t, documents, 1)
	require.Equal(t, process, fmt.Sprint(documents[0].Process))
	require.Equal(t, visits-1, documents[0].Contexts[0].Found)

	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(top("--metrics")))
	require.NoError(t, err)
	require.InDelta(t, visits-1, families["sslcache_found_total"].GetMetric()[0].GetCounter().GetValue(), 0)

	running.Stop(syscall.SIGTERM)
	require.Empty(t, sockets(t, runFolder), "a process takes its socket away")
}

func TestTopTakesAwayTheSocketOfAKilledProcess(t *testing.T) {
	t.Parallel()
	running, runFolder := liveServer(t)
	var process int
	_, err := fmt.Sscanf(filepath.Base(sockets(t, runFolder)[0]), "%d.sock", &process)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(process, syscall.SIGKILL))
	running.Stop(syscall.SIGTERM)
	require.Len(t, sockets(t, runFolder), 1)
	result := sslcache(t, "top", "--once", "--run-folder", runFolder).Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	require.Len(t, linesOf(result.Stdout), 1, "only the names of the columns")
	require.Empty(t, sockets(t, runFolder))

	result = sslcache(t, "top", "--once", "--run-folder", runFolder, fmt.Sprint(process)).Run(t)
	require.Equal(t, 1, result.Exit)
	require.Equal(t, fmt.Sprintf("sslcache: process %d does not serve its counters in %s: no such file or directory\n", process, runFolder), result.Stderr)
}

func TestTopRefreshesItsScreenUntilItIsLeft(t *testing.T) {
	t.Parallel()
	running, runFolder := liveServer(t)
	defer running.Stop(syscall.SIGTERM)
	command := exec.Command(harness.OurCommand(t), "top", "--interval=10ms", "--run-folder", runFolder)
	command.Env = append(os.Environ(), "TERM=xterm")
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 24, Cols: 160})
	require.NoError(t, err)
	defer terminal.Close()
	screen, done := collect(terminal)
	waitUntil(t, "rates", func() bool { return strings.Contains(screen.String(), "LOOK-UPS/S") })
	require.Contains(t, screen.String(), "python3")
	_, err = terminal.WriteString("q")
	require.NoError(t, err)
	require.NoError(t, command.Wait())
	<-done
}

func TestTopSaysThatItCannotWrite(t *testing.T) {
	t.Parallel()
	runFolder := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.Mkdir(runFolder, 0o700))
	for _, format := range []string{"--once", "--json"} {
		result := harness.Command{Path: "/bin/sh", Args: []string{
			"-c", `"$0" top "$1" --run-folder "$2" >/dev/full`, harness.OurCommand(t), format, runFolder,
		}}.Run(t)
		require.Equal(t, 2, result.Exit, format)
		require.Equal(t, "sslcache: write /dev/stdout: no space left on device\n", result.Stderr)
	}
}

func TestTopPrintsInOneFormat(t *testing.T) {
	t.Parallel()
	result := sslcache(t, "top", "--json", "--metrics").Run(t)
	require.Equal(t, 2, result.Exit)
	require.Empty(t, result.Stdout)
	require.Contains(t, result.Stderr, "[json metrics]")
}
