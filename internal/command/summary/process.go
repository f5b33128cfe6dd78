package summary

import (
	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// process is what the events of one process have counted, beside its own counters.
type process struct {
	events Totals
	lost   uint64
	held   uint64 // what of it is in the sum of all processes
}

func (p *process) observe(event *trace.Event) {
	p.events.count(event)
	switch event.Operation {
	case trace.End:
		p.lost = max(p.lost, event.Lost)
	case trace.Dropped:
		p.lost += event.Events
	}
}

// count adds one event.
func (t *Totals) count(event *trace.Event) {
	switch event.Operation {
	case trace.Add:
		t.countAdd(event.Outcome)
	case trace.Lookup:
		t.countLookup(event.Outcome)
	case trace.Remove:
		if event.Outcome == trace.Removed {
			t.Removed++
		}
	case trace.Evict:
		t.Evicted++
	case trace.Expire:
		if event.HasLeft() {
			t.Expired++
		}
	case trace.Clear:
		t.Cleared++
	case trace.Ticket:
		t.countTicket(event.Outcome)
	}
}

func (t *Totals) countTicket(outcome trace.Outcome) {
	switch outcome {
	case trace.Opened:
		t.Opened++
	case trace.Unknown:
		t.Unknown++
		t.Unopened++
	case trace.Old, trace.Elsewhere, trace.Damaged:
		t.Unopened++
	}
}

func (t *Totals) countAdd(outcome trace.Outcome) {
	switch outcome {
	case trace.Stored:
		t.Stored++
	case trace.Replaced:
		t.Stored++
		t.Replaced++
	}
}

func (t *Totals) countLookup(outcome trace.Outcome) {
	switch outcome {
	case trace.Found:
		t.Found++
	case trace.FoundInStore:
		t.FoundInStore++
	case trace.FoundByProgram:
		t.FoundByProgram++
	case trace.Missed:
		t.Missed++
	}
}

// totals are what the events say. Only where some were lost its counters may know more; they come seldom, and miss
// what came after the last of them. Handshakes are in the counters alone.
func (p *process) totals(of *registry.Process) Totals {
	sum, reported := p.events, &of.Counted
	sum.Connections, sum.Resumed = reported.Handshakes(), reported.Hits
	if p.lost == 0 {
		return sum
	}
	sum.Stored = max(sum.Stored, reported.Stored)
	sum.Found = max(sum.Found, reported.Found)
	sum.FoundByProgram = max(sum.FoundByProgram, reported.CallbackHits)
	sum.Missed = max(sum.Missed, reported.MissedByAll())
	sum.Replaced = max(sum.Replaced, reported.Replaced)
	sum.Evicted = max(sum.Evicted, reported.Evicted)
	sum.Expired = max(sum.Expired, reported.Expired-min(reported.Expired, sum.Cleared))
	sum.Removed = max(sum.Removed, reported.Removed)
	sum.Opened = max(sum.Opened, reported.TicketsOpened)
	sum.Unknown = max(sum.Unknown, reported.TicketsUnknown)
	sum.Unopened = max(sum.Unopened, reported.TicketsRefused())
	return sum
}

// plus adds up the totals of processes.
func (t Totals) plus(other Totals) Totals {
	others := other.all()
	for i, field := range t.all() {
		*field += *others[i]
	}
	return t
}
