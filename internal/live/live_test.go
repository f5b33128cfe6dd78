package live_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/live"
)

const answer = `{"format":"sslcache-live","version":1,"process":%d,"program":"nginx","libsslcache":"0.1.0",` +
	`"libssl":"OpenSSL 3.0.22","uptime":12.5,"forks":2,"dropped":3,"store":{"kind":"redis"},"contexts":[` +
	`{"context":1,"number":5,"peak":9,"limit":20480,"stored":9,"found":%d,"missed":2,"replaced":0,"evicted":1,"expired":1,` +
	`"removed":2,"accept":20,"accept_good":20,"hits":15,"timeouts":0,"connect_good":0,"callback_hits":0,"timeout":300,` +
	`"mode":2,"tickets":false,"session_context":true},` +
	`{"context":2,"number":1,"peak":1,"stored":1,"found":0,"missed":0,"accept_good":0,"connect_good":4,"hits":3,"timeout":7200,"tickets":true}]}`

// serve stands for a process: whoever connects gets the text.
func serve(t *testing.T, socket, text string) net.Listener {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte(text))
			_ = connection.Close()
		}
	}()
	return listener
}

// folder is short: the name of a socket must fit into 108 bytes.
func folder(t *testing.T) string {
	t.Helper()
	made, err := os.MkdirTemp("", "live")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(made) })
	return made
}

// deadProcess is above the largest process id that Linux gives.
const deadProcess = 1<<22 + 1

// abandon makes a socket that nobody listens on.
func abandon(t *testing.T, socket string) {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	require.NoError(t, err)
	listener.SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())
}

func TestProcessesAreAskedInOrderAndTheDeadAreForgotten(t *testing.T) {
	run := folder(t)
	serve(t, filepath.Join(run, "20.sock"), fmt.Sprintf(answer, 20, 15))
	serve(t, filepath.Join(run, "3.sock"), fmt.Sprintf(answer, 3, 15))
	dead := filepath.Join(run, fmt.Sprintf("%d.sock", deadProcess))
	abandon(t, dead)
	starting := filepath.Join(run, fmt.Sprintf("%d.sock", os.Getpid()))
	abandon(t, starting)
	processes, problems := live.List(run)
	require.Len(t, processes, 2)
	require.Equal(t, 3, processes[0].ID)
	require.Equal(t, 20, processes[1].ID)
	require.NoFileExists(t, dead)
	require.Len(t, problems, 1, "a process that lives may be about to listen")
	require.FileExists(t, starting)

	past := time.Now().Add(-time.Minute)
	require.NoError(t, os.Chtimes(starting, past, past))
	_, problems = live.List(run)
	require.Empty(t, problems)
	require.NoFileExists(t, starting, "its process id is another's now")
}

func TestNoFolderIsNoProcess(t *testing.T) {
	processes, problems := live.List(filepath.Join(folder(t), "absent[1]"))
	require.Empty(t, processes)
	require.Empty(t, problems)
}

func TestAnAnswerThatIsNoneIsSaid(t *testing.T) {
	run := folder(t)
	serve(t, filepath.Join(run, "1.sock"), "hello")
	serve(t, filepath.Join(run, "2.sock"), strings.Replace(fmt.Sprintf(answer, 2, 1), `"version":1`, `"version":7`, 1))
	processes, problems := live.List(run)
	require.Empty(t, processes)
	require.Len(t, problems, 2)
	require.ErrorContains(t, problems[0], "1.sock: who listens there is no process of libsslcache")
	require.ErrorContains(t, problems[1], "2.sock: it answers in version 7 of the format, this command reads version 1")
}

func TestTheRunFolderIsThatOfTheUser(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	require.Equal(t, "/run/user/7/sslcache", live.Folder(""))
	require.Equal(t, "/elsewhere", live.Folder("/elsewhere"))
	t.Setenv("XDG_RUNTIME_DIR", "")
	require.Equal(t, fmt.Sprintf("/tmp/sslcache-%d", os.Getuid()), live.Folder(""))
}

func ask(t *testing.T, id, found int) *live.Process {
	t.Helper()
	run := folder(t)
	serve(t, filepath.Join(run, fmt.Sprintf("%d.sock", id)), fmt.Sprintf(answer, id, found))
	one, err := live.Ask(run, id)
	require.NoError(t, err)
	return one
}

// lockedText is written by the screen while the test reads it.
type lockedText struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (l *lockedText) Write(piece []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(piece)
}

func (l *lockedText) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

func cells(line string) []string { return strings.Fields(line) }

func TestATableHasALineForEachProcessOrContext(t *testing.T) {
	one := ask(t, 7, 15)
	var text strings.Builder
	require.NoError(t, live.View{Processes: []*live.Process{one}}.WriteTable(&text, false))
	lines := strings.Split(text.String(), "\n")
	require.Equal(t, cells("PID PROGRAM UPTIME CONTEXTS HELD PEAK STORED FOUND MISSED EVICTED EXPIRED REMOVED HANDSHAKES RESUMED"), cells(lines[0]))
	require.Equal(t, cells("7 nginx 12.5 s 2 6 10 10 15 2 1 1 2 24 75%"), cells(lines[1]))
	text.Reset()
	require.NoError(t, live.View{Processes: []*live.Process{one}}.WriteTable(&text, true))
	lines = strings.Split(text.String(), "\n")
	require.Equal(t, cells("1 20480 5.0 min off 5 9 9 15 2 1 1 2 20 75%"), cells(lines[1]))
	require.Equal(t, cells("2 none 2.0 h on 1 1 1 0 0 0 0 0 4 75%"), cells(lines[2]))
}

func TestATableOfTwoMomentsHasRates(t *testing.T) {
	view := live.View{
		Processes: []*live.Process{ask(t, 7, 35)}, Before: []*live.Process{ask(t, 7, 15)}, Passed: 4 * time.Second,
	}
	var text strings.Builder
	require.NoError(t, view.WriteTable(&text, false))
	line := cells(strings.Split(text.String(), "\n")[1])
	require.Equal(t, []string{"0.0", "5.0"}, line[len(line)-2:])
}

func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	var text strings.Builder
	require.NoError(t, live.WriteMetrics(&text, []*live.Process{ask(t, 7, 15), ask(t, 9, 1)}))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text.String()))
	require.NoError(t, err)
	require.Len(t, families, 16)
	found := families["sslcache_found_total"]
	require.Equal(t, "COUNTER", found.GetType().String())
	require.Len(t, found.GetMetric(), 4)
	require.InDelta(t, 15, found.GetMetric()[0].GetCounter().GetValue(), 0)
	require.Contains(t, text.String(), `sslcache_sessions{process="7",program="nginx",context="1"} 5`)
	require.Contains(t, text.String(), `sslcache_trace_dropped_total{process="9",program="nginx"} 3`)
	text.Reset()
	require.NoError(t, live.WriteMetrics(&text, nil))
	require.Empty(t, text.String())
}

func TestAScreenRefreshesAndIsLeft(t *testing.T) {
	var asked atomic.Int32
	processes := []*live.Process{ask(t, 7, 15)}
	source := func() ([]*live.Process, []error) {
		asked.Add(1)
		return processes, nil
	}
	in, keys := net.Pipe()
	defer keys.Close()
	var out lockedText
	done := make(chan error, 1)
	go func() { done <- live.ShowScreen(source, time.Millisecond, false, in, &out) }()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "LOOK-UPS/S") }, 30*time.Second, time.Millisecond)
	_, err := keys.Write([]byte("q"))
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Greater(t, asked.Load(), int32(1))
	require.Contains(t, out.String(), "nginx")
}
