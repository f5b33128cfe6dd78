package summary

import (
	"strconv"

	"github.com/HdrHistogram/hdrhistogram-go"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// Life is how long sessions stayed in the cache, in seconds, for those that left it.
type Life struct {
	Count    int64             `json:"count"`
	Median   float64           `json:"median"`
	P90      float64           `json:"p90"`
	Greatest float64           `json:"greatest"`
	Bars     []Bar             `json:"bars"`
	Ends     map[string]uint64 `json:"ends"` // by what they left
}

// maxLives bounds the sessions that are watched at one time. Those beyond are not counted.
const maxLives = 1 << 20

// Lives are measured in microseconds; the longest is of a bit over a year.
const (
	microsecond = 1e6
	longestLife = 1 << 45
)

// lives watches when sessions come and go.
type lives struct {
	room      int
	since     map[*registry.Process]map[membership]float64
	histogram *hdrhistogram.Histogram
	ends      map[string]uint64
}

// membership is a session in a context of one process.
type membership struct {
	context int
	session uint64
}

func newLives(room int) *lives {
	return &lives{
		room: room, since: map[*registry.Process]map[membership]float64{}, ends: map[string]uint64{},
		histogram: hdrhistogram.New(1, longestLife, 3),
	}
}

func (l *lives) observe(of *registry.Process, event *trace.Event) {
	session, err := strconv.ParseUint(event.Session, 16, 64)
	if err != nil {
		return
	}
	member := membership{context: event.ContextID, session: session}
	switch {
	case event.IsStored():
		l.add(of, member, event)
	case event.HasLeft():
		l.end(of, member, event, reasonOf(event))
	}
}

// reasonOf returns by what a session left.
func reasonOf(event *trace.Event) string {
	switch event.Operation {
	case trace.Evict:
		return "evicted"
	case trace.Expire:
		return "expired"
	case trace.Clear:
		return "cleared: " + string(event.Cause)
	default:
		return "removed: " + string(event.Cause)
	}
}

func (l *lives) add(of *registry.Process, member membership, event *trace.Event) {
	if event.Outcome == trace.Replaced {
		l.end(of, member, event, "replaced")
	}
	if l.room == 0 {
		return
	}
	if l.since[of] == nil {
		l.since[of] = map[membership]float64{}
	}
	if _, known := l.since[of][member]; !known {
		l.room--
	}
	l.since[of][member] = event.Time
}

func (l *lives) end(of *registry.Process, member membership, event *trace.Event, how string) {
	begin, known := l.since[of][member]
	if !known {
		return
	}
	delete(l.since[of], member)
	l.room++
	countUp(l.ends, how, maxWords)
	lived := max(0, event.Time-begin) * microsecond
	_ = l.histogram.RecordValue(int64(min(lived, longestLife)))
}

// forget lets go of what a process held at its end.
func (l *lives) forget(process *registry.Process) {
	l.room += len(l.since[process])
	delete(l.since, process)
}

func (l *lives) summary() Life {
	return Life{
		Count:    l.histogram.TotalCount(),
		Median:   float64(l.histogram.ValueAtQuantile(50)) / microsecond,
		P90:      float64(l.histogram.ValueAtQuantile(90)) / microsecond,
		Greatest: float64(l.histogram.Max()) / microsecond,
		Bars:     bars(l.histogram, microsecond),
		Ends:     l.ends,
	}
}
