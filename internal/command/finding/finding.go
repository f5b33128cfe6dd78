// Package finding looks at the events of a trace for what is wrong with the TLS sessions of its programs.
//
// It keeps no events, and what it keeps is bounded: see maxObjects and maxSessions.
package finding

import (
	"cmp"
	"fmt"
	"slices"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
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

// detector looks for some kinds of findings.
type detector interface {
	// observe takes in the next event, which is of this process.
	observe(*registry.Process, *trace.Event)
	// conclude is told that there are no more events of this process.
	conclude(*registry.Process)
	// findings returns what was found in the processes that are concluded.
	findings() []Finding
}

// Watcher is an observer of processes that looks for findings. It is not for more than one goroutine at a time.
type Watcher struct{ detectors []detector }

// NewWatcher returns a Watcher that has seen no event.
func NewWatcher() *Watcher {
	return &Watcher{detectors: []detector{newReferences(maxObjects), newTally(), newFullHandshakes(), newHolders(maxSessions)}}
}

// Observe takes in the next event of a trace.
func (w *Watcher) Observe(current *registry.Process, event *trace.Event) {
	for _, detector := range w.detectors {
		detector.observe(current, event)
	}
}

// Conclude judges a process that has no more events.
func (w *Watcher) Conclude(current *registry.Process) {
	for _, detector := range w.detectors {
		detector.conclude(current)
	}
}

// Findings returns what was found, the gravest first, once all processes are concluded.
func (w *Watcher) Findings() []Finding {
	all := []Finding{}
	for _, detector := range w.detectors {
		all = append(all, detector.findings()...)
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
