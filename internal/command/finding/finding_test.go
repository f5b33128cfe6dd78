package finding_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/finding"
	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// script is a trace that a test writes, an event a line: "PROCESS OPERATION FIELD=VALUE…". A line
// "repeat N …" stands for N of them, with # for the number of each.
func watch(t *testing.T, script string) []finding.Finding {
	t.Helper()
	return watchTrace(t, asTrace(t, script))
}

func watchTrace(t *testing.T, text string) []finding.Finding {
	t.Helper()
	reader := trace.NewReader(strings.NewReader(text))
	watcher := finding.NewWatcher()
	processes := registry.New(watcher)
	var event trace.Event
	for {
		err := reader.Next(&event)
		if err == io.EOF {
			processes.Conclude()
			return watcher.Findings()
		}
		require.NoError(t, err)
		processes.Observe(&event)
	}
}

func asTrace(t *testing.T, script string) string {
	t.Helper()
	var text strings.Builder
	moment := 1000.0
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		times := 1
		if words[0] == "repeat" {
			_, err := fmt.Sscan(words[1], &times)
			require.NoError(t, err)
			words = words[2:]
		}
		for i := range times {
			moment += 0.01
			text.WriteString(asLine(t, moment, i+1, words))
		}
	}
	return text.String()
}

var numbers = strings.Fields("context timeout alive mode hits accept_good connect_good found uptime parent")

func asLine(t *testing.T, moment float64, number int, words []string) string {
	t.Helper()
	line := fmt.Sprintf(`{"time":%f,"process":%s,"operation":%q`, moment, words[0], words[1])
	if words[1] == string(trace.Start) {
		line += `,"format":"sslcache-trace","version":1`
	}
	for _, word := range words[2:] {
		name, value, found := strings.Cut(strings.ReplaceAll(word, "#", fmt.Sprintf("%04x", number)), "=")
		require.True(t, found, word)
		if slices.Contains(numbers, name) {
			line += fmt.Sprintf(`,%q:%s`, name, value)
			continue
		}
		if name == "caller" {
			line += fmt.Sprintf(`,"caller":{"module":"demo","symbol":%q}`, value)
			continue
		}
		line += fmt.Sprintf(`,%q:%q`, name, value)
	}
	return line + "}\n"
}

const begin = "1 start cause=exec program=demo\n"

func namesOf(found []finding.Finding) []string {
	names := []string{}
	for _, f := range found {
		names = append(names, f.Name)
	}
	return names
}

func TestEachFaultIsFoundAndNothingElse(t *testing.T) {
	for name, script := range map[string]string{
		"leaked-references": begin + `
			repeat 3 1 take object=# function=SSL_get1_session caller=remember
			1 give object=0001 function=SSL_SESSION_free
			1 end uptime=1`,
		"freed-too-often": begin + `
			1 add object=a session=00000000000000a1 outcome=stored cause=handshake context=1
			1 give object=a function=SSL_SESSION_free caller=forget
			1 end uptime=1`,
		"no-session-context": begin + `
			repeat 2 1 refused cause=no_session_context context=1`,
		"added-twice": begin + `
			1 add object=a session=00000000000000a1 outcome=known cause=program caller=keep`,
		"removed-in-vain": begin + `
			1 remove session=00000000000000a1 outcome=missing cause=program caller=drop`,
		"bad-shutdowns": begin + `
			repeat 20 1 add session=00000000000#a outcome=stored cause=handshake
			repeat 3 1 remove session=00000000000#a outcome=removed cause=bad_shutdown`,
		"live-sessions-evicted": begin + `
			repeat 20 1 add session=00000000000#a outcome=stored cause=handshake
			repeat 3 1 evict session=00000000000#a cause=limit alive=true`,
		"cache-never-asked": begin + `
			1 counters context=1 mode=2 accept_good=10 hits=9`,
		"siblings-cannot-see": begin + `
			2 start cause=fork parent=1 program=demo
			3 start cause=fork parent=1 program=demo
			repeat 3 2 add session=00000000000#a outcome=stored cause=handshake timeout=300
			repeat 3 3 lookup session=00000000000#a outcome=missed`,
		"timeout-outlives-process": begin + `
			2 start cause=fork parent=1 program=demo
			repeat 3 2 add session=00000000000#a outcome=stored cause=handshake timeout=300
			2 end uptime=1
			3 start cause=fork parent=1 program=demo
			repeat 3 3 lookup session=00000000000#a outcome=missed`,
	} {
		t.Run(name, func(t *testing.T) {
			found := watch(t, script)
			require.Equal(t, []string{name}, namesOf(found))
			require.Equal(t, "demo", found[0].Program)
			require.NotEmpty(t, found[0].Seen)
		})
	}
}

