// Package summary adds up the events of a trace: counters over all processes, their course over time, how
// long operations took and sessions lived, and who called most.
//
// What it keeps does not grow with the number of events.
package summary

import (
	"cmp"
	"maps"
	"slices"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// Summary is what became of a whole trace.
type Summary struct {
	Programs    []string `json:"programs"`
	Libsslcache []string `json:"libsslcache"` // versions
	Libssl      []string `json:"libssl"`
	Begin       float64  `json:"begin"` // seconds since 1970
	End         float64  `json:"end"`
	Events      uint64   `json:"events"`
	Lost        uint64   `json:"lost"` // events for which the programs had no room
	Processes   int      `json:"processes"`
	Forks       int      `json:"forks"`
	Contexts    uint64   `json:"contexts"`

	Totals
	Peak      uint64                 `json:"peak"`       // sessions held at one time, in all processes
	RemovedBy map[trace.Cause]uint64 `json:"removed_by"` // the cause of each removal
	Fallbacks []Fallback             `json:"fallbacks,omitempty"`
	Data      map[string]uint64      `json:"data_connections,omitempty"` // those of clients, by what became of them

	Points    []Point   `json:"points"`
	Width     float64   `json:"width"` // seconds from point to point
	Latencies []Latency `json:"latencies"`
	Life      Life      `json:"life"`
	Callers   []Caller  `json:"callers"`
}

// Totals are counters over all processes and contexts.
type Totals struct {
	Stored         uint64 `json:"stored"`
	Found          uint64 `json:"found"`
	FoundInStore   uint64 `json:"found_in_store"`
	FoundByProgram uint64 `json:"found_by_program"` // by a callback of its own
	Missed         uint64 `json:"missed"`           // nobody had it
	Replaced       uint64 `json:"replaced"`
	Evicted        uint64 `json:"evicted"`
	Expired        uint64 `json:"expired"`
	Cleared        uint64 `json:"cleared"` // with their context, or in a flush of everything
	Removed        uint64 `json:"removed"`
	Opened         uint64 `json:"tickets_opened"`
	Unknown        uint64 `json:"tickets_unknown"` // sealed with a key that is not in the process
	Unopened       uint64 `json:"tickets_refused"` // for this reason or another
	Connections    uint64 `json:"connections"`     // handshakes that were completed
	Resumed        uint64 `json:"resumed"`         // those that resumed a session
}

func (t *Totals) all() [15]*uint64 {
	return [...]*uint64{
		&t.Stored, &t.Found, &t.FoundInStore, &t.FoundByProgram, &t.Missed, &t.Replaced,
		&t.Evicted, &t.Expired, &t.Cleared, &t.Removed, &t.Connections, &t.Resumed,
		&t.Opened, &t.Unknown, &t.Unopened,
	}
}

// Rate is the part of all completed handshakes that resumed a session, and false where there was none.
func (t Totals) Rate() (Part, bool) {
	return Part{Of: t.Connections, Number: t.Resumed}, t.Connections > 0
}

// Fallback is a reason for which libssl kept the sessions itself.
type Fallback struct {
	Cause string `json:"cause"`
	Count uint64 `json:"count"`
}

// Caller is a place in a program and how often it called for an operation.
type Caller struct {
	Operation string `json:"operation"`
	Module    string `json:"module"`
	Symbol    string `json:"symbol"`
	Count     uint64 `json:"count"`
}

// Collector is an observer of processes. It is not for more than one goroutine at a time.
type Collector struct {
	sum       Summary
	processes map[*registry.Process]*process
	programs  map[string]bool
	ours      map[string]bool
	libssl    map[string]bool
	fallbacks map[trace.Cause]uint64
	callers   map[Caller]uint64
	held      uint64
	course    *course
	latencies latencies
	lives     *lives
}

// These bound what is told apart: places, and words such as causes.
const (
	maxCallers = 10_000
	maxWords   = 1000
)

// NewCollector returns a Collector that has seen no event.
func NewCollector() *Collector {
	return &Collector{
		sum:       Summary{RemovedBy: map[trace.Cause]uint64{}, Data: map[string]uint64{}},
		processes: map[*registry.Process]*process{},
		programs:  map[string]bool{},
		ours:      map[string]bool{},
		libssl:    map[string]bool{},
		fallbacks: map[trace.Cause]uint64{},
		callers:   map[Caller]uint64{},
		course:    newCourse(),
		latencies: latencies{},
		lives:     newLives(maxLives),
	}
}

// Observe takes in the next event of a trace.
func (c *Collector) Observe(of *registry.Process, event *trace.Event) {
	c.sum.Events++
	if c.sum.Begin == 0 || event.Time < c.sum.Begin {
		c.sum.Begin = event.Time
	}
	c.sum.End = max(c.sum.End, event.Time)
	current := c.processes[of]
	if current == nil {
		current = &process{}
		c.processes[of] = current
		c.sum.Processes++
	}
	current.observe(event)
	c.count(event)
	c.hold(current, of, event)
	c.course.observe(event, of.Change, c.held)
	c.latencies.observe(event)
	c.lives.observe(of, event)
	c.countCaller(event)
}

func (c *Collector) count(event *trace.Event) {
	switch event.Operation {
	case trace.Start:
		addName(c.programs, event.Program)
		addName(c.ours, event.Libsslcache)
		addName(c.libssl, event.Libssl)
		if event.Cause == trace.ByFork {
			c.sum.Forks++
		}
	case trace.Context:
		if event.Outcome == trace.Made {
			c.sum.Contexts++
		}
	case trace.Fallback:
		countUp(c.fallbacks, event.Cause, maxWords)
	case trace.ClientConnection:
		countUp(c.sum.Data, string(event.Outcome), maxWords)
	case trace.Remove:
		if event.Outcome == trace.Removed {
			countUp(c.sum.RemovedBy, event.Cause, maxWords)
		}
	}
}

// countUp counts one more, unless it were one too many to tell apart.
func countUp[K comparable](counts map[K]uint64, key K, most int) {
	if _, known := counts[key]; known || len(counts) < most {
		counts[key]++
	}
}

func addName(set map[string]bool, name string) {
	if name != "" && len(set) < maxWords {
		set[name] = true
	}
}

// hold brings the number of sessions that all processes hold up to date with this one.
func (c *Collector) hold(current *process, of *registry.Process, event *trace.Event) {
	c.held += of.Held - current.held
	current.held = of.Held
	c.sum.Peak = max(c.sum.Peak, c.held)
	if event.Operation == trace.Count {
		c.sum.Peak = max(c.sum.Peak, event.Peak)
	}
}

func (c *Collector) countCaller(event *trace.Event) {
	if event.Caller == (trace.Caller{}) {
		return
	}
	operation := string(event.Operation)
	if event.Function != "" {
		operation = event.Function
	}
	countUp(c.callers, Caller{Operation: operation, Module: event.Caller.Module, Symbol: event.Caller.Symbol}, maxCallers)
}

// Conclude adds what a process has counted.
func (c *Collector) Conclude(of *registry.Process) {
	current := c.processes[of]
	delete(c.processes, of)
	c.lives.forget(of)
	c.held -= current.held
	c.sum.Lost += current.lost
	c.sum.Totals = c.sum.plus(current.totals(of))
}

// Summary returns what became of the trace, once all its processes are concluded.
func (c *Collector) Summary() *Summary {
	sum := c.sum
	sum.Programs = names(c.programs)
	sum.Libsslcache = names(c.ours)
	sum.Libssl = names(c.libssl)
	for _, cause := range slices.Sorted(maps.Keys(c.fallbacks)) {
		sum.Fallbacks = append(sum.Fallbacks, Fallback{Cause: string(cause), Count: c.fallbacks[cause]})
	}
	sum.Points, sum.Width = c.course.points(), c.course.width
	sum.Latencies = c.latencies.summary()
	sum.Life = c.lives.summary()
	sum.Callers = c.topCallers()
	return &sum
}

func names(set map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

// topNumber is how many callers a summary names.
const topNumber = 20

func (c *Collector) topCallers() []Caller {
	all := []Caller{}
	for caller, count := range c.callers {
		caller.Count = count
		all = append(all, caller)
	}
	slices.SortFunc(all, func(a, b Caller) int {
		return cmp.Or(
			cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Module, b.Module), cmp.Compare(a.Symbol, b.Symbol),
		)
	})
	return all[:min(len(all), topNumber)]
}
