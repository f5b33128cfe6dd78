// Package summary adds up the events of a trace: counters over all processes, their course over time, how
// long operations took and sessions lived, and who called most.
//
// What it keeps does not grow with the number of events.
package summary

import (
	"cmp"
	"maps"
	"slices"

	"libsslcache/internal/trace"
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
	Peak      uint64            `json:"peak"`       // sessions held at one time, in all processes
	RemovedBy map[string]uint64 `json:"removed_by"` // the cause of each removal
	Fallbacks []Fallback        `json:"fallbacks,omitempty"`
	Data      map[string]uint64 `json:"data_connections,omitempty"` // those of clients, by what became of them

	Points    []Point   `json:"points"`
	Width     float64   `json:"width"` // seconds from point to point
	Latencies []Latency `json:"latencies"`
	Life      Life      `json:"life"`
	Callers   []Caller  `json:"callers"`
}

// Totals are counters over all processes and contexts.
type Totals struct {
	Stored      uint64 `json:"stored"`
	Found       uint64 `json:"found"`
	Missed      uint64 `json:"missed"`
	Replaced    uint64 `json:"replaced"`
	Evicted     uint64 `json:"evicted"`
	Expired     uint64 `json:"expired"`
	Removed     uint64 `json:"removed"`
	Connections uint64 `json:"connections"` // handshakes that were completed
	Resumed     uint64 `json:"resumed"`     // those that resumed a session
}

// Rate is the part of all completed handshakes that resumed a session, and false where there was none.
func (t Totals) Rate() (float64, bool) {
	if t.Connections == 0 {
		return 0, false
	}
	return float64(t.Resumed) / float64(t.Connections), true
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

// Collector takes in events. It is not for more than one goroutine at a time.
type Collector struct {
	sum       Summary
	processes map[int]*process
	programs  map[string]bool
	ours      map[string]bool
	libssl    map[string]bool
	fallbacks map[string]uint64
	callers   map[Caller]uint64
	held      uint64
	course    *course
	latencies latencies
	lives     *lives
}

// maxCallers bounds the places that are told apart.
const maxCallers = 10_000

// NewCollector gives a Collector that has seen no event.
func NewCollector() *Collector {
	return &Collector{
		sum:       Summary{RemovedBy: map[string]uint64{}, Data: map[string]uint64{}},
		processes: map[int]*process{},
		programs:  map[string]bool{},
		ours:      map[string]bool{},
		libssl:    map[string]bool{},
		fallbacks: map[string]uint64{},
		callers:   map[Caller]uint64{},
		course:    newCourse(),
		latencies: latencies{},
		lives:     newLives(maxLives),
	}
}

// Observe takes in the next event of a trace.
func (c *Collector) Observe(event *trace.Event) {
	c.sum.Events++
	if c.sum.Begin == 0 || event.Time < c.sum.Begin {
		c.sum.Begin = event.Time
	}
	c.sum.End = max(c.sum.End, event.Time)
	current := c.processOf(event)
	change := current.observe(event)
	c.count(current, event)
	c.sum.Connections += change.Connections
	c.sum.Resumed += change.Resumed
	c.hold(current)
	c.course.observe(event, change, c.held)
	c.latencies.observe(event)
	c.lives.observe(event)
	c.countCaller(event)
	if event.Operation == trace.End {
		c.conclude(event.Process)
	}
}

// processOf gives the process of an event, a new one where an id comes back.
func (c *Collector) processOf(event *trace.Event) *process {
	current := c.processes[event.Process]
	if event.Operation == trace.Start && current != nil {
		c.conclude(event.Process)
		current = nil
	}
	if current != nil {
		return current
	}
	current = newProcess(c.processes[event.Parent])
	c.processes[event.Process] = current
	c.sum.Processes++
	return current
}

func (c *Collector) count(current *process, event *trace.Event) {
	switch event.Operation {
	case trace.Start:
		c.programs[event.Program] = true
		c.ours[event.Libsslcache] = true
		c.libssl[event.Libssl] = true
		if event.Cause == "fork" {
			c.sum.Forks++
		}
	case trace.End:
		current.lost = max(current.lost, event.Lost)
	case trace.Dropped:
		current.lost += event.Events
	case trace.Context:
		if event.Outcome == "made" {
			c.sum.Contexts++
		}
	case trace.Fallback:
		c.fallbacks[event.Cause]++
	case trace.Client:
		c.sum.Data[event.Outcome]++
	case trace.Remove:
		if event.Outcome == "removed" {
			c.sum.RemovedBy[event.Cause]++
		}
	}
}

// hold brings the number of sessions that all processes hold up to date with this one.
func (c *Collector) hold(current *process) {
	c.held = c.held - current.shown + current.held()
	current.shown = current.held()
	c.sum.Peak = max(c.sum.Peak, c.held, current.peak())
}

func (c *Collector) countCaller(event *trace.Event) {
	if event.Caller == (trace.Caller{}) {
		return
	}
	operation := event.Operation
	if event.Function != "" {
		operation = event.Function
	}
	one := Caller{Operation: operation, Module: event.Caller.Module, Symbol: event.Caller.Symbol}
	if _, known := c.callers[one]; known || len(c.callers) < maxCallers {
		c.callers[one]++
	}
}

func (c *Collector) conclude(id int) {
	current := c.processes[id]
	delete(c.processes, id)
	c.lives.forget(id)
	c.held -= current.shown
	c.sum.Lost += current.lost
	own := current.totals()
	c.sum.Stored += own.Stored
	c.sum.Found += own.Found
	c.sum.Missed += own.Missed
	c.sum.Replaced += own.Replaced
	c.sum.Evicted += own.Evicted
	c.sum.Expired += own.Expired
	c.sum.Removed += own.Removed
}

// Summary concludes the trace. It is called once, at the end.
func (c *Collector) Summary() *Summary {
	for _, id := range slices.Collect(maps.Keys(c.processes)) {
		c.conclude(id)
	}
	sum := c.sum
	sum.Programs = names(c.programs)
	sum.Libsslcache = names(c.ours)
	sum.Libssl = names(c.libssl)
	for _, cause := range slices.Sorted(maps.Keys(c.fallbacks)) {
		sum.Fallbacks = append(sum.Fallbacks, Fallback{Cause: cause, Count: c.fallbacks[cause]})
	}
	sum.Points, sum.Width = c.course.points(), c.course.width
	sum.Latencies = c.latencies.summary()
	sum.Life = c.lives.summary()
	sum.Callers = c.topCallers()
	return &sum
}

func names(set map[string]bool) []string {
	delete(set, "")
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

// topNumber is how many callers a summary names.
const topNumber = 20

func (c *Collector) topCallers() []Caller {
	all := []Caller{}
	for one, count := range c.callers {
		one.Count = count
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Caller) int {
		return cmp.Or(
			cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Module, b.Module), cmp.Compare(a.Symbol, b.Symbol),
		)
	})
	return all[:min(len(all), topNumber)]
}
