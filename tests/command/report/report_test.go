// Package report looks at the page that `sslcache report` makes, in a browser without a window.
package report

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// seen is what a page is like in one window.
type seen struct {
	Errors   []string
	Charts   int   // as the page says
	Painted  []int // pixels that are not blank, for each canvas
	Width    int   // of what is in the page
	Window   int
	Requests int // what the page asked for beside itself
	Text     string
}

// probe runs in the page and tells the one around it what is there.
const probe = `<script>
addEventListener("load", () => setTimeout(() => {
  const painted = [...document.querySelectorAll("canvas")].map((canvas) =>
    canvas.width * canvas.height === 0 ? 0 :
      canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((byte, i) => i % 4 === 3 && byte > 0).length);
  parent.postMessage({
    name: window.name, Errors: window.errors, Charts: +document.documentElement.dataset.charts, Painted: painted,
    Width: document.documentElement.scrollWidth, Window: innerWidth, Text: document.body.innerText,
    Requests: performance.getEntriesByType("resource").length,
  }, "*");
}, 200));
</script>`

// listen is before everything else in the page.
const listen = `<script>window.errors = []; addEventListener("error", (event) => errors.push(event.message));</script>`

const around = `<!DOCTYPE html><body><script>
addEventListener("message", ({ data }) => {
  const place = document.createElement("pre");
  place.textContent = JSON.stringify(data);
  document.body.append(place);
});
</script>
<iframe name="wide" src="page.html" width="1200" height="2400"></iframe>
<iframe name="narrow" src="page.html" width="360" height="4000"></iframe>`

// look opens the page in a wide and in a narrow window.
func look(t *testing.T, page string) map[string]seen {
	t.Helper()
	folder := t.TempDir()
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	text := strings.Replace(string(content), "<head>", "<head>"+listen, 1)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "page.html"), []byte(text+probe), 0o600))
	outer := filepath.Join(folder, "around.html")
	require.NoError(t, os.WriteFile(outer, []byte(around), 0o600))
	result := chromium(t, "--virtual-time-budget=20000", "--dump-dom", "file://"+outer)
	windows := map[string]seen{}
	for _, found := range regexp.MustCompile(`(?s)<pre>(.*?)</pre>`).FindAllStringSubmatch(result.Stdout, -1) {
		var one struct {
			Name string `json:"name"`
			seen
		}
		require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(found[1])), &one))
		windows[one.Name] = one.seen
	}
	require.Len(t, windows, 2, result.Stdout)
	return windows
}

func chromium(t *testing.T, arguments ...string) harness.Result {
	t.Helper()
	common := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(),
	}
	command := harness.Command{Path: "/usr/bin/chromium", Args: append(common, arguments...), Timeout: 2 * time.Minute}
	result := command.Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	return result
}

// screenshot keeps a picture of the page for a person to look at.
func screenshot(t *testing.T, page, name string, more ...string) {
	t.Helper()
	folder := filepath.Join(harness.Root(t), "build", "report")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	target := filepath.Join(folder, name)
	chromium(t, append(more, "--window-size=1240,1900", "--screenshot="+target, "file://"+page)...)
	picture, err := os.Stat(target)
	require.NoError(t, err)
	require.Positive(t, picture.Size())
	t.Logf("the picture is %s", target)
}

func makePage(t *testing.T, trace string) string {
	t.Helper()
	page := filepath.Join(t.TempDir(), "report.html")
	started := time.Now()
	result := harness.Command{
		Path: harness.OurCommand(t), Args: []string{"report", trace, "-o", page}, Timeout: 5 * time.Minute,
	}.Run(t)
	require.Zero(t, result.Exit, result.Stderr)
	t.Logf("%s took %.1f s", filepath.Base(trace), time.Since(started).Seconds())
	return page
}

