package summary_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/summary"
	"libsslcache/internal/command/trace"
)

func sum(events ...trace.Event) *summary.Summary {
	collector := summary.NewCollector()
	processes := registry.New(collector)
	for i := range events {
		processes.Observe(&events[i])
	}
	processes.Conclude()
	return collector.Summary()
}

func started(process int, cause trace.Cause, parent int) trace.Event {
	return trace.Event{
		Time: 100, Process: process, Operation: trace.Start, Cause: cause, Parent: parent,
		Program: "demo", Libsslcache: "0.1.0", Libssl: "OpenSSL 3.0",
	}
}

func at(moment float64, process int, operation trace.Operation, outcome trace.Outcome, session string) trace.Event {
	return trace.Event{
		Time: moment, Process: process, Operation: operation, Outcome: outcome, ContextID: 1, Session: session,
		Caller: trace.Caller{Module: "demo", Symbol: "serve"}, Nanoseconds: 1000,
	}
}

func counters(moment float64, process int, values trace.Counters) trace.Event {
	return trace.Event{Time: moment, Process: process, Operation: trace.Count, ContextID: 1, Counters: values}
}

func session(number int) string { return fmt.Sprintf("%016x", number) }

func TestEventsOfAllProcessesAreAddedUp(t *testing.T) {
	removed := at(103, 1, trace.Remove, "removed", session(1))
	removed.Cause = "bad_shutdown"
	result := sum(
		started(1, "exec", 0), started(2, "fork", 1),
		trace.Event{Time: 100, Process: 1, Operation: trace.Context, Outcome: "made", ContextID: 1},
		at(101, 1, trace.Add, "stored", session(1)), at(101, 2, trace.Add, "stored", session(2)),
		at(102, 2, trace.Add, "replaced", session(2)), at(102, 1, trace.Add, "known", session(1)),
		at(102, 1, trace.Lookup, "found", session(1)), at(102, 1, trace.Lookup, "missed", session(9)),
		removed, at(103, 1, trace.Remove, "missing", session(1)),
		at(104, 2, trace.Expire, "", session(2)), at(104, 2, trace.Evict, "", session(3)),
		trace.Event{Time: 105, Process: 1, Operation: trace.Fallback, Cause: "no threads"},
		trace.Event{Time: 105, Process: 1, Operation: trace.End, Lost: 4},
	)
	require.Equal(t, summary.Totals{Stored: 3, Found: 1, Missed: 1, Replaced: 1, Evicted: 1, Expired: 1, Removed: 1}, result.Totals)
	require.Equal(t, map[trace.Cause]uint64{"bad_shutdown": 1}, result.RemovedBy)
	require.Equal(t, []string{"demo"}, result.Programs)
	require.Equal(t, 2, result.Processes)
	require.Equal(t, 1, result.Forks)
	require.EqualValues(t, 1, result.Contexts)
	require.EqualValues(t, 2, result.Peak)
	require.EqualValues(t, 4, result.Lost)
	require.Equal(t, []summary.Fallback{{Cause: "no threads", Count: 1}}, result.Fallbacks)
	require.InDelta(t, 100, result.Begin, 0)
	require.InDelta(t, 105, result.End, 0)
}

func TestCountersOfAContextAreTakenOnce(t *testing.T) {
	result := sum(
		started(1, "exec", 0),
		trace.Event{Time: 100, Process: 1, Operation: trace.Dropped, Events: 7},
		counters(101, 1, trace.Counters{Sums: trace.Sums{AcceptGood: 4, Hits: 2, Stored: 2}, Number: 2, Peak: 5}),
		counters(102, 1, trace.Counters{Sums: trace.Sums{AcceptGood: 10, Hits: 8, Stored: 3}, Number: 3, Peak: 7}),
	)
	require.EqualValues(t, 10, result.Connections)
	require.EqualValues(t, 8, result.Resumed)
	require.EqualValues(t, 3, result.Stored, "more than the events that are left")
	require.EqualValues(t, 7, result.Lost)
	require.EqualValues(t, 7, result.Peak)
	rate, known := result.Rate()
	require.True(t, known)
	require.Equal(t, "80%", rate.String())
	_, known = sum(started(1, "exec", 0)).Rate()
	require.False(t, known)
}

