package live_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/live"
	"libsslcache/tests/harness"
)

const answer = `{"format":"sslcache-live","version":1,"process":%d,"program":"nginx","libsslcache":"0.1.0",` +
	`"libssl":"OpenSSL 3.0.22","uptime":12.5,"forks":2,"dropped":3,"store":{"kind":"redis"},"contexts":[` +
	`{"context":1,"number":5,"peak":9,"limit":20480,"stored":9,"found":%d,"missed":2,"replaced":0,"evicted":1,"expired":1,` +
	`"removed":2,"accept":20,"accept_good":20,"hits":15,"timeouts":0,"connect_good":0,"callback_hits":0,"timeout":300,"tickets_opened":11,"tickets_unknown":1,"tickets_old":1,"tickets_elsewhere":1,"tickets_damaged":1,` +
	`"mode":2,"tickets":false,"session_context":true},` +
	`{"context":2,"number":1,"peak":1,"stored":1,"found":0,"missed":0,"accept_good":0,"connect_good":4,"hits":3,"timeout":7200,"tickets":true}]}`

// serve stands for a process: whoever connects gets the text.
func serve(t *testing.T, socket, text string) net.Listener {
	t.Helper()
	return harness.Serve(t, "unix", socket, func(connection net.Conn) {
		_, _ = connection.Write([]byte(text))
		_ = connection.Close()
	})
}

// folder is short: the name of a socket must fit into 108 bytes.
func folder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "live")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
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
	process, err := live.Ask(run, id)
	require.NoError(t, err)
	return process
}

func cells(line string) []string { return strings.Fields(line) }

func TestATableHasALineForEachProcessOrContext(t *testing.T) {
	process := ask(t, 7, 15)
	var text strings.Builder
	require.NoError(t, live.View{Processes: []*live.Process{process}}.WriteTable(&text, false))
	lines := strings.Split(text.String(), "\n")
	require.Equal(t, cells("PID PROGRAM UPTIME CONTEXTS HELD PEAK STORED FOUND BY-PROGRAM MISSED EVICTED EXPIRED REMOVED HANDSHAKES RESUMED OPENED REFUSED"), cells(lines[0]))
	require.Equal(t, cells("7 nginx 12.5 s 2 6 10 10 15 0 2 1 1 2 24 75% 11 4"), cells(lines[1]))
	text.Reset()
	require.NoError(t, live.View{Processes: []*live.Process{process}}.WriteTable(&text, true))
	lines = strings.Split(text.String(), "\n")
	require.Equal(t, cells("1 20480 5.0 min off 5 9 9 15 0 2 1 1 2 20 75% 11 4"), cells(lines[1]))
	require.Equal(t, cells("2 none 2.0 h on 1 1 1 0 0 0 0 0 0 4 75% 0 0"), cells(lines[2]))
}

func TestATableOfTwoMomentsHasRates(t *testing.T) {
	view := live.View{
		Processes: []*live.Process{ask(t, 7, 35)}, Before: []*live.Process{ask(t, 7, 15)}, Passed: 4 * time.Second,
	}
	var text strings.Builder
	require.NoError(t, view.WriteTable(&text, false))
	line := cells(strings.Split(text.String(), "\n")[1])
	require.Equal(t, []string{"0.0", "5.0"}, line[len(line)-4:len(line)-2])
}

func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	var text strings.Builder
	require.NoError(t, live.WriteMetrics(&text, []*live.Process{ask(t, 7, 15), ask(t, 9, 1)}))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text.String()))
	require.NoError(t, err)
	require.Len(t, families, 24)
	found := families["sslcache_found_total"]
	require.Equal(t, "COUNTER", found.GetType().String())
	require.Len(t, found.GetMetric(), 4)
	require.InDelta(t, 15, found.GetMetric()[0].GetCounter().GetValue(), 0)
	require.Contains(t, text.String(), `sslcache_sessions{context="1",process="7",program="nginx"} 5`)
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
	keys, terminal, err := pty.Open()
	require.NoError(t, err)
	defer keys.Close()
	require.NoError(t, pty.Setsize(keys, &pty.Winsize{Rows: 24, Cols: 160}))
	var out harness.Text
	go func() { _, _ = io.Copy(&out, keys) }()
	done := make(chan error, 1)
	go func() { done <- live.ShowScreen(source, time.Millisecond, false, terminal, terminal) }()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "LOOK-UPS/S") }, 30*time.Second, time.Millisecond)
	_, err = keys.Write([]byte("q"))
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Greater(t, asked.Load(), int32(1))
	require.Contains(t, out.String(), "nginx")
}

