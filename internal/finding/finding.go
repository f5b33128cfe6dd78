// Package finding looks at the events of a trace for what is wrong with the TLS sessions of its programs.
//
// It keeps no events, and what it keeps is bounded: see maxObjects and maxSessions.
package finding

import (
	"cmp"
	"fmt"
	"slices"

	"libsslcache/internal/trace"
)

// Severity says how sure it is that a finding is a fault.
type Severity string

// The severities, the gravest first.
const (
	Error   Severity = "error"   // the program is wrong
	Warning Severity = "warning" // sessions or memory are lost; it may be meant so
	Note    Severity = "note"    // worth knowing
)

// Finding is one thing that looks wrong, in all processes of one program.
type Finding struct {
	Kind
	Program string  `json:"program"`
	Count   uint64  `json:"count"`
	Seen    string  `json:"seen"` // a sentence with what was counted
	Places  []Place `json:"places,omitempty"`
}

// Place is a caller that had a part in a finding.
type Place struct {
	Function string `json:"function"` // of OpenSSL
	Module   string `json:"module,omitempty"`
	Symbol   string `json:"symbol,omitempty"`
	Count    uint64 `json:"count"`
}

// String is the place as one reads it.
func (p Place) String() string {
	caller := trace.Caller{Module: p.Module, Symbol: p.Symbol}.String()
	if caller == "" {
		return p.Function
	}
	return fmt.Sprintf("%s called by %s", p.Function, caller)
}

// process is one process of the trace, from its start event to its end or the next start with its id.
type process struct {
	id      int
	program string
	forked  bool
	ended   bool
}

// detector looks for one kind of finding.
type detector interface {
	// observe takes in the next event, which is of this process.
	observe(*process, *trace.Event)
	// conclude is told that there are no more events of this process.
	conclude(*process)
	// findings gives what was found in the processes that are concluded.
	findings() []Finding
}

// Watcher looks at events for findings. It is not for more than one goroutine at a time.
type Watcher struct {
	processes map[int]*process
	detectors []detector
}

// NewWatcher gives a Watcher that has seen no event.
func NewWatcher() *Watcher {
	return &Watcher{
		processes: map[int]*process{},
		detectors: []detector{
			newReferences(maxObjects),
			newTally(NoSessionContext, noSessionContext),
			newTally(AddedTwice, addedTwice),
			newTally(RemovedInVain, removedInVain),
			newTally(BadShutdowns, badShutdowns),
			newTally(LiveSessionsEvicted, liveSessionsEvicted),
			newTally(CacheNeverAsked, cacheNeverAsked),
			newFullHandshakes(),
			newStrangers(maxSessions),
		},
	}
}

// Observe takes in the next event of a trace.
func (w *Watcher) Observe(event *trace.Event) {
	current := w.processOf(event)
	for _, one := range w.detectors {
		one.observe(current, event)
	}
	if event.Operation == trace.End {
		current.ended = true
		w.conclude(current)
	}
}

func (w *Watcher) processOf(event *trace.Event) *process {
	current := w.processes[event.Process]
	if event.Operation == trace.Start && current != nil {
		w.conclude(current)
		current = nil
	}
	if current == nil {
		current = &process{id: event.Process, program: event.Program, forked: event.Cause == "fork"}
		w.processes[event.Process] = current
	}
	return current
}

func (w *Watcher) conclude(current *process) {
	for _, one := range w.detectors {
		one.conclude(current)
	}
	delete(w.processes, current.id)
}

// Findings concludes the trace and gives what was found, the gravest first. It is called once, at the end.
func (w *Watcher) Findings() []Finding {
	for _, current := range w.processes {
		w.conclude(current)
	}
	all := []Finding{}
	for _, one := range w.detectors {
		all = append(all, one.findings()...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Severity.rank(), b.Severity.rank()),
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Program, b.Program),
		)
	})
	return all
}

func (s Severity) rank() int { return slices.Index([]Severity{Error, Warning, Note}, s) }

// number writes a count with its noun.
func number(count uint64, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}