func TestACleanProgramHasNoFinding(t *testing.T) {
	for name, script := range map[string]string{
		"takes and gives back": begin + `
			1 take object=a function=SSL_get1_session
			1 take object=a function=SSL_SESSION_up_ref
			repeat 2 1 give object=a function=SSL_SESSION_free
			1 end uptime=1`,
		"a session from a file, added and freed": begin + `
			1 add object=a session=00000000000000a1 outcome=stored cause=program
			1 give object=a function=SSL_SESSION_free
			1 freed object=a
			1 end uptime=1`,
		"an object whose token comes back": begin + `
			1 add object=a session=00000000000000a1 outcome=stored cause=handshake
			1 freed object=a
			1 take object=a function=d2i_SSL_SESSION
			1 give object=a function=SSL_SESSION_free
			1 end uptime=1`,
		"an object whose end was lost": begin + `
			1 take object=a function=SSL_SESSION_dup
			1 take object=a function=SSL_SESSION_dup
			1 give object=a function=SSL_SESSION_free
			1 end uptime=1`,
		"a reference answered from a callback": begin + `
			1 take object=a function=d2i_SSL_SESSION
			1 freed object=a
			1 end uptime=1`,
		"killed while it had some": begin + `
			repeat 10 1 take object=# function=SSL_get1_session`,
		"killed with a cache that comes and goes": begin + `
			repeat 30 1 take object=# function=new_callback
			repeat 20 1 give object=# function=SSL_SESSION_free`,
		"frees in a child what its parent took": begin + `
			1 take object=a function=SSL_get1_session
			2 start cause=fork parent=1 program=demo
			2 give object=a function=SSL_SESSION_free
			2 end uptime=1
			1 give object=a function=SSL_SESSION_free
			1 end uptime=2`,
		"two clients that broke off": begin + `
			repeat 2 1 add session=00000000000#a outcome=stored cause=handshake
			repeat 2 1 remove session=00000000000#a outcome=removed cause=bad_shutdown`,
		"one of thirty-one that broke off": begin + `
			repeat 31 1 add session=00000000000#a outcome=stored cause=handshake
			repeat 3 1 remove session=00000000000#a outcome=removed cause=bad_shutdown`,
		"evicts what expired, or by a fault": begin + `
			repeat 9 1 add session=00000000000#a outcome=stored cause=handshake
			repeat 3 1 evict session=00000000000#a cause=limit alive=false
			repeat 3 1 evict session=00000000000#b cause=fault alive=true`,
		"libssl's own removals in vain": begin + `
			repeat 5 1 remove session=00000000000#a outcome=missing cause=bad_shutdown`,
		"found in the cache": begin + `
			1 counters context=1 mode=2 accept_good=10 hits=9 found=9`,
		"few resumptions": begin + `
			1 counters context=1 mode=2 accept_good=5 hits=4`,
		"what a client has stored": begin + `
			2 start cause=exec program=demo
			repeat 3 2 add session=00000000000#a outcome=stored cause=handshake role=client timeout=300
			2 end uptime=1
			repeat 3 1 lookup session=00000000000#a outcome=missed`,
		"sessions that went with their context, and nobody came back": begin + `
			repeat 3 1 add session=00000000000#a outcome=stored cause=handshake role=server timeout=300
			repeat 3 1 clear session=00000000000#a cause=freed`,
		"sessions that the program has flushed": begin + `
			2 start cause=fork parent=1 program=demo
			repeat 3 1 add session=00000000000#a outcome=stored cause=handshake role=server timeout=300
			repeat 3 1 clear session=00000000000#a cause=program
			repeat 3 2 lookup session=00000000000#a outcome=missed`,
		"alerts": begin + `
			repeat 9 1 add session=00000000000#a outcome=stored cause=handshake
			repeat 5 1 remove session=00000000000#a outcome=removed cause=alert_received
			repeat 4 1 remove session=00000000000#a outcome=removed cause=alert_sent`,
		"a client": begin + `
			1 counters context=1 mode=0 connect_good=10 hits=9`,
		"misses by a fault": begin + `
			2 start cause=fork parent=1 program=demo
			repeat 3 1 add session=00000000000#a outcome=stored cause=handshake timeout=300
			repeat 3 2 lookup session=00000000000#a outcome=missed cause=fault`,
		"misses of what has expired or was removed": begin + `
			2 start cause=fork parent=1 program=demo
			repeat 3 1 add session=00000000000#a outcome=stored cause=handshake timeout=0
			repeat 3 1 add session=00000000000#b outcome=stored cause=handshake timeout=300
			repeat 3 1 remove session=00000000000#b outcome=removed cause=program
			repeat 3 2 lookup session=00000000000#a outcome=missed
			repeat 3 2 lookup session=00000000000#b outcome=missed`,
		"misses of its own": begin + `
			repeat 3 1 add session=00000000000#a outcome=stored cause=handshake timeout=300
			repeat 3 1 lookup session=00000000000#a outcome=missed`,
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, watch(t, script))
		})
	}
}

