package finding

import (
	"maps"
	"slices"
	"strconv"

	"libsslcache/internal/trace"
)

// maxSessions bounds the sessions whose holder is known. Beyond that others are forgotten.
const maxSessions = 1 << 20

// fewMissed is how many look-ups for another process's session are no finding.
const fewMissed = 2

// strangers watches for look-ups that miss a session which another process has, or had. The hash of a
// session is the same in all processes. Each process writes down what it did a moment later, so the miss
// may come before the add.
type strangers struct {
	room     int
	held     map[uint64]holding
	missed   map[uint64]missing // of sessions that nobody is known to hold
	siblings map[string]uint64  // look-ups, for each program
	ended    map[string]uint64
}

type holding struct {
	holder  *process
	since   float64
	expires float64
}

type missing struct {
	by *process
	at float64
}

func newStrangers(room int) *strangers {
	return &strangers{
		room: room, held: map[uint64]holding{}, missed: map[uint64]missing{},
		siblings: map[string]uint64{}, ended: map[string]uint64{},
	}
}

func (s *strangers) observe(current *process, event *trace.Event) {
	session, err := strconv.ParseUint(event.Session, 16, 64)
	if err != nil {
		return
	}
	switch event.Operation {
	case trace.Add:
		s.hold(current, session, event)
	case trace.Remove, trace.Evict, trace.Expire:
		s.letGo(current, session)
	case trace.Lookup:
		if event.Outcome == "missed" && event.Cause != "fault" {
			s.miss(current, session, event.Time)
		}
	}
}

func (s *strangers) hold(current *process, session uint64, event *trace.Event) {
	if event.Outcome != "stored" && event.Outcome != "replaced" {
		return
	}
	keep(s.held, s.room, session, holding{current, event.Time, event.Time + float64(event.Timeout)})
	if earlier, missed := s.missed[session]; missed {
		delete(s.missed, session)
		s.miss(earlier.by, session, earlier.at)
	}
}

// keep notes something of a session. Where there is no room another one gives way: any will do, and a map
// hands out one by chance.
func keep[T any](noted map[uint64]T, room int, session uint64, value T) {
	if _, known := noted[session]; !known && len(noted) >= room {
		for other := range noted {
			delete(noted, other)
			break
		}
	}
	noted[session] = value
}

func (s *strangers) letGo(current *process, session uint64) {
	if s.held[session].holder == current {
		delete(s.held, session)
	}
}

func (s *strangers) miss(current *process, session uint64, now float64) {
	known, found := s.held[session]
	if !found {
		keep(s.missed, s.room, session, missing{current, now})
		return
	}
	switch {
	case known.holder == current || now < known.since || known.expires <= now:
	case known.holder.ended:
		s.ended[current.program]++
	case known.holder.program == current.program:
		s.siblings[current.program]++
	}
}

// conclude keeps what the process held: that others are asked for it later is the point.
func (s *strangers) conclude(*process) {}

func (s *strangers) findings() []Finding {
	return slices.Concat(
		asFindings(s.siblings, SiblingsCannotSee, "that another process had"),
		asFindings(s.ended, TimeoutOutlivesProcess, "of processes that had ended"),
	)
}

func asFindings(counts map[string]uint64, kind Kind, whose string) []Finding {
	var found []Finding
	for _, program := range slices.Sorted(maps.Keys(counts)) {
		count := counts[program]
		if count <= fewMissed {
			continue
		}
		found = append(found, Finding{
			Kind: kind, Program: program, Count: count,
			Seen: number(count, "look-up", "look-ups") + " in vain for sessions " + whose,
		})
	}
	return found
}
