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
// session is the same in all processes.
type strangers struct {
	room     int
	held     map[uint64]holding
	siblings map[string]uint64 // look-ups, for each program
	ended    map[string]uint64
}

type holding struct {
	holder  *process
	expires float64
}

func newStrangers(room int) *strangers {
	return &strangers{
		room: room, held: map[uint64]holding{},
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
	if _, known := s.held[session]; !known && len(s.held) >= s.room {
		s.forgetOne()
	}
	s.held[session] = holding{holder: current, expires: event.Time + float64(event.Timeout)}
}

func (s *strangers) letGo(current *process, session uint64) {
	if s.held[session].holder == current {
		delete(s.held, session)
	}
}

// forgetOne makes room: any session will do, and a map hands out one by chance.
func (s *strangers) forgetOne() {
	for session := range s.held {
		delete(s.held, session)
		return
	}
}

func (s *strangers) miss(current *process, session uint64, now float64) {
	known, found := s.held[session]
	switch {
	case !found || known.holder == current || known.expires <= now:
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