func TestALeakNamesWhoTookTheReferences(t *testing.T) {
	found := watch(t, begin+`
		repeat 3 1 take object=# function=SSL_get1_session caller=remember
		repeat 2 1 take object=# function=SSL_SESSION_up_ref caller=share
		repeat 2 1 give object=# function=SSL_SESSION_free caller=forget
		1 end uptime=1`)
	require.Len(t, found, 1)
	require.EqualValues(t, 3, found[0].Count)
	require.Equal(t, "3 references to 3 sessions never given back", found[0].Seen)
	require.Equal(t, []finding.Place{
		{Function: "SSL_get1_session", Module: "demo", Symbol: "remember", Count: 3},
		{Function: "SSL_SESSION_up_ref", Module: "demo", Symbol: "share", Count: 2},
	}, found[0].Places)
	require.Equal(t, "SSL_get1_session called by remember in demo", found[0].Places[0].String())
}

func TestAKilledProcessIsBlamedForMuch(t *testing.T) {
	found := watch(t, begin+"repeat 11 1 take object=# function=SSL_get1_session")
	require.Equal(t, []string{"leaked-references"}, namesOf(found))
	require.EqualValues(t, 11, found[0].Count)
}

func TestFindingsOfAProgramAreAddedUpAndSorted(t *testing.T) {
	found := watch(t, `
		1 start cause=exec program=one
		2 start cause=exec program=two
		3 start cause=exec program=one
		1 add object=a outcome=known cause=program
		3 add object=a outcome=known cause=program
		2 refused cause=no_session_context
		2 add object=a outcome=known cause=program`)
	require.Equal(t, []string{"no-session-context", "added-twice", "added-twice"}, namesOf(found))
	require.Equal(t, []string{"two", "one", "two"}, []string{found[0].Program, found[1].Program, found[2].Program})
	require.EqualValues(t, 2, found[1].Count)
}

func TestAProcessIdThatComesBackIsAnotherProcess(t *testing.T) {
	require.Empty(t, watch(t, begin+`
		1 add object=a session=00000000000000a1 outcome=stored cause=handshake
		1 start cause=exec program=demo
		1 give object=a function=SSL_SESSION_free
		1 end uptime=1`))
}

func TestEachKindIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/findings.md")
	require.NoError(t, err)
	for _, kind := range finding.Kinds {
		section := fmt.Sprintf("## %s (%s)\n\n%s\n\n**What to do.** %s\n", kind.Name, kind.Severity, kind.Meaning, kind.Advice)
		require.Contains(t, string(text), section)
	}
}

// A process writes its events a moment after they happened: those of two processes may change places.
func TestAMissMayBeWrittenBeforeTheAddOfAnotherProcess(t *testing.T) {
	starts := `
		1 start cause=exec program=demo
		2 start cause=fork parent=1 program=demo
		3 start cause=fork parent=1 program=demo
		`
	adds := "repeat 3 2 add session=00000000000#a outcome=stored cause=handshake timeout=300\n"
	misses := "repeat 3 3 lookup session=00000000000#a outcome=missed\n"
	inOrder := strings.SplitAfter(asTrace(t, starts+adds+misses), "\n")
	require.Equal(t, []string{"siblings-cannot-see"}, namesOf(watchTrace(t, strings.Join(inOrder, ""))))
	late := slices.Concat(inOrder[:3], inOrder[6:9], inOrder[3:6])
	require.Equal(t, []string{"siblings-cannot-see"}, namesOf(watchTrace(t, strings.Join(late, ""))))

	before := strings.SplitAfter(asTrace(t, starts+misses+adds), "\n")
	require.Empty(t, watchTrace(t, strings.Join(before, "")), "nobody had them then")
}