// A child goes on from the counters of its parent, whatever line of whom comes first.
func TestWhatAForkedChildHasInheritedIsCountedOnce(t *testing.T) {
	inherited := trace.Sums{AcceptGood: 4, Hits: 2, Stored: 4}
	child := counters(102, 2, counted(5, 3, 5))
	child.Inherited = inherited
	parent := counters(101, 1, counted(4, 2, 4))
	for _, events := range [][]trace.Event{
		{started(1, "exec", 0), parent, started(2, "fork", 1), child},
		{started(2, "fork", 1), child, started(1, "exec", 0), parent},
	} {
		result := sum(events...)
		require.EqualValues(t, 5, result.Connections)
		require.EqualValues(t, 3, result.Resumed)
	}
}

func counted(handshakes, resumed, stored uint64) trace.Counters {
	return trace.Counters{Sums: trace.Sums{AcceptGood: handshakes, Hits: resumed, Stored: stored}}
}

// libssl counts a look-up that the program's callback answers as a miss and as a hit of the callback.
func TestWhatTheProgramFindsItselfIsNoMiss(t *testing.T) {
	result := sum(
		started(1, "exec", 0),
		at(101, 1, trace.Lookup, trace.FoundByProgram, session(1)), at(101, 1, trace.Lookup, trace.Missed, session(2)),
		counters(102, 1, trace.Counters{Sums: trace.Sums{Missed: 2, CallbackHits: 1}}),
	)
	require.EqualValues(t, 1, result.FoundByProgram)
	require.EqualValues(t, 1, result.Missed)
	require.Zero(t, result.Found)
}

// A context that is freed, or a flush of everything, takes sessions along that have not expired.
func TestWhatIsClearedHasNotExpired(t *testing.T) {
	cleared := at(103, 1, trace.Clear, "", session(1))
	cleared.Cause = trace.WithContext
	spoiled := at(102, 1, trace.Expire, "", session(1))
	spoiled.Cause = trace.ByFault
	result := sum(
		started(1, "exec", 0),
		at(101, 1, trace.Add, trace.Stored, session(1)), at(101, 1, trace.Add, trace.Stored, session(2)),
		spoiled, at(102, 1, trace.Expire, "", session(2)), cleared,
		counters(104, 1, trace.Counters{Sums: trace.Sums{Stored: 2, Expired: 2}}),
	)
	require.EqualValues(t, 1, result.Expired)
	require.EqualValues(t, 1, result.Cleared)
	require.Equal(t, map[string]uint64{"expired": 1, "cleared: freed": 1}, result.Life.Ends)
}

func TestAPartIsComparedAndShownExactly(t *testing.T) {
	for part, text := range map[summary.Part]string{
		{Number: 58, Of: 100}: "58%", {Number: 999, Of: 1000}: "99.9%", {Number: 1, Of: 3}: "33.3%",
		{Number: 9999, Of: 10000}: "99.9%", {Number: 3, Of: 3}: "100%", {Number: 9001, Of: 10000}: "90.0%",
		{Number: 0, Of: 7}: "0%", {Number: 0, Of: 0}: "0%", {Number: 1, Of: 1 << 63}: "0.0%",
	} {
		require.Equal(t, text, part.String(), "%v", part)
	}
	require.False(t, summary.Part{Number: 999, Of: 1000}.Below(summary.Part{Number: 999, Of: 1000}))
	require.False(t, summary.Part{Number: 58, Of: 100}.Below(summary.Part{Number: 29, Of: 50}))
	require.True(t, summary.Part{Number: 998, Of: 1000}.Below(summary.Part{Number: 999, Of: 1000}))
	require.True(t, summary.Part{Number: 1<<63 - 1, Of: 1 << 63}.Below(summary.Part{Number: 1, Of: 1}))
}