// A run folder is somebody's who may put anything into it: only a socket with the name of a process is ours.
func TestWhatIsNoSocketOfAProcessIsLeftAlone(t *testing.T) {
	run := folder(t)
	note := filepath.Join(run, "12.sock")
	require.NoError(t, os.WriteFile(note, []byte("a note"), 0o600))
	for _, name := range []string{"notes.sock", "+7.sock", "007.sock", "0.sock", fmt.Sprintf("x%d.sock", deadProcess)} {
		abandon(t, filepath.Join(run, name))
	}
	require.NoError(t, os.Symlink(note, filepath.Join(run, "13.sock")))
	before, err := os.ReadDir(run)
	require.NoError(t, err)
	processes, problems := live.List(run)
	require.Empty(t, processes)
	require.Empty(t, problems)
	after, err := os.ReadDir(run)
	require.NoError(t, err)
	require.Equal(t, len(before), len(after))
}

func TestAFolderThatOthersCanWriteToIsNotBelieved(t *testing.T) {
	run := folder(t)
	serve(t, filepath.Join(run, "7.sock"), fmt.Sprintf(answer, 7, 1))
	require.NoError(t, os.Chmod(run, 0o770))
	refused := run + " is not a folder of this user alone (mode 0700): what is in it is not believed"
	_, problems := live.List(run)
	require.Len(t, problems, 1)
	require.EqualError(t, problems[0], refused)
	_, err := live.Ask(run, 7)
	require.EqualError(t, err, refused)
	require.NoError(t, os.Chmod(run, 0o700))
	link := run + "-link"
	require.NoError(t, os.Symlink(run, link))
	t.Cleanup(func() { os.Remove(link) })
	_, err = live.Ask(link, 7)
	require.EqualError(t, err, link+" is no folder")
}

func TestAFolderOfAnotherUserIsNotBelieved(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	run := folder(t)
	serve(t, filepath.Join(run, "7.sock"), fmt.Sprintf(answer, 7, 1))
	require.NoError(t, os.Chown(run, 65534, 65534))
	_, err := live.Ask(run, 7)
	require.ErrorContains(t, err, "is not a folder of this user alone")
}

func TestProcessesThatHangAreWaitedForTogether(t *testing.T) {
	run := folder(t)
	for id := 1; id <= 4; id++ {
		listener, err := net.Listen("unix", filepath.Join(run, fmt.Sprintf("%d.sock", id)))
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
	}
	began := time.Now()
	_, problems := live.List(run)
	require.Len(t, problems, 4)
	require.ErrorContains(t, problems[0], "1.sock: it has not answered within 2s")
	require.Less(t, time.Since(began), 4*time.Second)
}

func TestWhatAProcessSaysOfItselfIsMadePrintable(t *testing.T) {
	run := folder(t)
	hostile := strings.Replace(fmt.Sprintf(answer, 7, 1), `"program":"nginx"`, `"program":"\u001b[2Jn\ngin\u009b"`, 1)
	serve(t, filepath.Join(run, "7.sock"), hostile)
	process, err := live.Ask(run, 7)
	require.NoError(t, err)
	require.Equal(t, `\x1b[2Jn\ngin\u009b`, process.Program)
	var text strings.Builder
	require.NoError(t, live.WriteMetrics(&text, []*live.Process{process}))
	require.NotContains(t, text.String(), "\x1b")
}

func TestWhatAChildHasInheritedIsNotShownAsItsOwn(t *testing.T) {
	run := folder(t)
	child := strings.Replace(fmt.Sprintf(answer, 7, 15), `"session_context":true}`, `"session_context":true,"inherited":{"accept_good":19,"hits":15,"found":14}}`, 1)
	serve(t, filepath.Join(run, "7.sock"), child)
	process, err := live.Ask(run, 7)
	require.NoError(t, err)
	total := process.Total()
	require.EqualValues(t, 1, total.AcceptGood)
	require.EqualValues(t, 3, total.Hits, "of the client's context")
	require.EqualValues(t, 1, total.Found)
}
