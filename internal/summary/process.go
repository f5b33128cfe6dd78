package summary

import (
	"maps"

	"libsslcache/internal/trace"
)

// process is what one process counts of itself, event by event and in its counters.
type process struct {
	contexts map[int]*context
	counted  Totals // from the events, which may have been lost
	said     Totals // from the counters, which come seldom
	lost     uint64
	shown    uint64 // what of held() is in the sum of all processes
}

// context is an SSL_CTX as its last counters said, and what was added and removed since.
type context struct {
	last trace.Counters
	held uint64
}

// newProcess makes a process, with the contexts of its parent if it has one: a forked child counts on
// from its parent's counters.
func newProcess(parent *process) *process {
	made := &process{contexts: map[int]*context{}}
	if parent == nil {
		return made
	}
	for id, inherited := range maps.All(parent.contexts) {
		made.contexts[id] = &context{last: inherited.last}
	}
	return made
}

func (p *process) context(id int) *context {
	known := p.contexts[id]
	if known == nil {
		known = &context{}
		p.contexts[id] = known
	}
	return known
}

// observe takes in an event and gives what it adds to the counters of handshakes.
func (p *process) observe(event *trace.Event) Totals {
	if event.ContextID == 0 {
		return Totals{}
	}
	current := p.context(event.ContextID)
	switch event.Operation {
	case trace.Add:
		p.add(current, event.Outcome)
	case trace.Lookup:
		p.lookUp(event.Outcome)
	case trace.Remove:
		if event.Outcome == "removed" {
			p.counted.Removed++
			current.lose()
		}
	case trace.Evict:
		p.counted.Evicted++
		current.lose()
	case trace.Expire:
		p.counted.Expired++
		current.lose()
	case trace.Context:
		if event.Outcome == "freed" {
			delete(p.contexts, event.ContextID)
		}
	case trace.Count:
		return p.counters(current, &event.Counters)
	}
	return Totals{}
}

func (p *process) add(current *context, outcome string) {
	switch outcome {
	case "stored":
		p.counted.Stored++
		current.held++
	case "replaced":
		p.counted.Stored++
		p.counted.Replaced++
	}
}

func (p *process) lookUp(outcome string) {
	switch outcome {
	case "found":
		p.counted.Found++
	case "missed":
		p.counted.Missed++
	}
}

func (c *context) lose() {
	if c.held > 0 {
		c.held--
	}
}

// counters takes in what a context says of itself.
func (p *process) counters(current *context, now *trace.Counters) Totals {
	before := current.last
	current.last, current.held = *now, now.Number
	change := Totals{
		Stored:      since(before.Stored, now.Stored),
		Found:       since(before.Found, now.Found),
		Missed:      since(before.Missed, now.Missed),
		Replaced:    since(before.Replaced, now.Replaced),
		Evicted:     since(before.Evicted, now.Evicted),
		Expired:     since(before.Expired, now.Expired),
		Removed:     since(before.Removed, now.Removed),
		Connections: since(before.AcceptGood+before.ConnectGood, now.AcceptGood+now.ConnectGood),
		Resumed:     since(before.Hits, now.Hits),
	}
	p.said.Stored += change.Stored
	p.said.Found += change.Found
	p.said.Missed += change.Missed
	p.said.Replaced += change.Replaced
	p.said.Evicted += change.Evicted
	p.said.Expired += change.Expired
	p.said.Removed += change.Removed
	return change
}

// since is how far a counter went on; one that is behind has started anew, as in a forked child.
func since(before, now uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}

// totals trusts whichever is more: counters miss what came after the last of them, events may be lost.
func (p *process) totals() Totals {
	return Totals{
		Stored:   max(p.counted.Stored, p.said.Stored),
		Found:    max(p.counted.Found, p.said.Found),
		Missed:   max(p.counted.Missed, p.said.Missed),
		Replaced: max(p.counted.Replaced, p.said.Replaced),
		Evicted:  max(p.counted.Evicted, p.said.Evicted),
		Expired:  max(p.counted.Expired, p.said.Expired),
		Removed:  max(p.counted.Removed, p.said.Removed),
	}
}

func (p *process) held() uint64 {
	var sum uint64
	for _, one := range p.contexts {
		sum += one.held
	}
	return sum
}

// peak is the most that one context says it held.
func (p *process) peak() uint64 {
	var most uint64
	for _, one := range p.contexts {
		most = max(most, one.last.Peak)
	}
	return most
}