func TestSessionsHeldAreFollowedOverTime(t *testing.T) {
	result := sum(
		started(1, "exec", 0),
		at(100, 1, trace.Add, "stored", session(1)), at(100, 1, trace.Add, "stored", session(2)),
		at(101, 1, trace.Remove, "removed", session(1)),
		trace.Event{Time: 102, Process: 1, Operation: trace.End},
		at(103, 2, trace.Lookup, "missed", session(1)),
	)
	require.EqualValues(t, 2, heldAt(result, 100.5))
	require.EqualValues(t, 1, heldAt(result, 101.5))
	require.Zero(t, heldAt(result, 104), "what a process held goes with it")
}

func heldAt(result *summary.Summary, moment float64) (held uint64) {
	for _, point := range result.Points {
		if point.Time < moment {
			held = point.Held
		}
	}
	return held
}

func TestThePointsOfALongTraceAreBounded(t *testing.T) {
	const number = 50_000
	var events []trace.Event
	for i := range number {
		events = append(events, at(100+float64(i), 1, trace.Add, trace.Stored, session(i)))
	}
	result := sum(append(events, at(1, 1, trace.Lookup, trace.Found, session(1)))...)
	require.LessOrEqual(t, len(result.Points), 1000)
	require.Greater(t, len(result.Points), 400)
	var stored uint64
	for _, point := range result.Points {
		stored += point.Stored
	}
	require.EqualValues(t, number, stored)
	require.EqualValues(t, 1, result.Points[0].Found)
}

func TestLatencyIsSummedUpForEachOperation(t *testing.T) {
	var events []trace.Event
	for i := range 100 {
		event := at(100, 1, trace.Lookup, "found", session(i))
		event.Nanoseconds = int64(1000 * (i + 1))
		events = append(events, event)
	}
	endless := at(100, 1, trace.Callback, "get", session(1))
	endless.Nanoseconds = 1 << 62
	result := sum(append(events, endless)...)
	require.Len(t, result.Latencies, 2)
	require.Equal(t, "callback get", result.Latencies[0].Operation)
	lookup := result.Latencies[1]
	require.EqualValues(t, 100, lookup.Count)
	require.InEpsilon(t, 50_000, lookup.Median, 0.02)
	require.InEpsilon(t, 99_000, lookup.P99, 0.02)
	require.InEpsilon(t, 100_000, lookup.Greatest, 0.02)
	var counted int64
	for _, bar := range lookup.Bars {
		counted += bar.Count
	}
	require.EqualValues(t, 100, counted)
}

func TestTheLifeOfASessionEndsWhenItLeaves(t *testing.T) {
	removed := at(104, 1, trace.Remove, "removed", session(1))
	removed.Cause = "program"
	result := sum(
		at(100, 1, trace.Add, "stored", session(1)), at(100, 1, trace.Add, "stored", session(2)),
		at(100, 1, trace.Add, "stored", session(3)), at(100, 2, trace.Add, "stored", session(1)),
		removed, at(106, 1, trace.Expire, "", session(2)), at(108, 1, trace.Add, "replaced", session(3)),
	)
	require.EqualValues(t, 3, result.Life.Count)
	require.Equal(t, map[string]uint64{"removed: program": 1, "expired": 1, "replaced": 1}, result.Life.Ends)
	require.InEpsilon(t, 6, result.Life.Median, 0.02)
	require.InEpsilon(t, 8, result.Life.Greatest, 0.02)
}

func TestTheCallersThatCallMostAreNamed(t *testing.T) {
	taken := at(100, 1, trace.Take, "", "")
	taken.Function = "SSL_get1_session"
	events := []trace.Event{taken, taken}
	for i := range 30 {
		event := at(100, 1, trace.Add, "stored", session(i))
		event.Caller.Symbol = fmt.Sprintf("place%02d", i)
		events = append(events, event)
	}
	result := sum(events...)
	require.Len(t, result.Callers, 20)
	require.Equal(t, summary.Caller{Operation: "SSL_get1_session", Module: "demo", Symbol: "serve", Count: 2}, result.Callers[0])
	require.Equal(t, "place00", result.Callers[1].Symbol)
}
