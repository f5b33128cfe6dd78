// Package registry follows the processes and contexts that a trace is about: the one place that knows which
// of them live, what they have counted and what they hold.
package registry

import (
	"maps"
	"math"
	"slices"

	"libsslcache/internal/command/trace"
)

// Observer looks at what happens in processes.
type Observer interface {
	// Observe takes in the next event, which is of this process and in it already.
	Observe(process *Process, event *trace.Event)
	// Conclude is told that there are no more events of this process.
	Conclude(process *Process)
}

// Registry knows the processes of a trace that live. It is not for more than one goroutine at a time.
type Registry struct {
	processes map[int]*Process
	observers []Observer
}

// New returns a Registry that has seen no event.
func New(observers ...Observer) *Registry {
	return &Registry{processes: map[int]*Process{}, observers: observers}
}

// Observe takes in the next event of a trace.
func (r *Registry) Observe(event *trace.Event) {
	current := r.processOf(event)
	current.observe(event)
	for _, observer := range r.observers {
		observer.Observe(current, event)
	}
	if event.Operation == trace.End {
		current.Ended = max(event.Time, math.SmallestNonzeroFloat64)
		r.conclude(current)
	}
}

// processOf returns the process of an event, a new one where an id comes back.
func (r *Registry) processOf(event *trace.Event) *Process {
	current := r.processes[event.Process]
	if event.Operation == trace.Start && current != nil {
		r.conclude(current)
		current = nil
	}
	if current == nil {
		current = &Process{
			ID: event.Process, Program: event.Program, Forked: event.Cause == trace.ByFork,
			Contexts: map[int]*Context{},
		}
		r.processes[event.Process] = current
	}
	return current
}

func (r *Registry) conclude(current *Process) {
	delete(r.processes, current.ID)
	for _, observer := range r.observers {
		observer.Conclude(current)
	}
}

// Conclude concludes all processes that are left. It is called once, at the end of the trace.
func (r *Registry) Conclude() {
	for _, id := range slices.Sorted(maps.Keys(r.processes)) {
		r.conclude(r.processes[id])
	}
}

// Process is one process of the trace, from its start event to its end or the next start with its id.
type Process struct {
	ID       int
	Program  string
	Forked   bool
	Ended    float64 // when, in an orderly way; 0: it was not seen to
	Contexts map[int]*Context
	Counted  trace.Sums // what all its contexts have counted themselves, those included that are gone
	Change   trace.Sums // what the last event added to that
	Held     uint64     // sessions in all its contexts
	Gone     *Context   // the context that the last event freed, or nil
}

// Context is one SSL_CTX of a process.
type Context struct {
	Counters trace.Counters // the last that it has said
	Held     uint64         // sessions, with what was added and has left since then
}

func (p *Process) observe(event *trace.Event) {
	p.Change, p.Gone = trace.Sums{}, nil
	if event.ContextID == 0 {
		return
	}
	current := p.Contexts[event.ContextID]
	if current == nil {
		current = &Context{}
		p.Contexts[event.ContextID] = current
	}
	switch {
	case event.Operation == trace.Count:
		p.count(current, &event.Counters)
	case event.Operation == trace.Add && event.Outcome == trace.Stored:
		p.hold(current, current.Held+1)
	case event.HasLeft() && current.Held > 0:
		p.hold(current, current.Held-1)
	case event.Operation == trace.Context && event.Outcome == trace.ContextFreed:
		p.hold(current, 0)
		p.Gone = current
		delete(p.Contexts, event.ContextID)
	}
}

func (p *Process) count(current *Context, now *trace.Counters) {
	p.Change = now.Own().Minus(current.Counters.Own())
	p.Counted = p.Counted.Plus(p.Change)
	current.Counters = *now
	p.hold(current, now.Number)
}

func (p *Process) hold(current *Context, number uint64) {
	p.Held += number - current.Held
	current.Held = number
}