func TestAMillionEventsBecomeAPageThatOpens(t *testing.T) {
	t.Parallel()
	trace := writeTrace(t, 1_000_000)
	page := makePage(t, trace)
	size, err := os.Stat(page)
	require.NoError(t, err)
	require.Less(t, size.Size(), int64(1<<20), "the page does not grow with the trace")
	for name, window := range look(t, page) {
		requireDrawn(t, name, window, 5)
		require.Contains(t, window.Text, "Nothing looks wrong")
		require.Contains(t, window.Text, "handshake")
	}
	screenshot(t, page, "light.png")
	screenshot(t, page, "dark.png", "--blink-settings=preferredColorScheme=0")
}

func requireDrawn(t *testing.T, name string, window seen, charts int) {
	t.Helper()
	require.Empty(t, window.Errors, name)
	require.Zero(t, window.Requests, "the page must need nothing else")
	require.Equal(t, charts, window.Charts, name)
	require.Len(t, window.Painted, charts, name)
	for i, pixels := range window.Painted {
		require.Greaterf(t, pixels, 500, "chart %d in the %s window is blank", i, name)
	}
	require.LessOrEqualf(t, window.Width, window.Window, "the %s window has to be scrolled sideways", name)
}

func TestAPageOfFindingsAndOfNextToNothing(t *testing.T) {
	t.Parallel()
	sample := filepath.Join(harness.Root(t), "internal/command/report/testdata/sample.jsonl")
	for name, window := range look(t, makePage(t, sample)) {
		requireDrawn(t, name, window, 5)
		require.Contains(t, window.Text, "leaked-references")
		require.Contains(t, window.Text, "SSL_get1_session called by remember in server")
	}
	content, err := os.ReadFile(sample)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(content), "\n")
	single := filepath.Join(t.TempDir(), "trace.jsonl")
	require.NoError(t, os.WriteFile(single, []byte(first+"\n"), 0o600))
	for name, window := range look(t, makePage(t, single)) {
		require.Empty(t, window.Errors, name)
		require.Equal(t, 3, window.Charts, name)
		require.Contains(t, window.Text, "No session left the cache")
	}
}

func TestATextOfTheTraceCannotBecomeMarkup(t *testing.T) {
	t.Parallel()
	const hostile = `</script><script>document.title=1</script><img src=x onerror=errors.push(1)>`
	start := fmt.Sprintf(`{"time":1,"process":1,"operation":"start","cause":"exec","format":"sslcache-trace","version":1,"program":%q}`, hostile)
	add := fmt.Sprintf(`{"time":2,"process":1,"operation":"add","outcome":"known","cause":"program","caller":{"module":%q,"symbol":%q}}`, hostile, hostile)
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(start+"\n"+add+"\n"), 0o600))
	for name, window := range look(t, makePage(t, path)) {
		require.Empty(t, window.Errors, name)
		require.Zero(t, window.Requests, name)
		require.Contains(t, window.Text, hostile)
	}
}

func TestATraceThatCannotBeReadIsSaid(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join(harness.Root(t), "internal/command/report/testdata/sample.jsonl"))
	require.NoError(t, err)
	folder := t.TempDir()
	for name, one := range map[string]struct{ content, says, writes string }{
		"truncated":   {string(sample[:len(sample)-10]), "the last line breaks off: the report is about what comes before", "2 processes"},
		"foreign":     {"root:x:0:0\n", "line 1: not a trace of libsslcache", ""},
		"empty":       {"", "it is empty", ""},
		"interrupted": {string(sample) + "oops\n", `not an event but "oops"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, name)
			require.NoError(t, os.WriteFile(path, []byte(one.content), 0o600))
			result := harness.Command{Path: harness.OurCommand(t), Args: []string{"report", "--text", path}}.Run(t)
			require.Equal(t, 1, result.Exit)
			require.Contains(t, result.Stderr, path)
			require.Contains(t, result.Stderr, one.says)
			require.Equal(t, 1, strings.Count(result.Stderr, "\n"), result.Stderr)
			require.Equal(t, one.writes != "", result.Stdout != "", result.Stdout)
		})
	}
}
