package summary

import (
	"strconv"

	"github.com/HdrHistogram/hdrhistogram-go"

	"libsslcache/internal/trace"
)

// Life is how long sessions stayed in the cache, in seconds, for those that left it.
type Life struct {
	Count    int64            `json:"count"`
	Median   float64          `json:"median"`
	P90      float64          `json:"p90"`
	Greatest float64          `json:"greatest"`
	Bars     []Bar            `json:"bars"`
	Ends     map[string]int64 `json:"ends"` // by what they left
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
	since     map[int]map[membership]float64
	histogram *hdrhistogram.Histogram
	ends      map[string]int64
}

// membership is a session in a context of one process.
type membership struct {
	context int
	session uint64
}

func newLives(room int) *lives {
	return &lives{
		room: room, since: map[int]map[membership]float64{}, ends: map[string]int64{},
		histogram: hdrhistogram.New(1, longestLife, 3),
	}
}

func (l *lives) observe(event *trace.Event) {
	session, err := strconv.ParseUint(event.Session, 16, 64)
	if err != nil {
		return
	}
	member := membership{context: event.ContextID, session: session}
	switch event.Operation {
	case trace.Add:
		l.add(member, event)
	case trace.Remove:
		if event.Outcome == "removed" {
			l.end(member, event, "removed: "+event.Cause)
		}
	case trace.Evict:
		l.end(member, event, "evicted")
	case trace.Expire:
		l.end(member, event, "expired")
	}
}

func (l *lives) add(member membership, event *trace.Event) {
	if event.Outcome == "replaced" {
		l.end(member, event, "replaced")
	}
	if event.Outcome != "stored" && event.Outcome != "replaced" || l.room == 0 {
		return
	}
	if l.since[event.Process] == nil {
		l.since[event.Process] = map[membership]float64{}
	}
	if _, known := l.since[event.Process][member]; !known {
		l.room--
	}
	l.since[event.Process][member] = event.Time
}

func (l *lives) end(member membership, event *trace.Event, how string) {
	begin, known := l.since[event.Process][member]
	if !known {
		return
	}
	delete(l.since[event.Process], member)
	l.room++
	l.ends[how]++
	lived := max(0, event.Time-begin) * microsecond
	_ = l.histogram.RecordValue(int64(min(lived, longestLife)))
}

// forget lets go of what a process held at its end.
func (l *lives) forget(process int) {
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