func TestFullHandshakesAreToldByWhatStoodInTheWay(t *testing.T) {
	found := watch(t, begin+`
		repeat 3 1 client outcome=could_resume cause=not_asked
		repeat 2 1 client outcome=could_resume cause=other_context
		repeat 4 1 client outcome=resumed
		1 client outcome=refused`)
	require.Equal(t, []string{"client-could-resume"}, namesOf(found))
	require.EqualValues(t, 5, found[0].Count)
	require.Equal(t, "5 full handshakes to hosts to which a connection was open (not asked: 3, other context: 2)", found[0].Seen)
	require.Empty(t, watch(t, begin+"1 client outcome=resumed"))
}

// A worker that is reloaded frees its context before it ends: what it held is held no more, and not expired.
func TestSessionsThatWentWithTheirContextAreMissed(t *testing.T) {
	found := watch(t, begin+`
		2 start cause=fork parent=1 program=demo
		repeat 3 2 add session=00000000000#a outcome=stored cause=handshake role=server timeout=300
		repeat 3 2 clear session=00000000000#a cause=freed
		2 end uptime=1
		3 start cause=fork parent=1 program=demo
		repeat 3 3 lookup session=00000000000#a outcome=missed`)
	require.Equal(t, []string{"timeout-outlives-process"}, namesOf(found))
}

// The worker that is asked writes its misses a moment later: after the other has freed its context.
func TestAMissFromBeforeTheEndIsOfASibling(t *testing.T) {
	lines := strings.SplitAfter(asTrace(t, `
		2 start cause=fork parent=1 program=demo
		3 start cause=fork parent=1 program=demo
		repeat 3 2 add session=00000000000#a outcome=stored cause=handshake role=server timeout=300
		repeat 3 3 lookup session=00000000000#a outcome=missed
		repeat 3 2 clear session=00000000000#a cause=freed
		2 end uptime=1`), "\n")
	late := slices.Concat(lines[:5], lines[8:12], lines[5:8])
	require.Equal(t, []string{"siblings-cannot-see"}, namesOf(watchTrace(t, strings.Join(late, ""))))
}

func TestTheWaysOfABadShutdownAreToldApart(t *testing.T) {
	found := watch(t, begin+`
		repeat 20 1 add session=00000000000#a outcome=stored cause=handshake
		repeat 3 1 remove session=00000000000#a outcome=removed cause=unexpected_eof
		repeat 2 1 remove session=00000000000#b outcome=removed cause=bad_shutdown`)
	require.Equal(t, []string{"bad-shutdowns"}, namesOf(found))
	require.Equal(t, "5 of 20 sessions dropped: 3 by an unexpected eof of the peer, 2 by a connection freed without a shutdown", found[0].Seen)
}

func TestWhatAChildHasInheritedIsNotItsOwn(t *testing.T) {
	require.Empty(t, watchTrace(t, asTrace(t, begin+"2 start cause=fork parent=1 program=demo")+
		`{"time":1001,"process":2,"operation":"counters","context":1,"mode":2,"accept_good":10,"hits":9,`+
		`"inherited":{"accept_good":9,"hits":8}}`+"\n"))
}

func TestWhoDidItMostIsNamedFirst(t *testing.T) {
	found := watch(t, begin+`
		1 add object=a outcome=known cause=program caller=seldom
		repeat 3 1 add object=a outcome=known cause=program caller=often
		repeat 2 1 add object=a outcome=known cause=program caller=twice`)
	require.Equal(t, []string{"added-twice"}, namesOf(found))
	require.Equal(t, []finding.Place{
		{Function: "SSL_CTX_add_session", Module: "demo", Symbol: "often", Count: 3},
		{Function: "SSL_CTX_add_session", Module: "demo", Symbol: "twice", Count: 2},
		{Function: "SSL_CTX_add_session", Module: "demo", Symbol: "seldom", Count: 1},
	}, found[0].Places)
}
