package finding

import (
	"maps"
	"slices"
	"strconv"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// maxSessions bounds the sessions whose holder is known. Beyond that others are forgotten.
const maxSessions = 1 << 20

// fewMissed is how many look-ups for a session that is held elsewhere are no finding.
const fewMissed = 2

// holders watches for look-ups that miss a session which another process holds, or held until it ended or freed
// its context. The hash of a session is the same in all processes. Each process writes down what it did a moment
// later, so the miss may come before the add.
type holders struct {
	room     int
	held     map[uint64]holding
	missed   map[uint64]missing // of sessions that nobody is known to hold
	siblings map[string]uint64  // look-ups, for each program
	gone     map[string]uint64
}

type holding struct {
	holder  *registry.Process
	freed   float64 // when, with its context; 0: it was not
	since   float64
	expires float64
}

type missing struct {
	by *registry.Process
	at float64
}

func newHolders(room int) *holders {
	return &holders{
		room: room, held: map[uint64]holding{}, missed: map[uint64]missing{},
		siblings: map[string]uint64{}, gone: map[string]uint64{},
	}
}

func (h *holders) observe(current *registry.Process, event *trace.Event) {
	session, err := strconv.ParseUint(event.Session, 16, 64)
	if err != nil {
		return
	}
	switch {
	case event.IsStored():
		h.hold(current, session, event)
	case event.Operation == trace.Clear && event.Cause == trace.WithContext:
		h.free(current, session, event.Time)
	case event.HasLeft():
		h.letGo(current, session)
	case event.Operation == trace.Lookup && event.Outcome == trace.Missed && event.Cause != trace.ByFault:
		h.miss(current, session, event.Time)
	}
}

// hold notes who has a session now. What a client keeps is not what a server is asked for.
func (h *holders) hold(current *registry.Process, session uint64, event *trace.Event) {
	if event.Role == trace.Client {
		return
	}
	keep(h.held, h.room, session, holding{
		holder: current, since: event.Time, expires: event.Time + float64(event.Timeout),
	})
	if earlier, missed := h.missed[session]; missed {
		delete(h.missed, session)
		h.miss(earlier.by, session, earlier.at)
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

func (h *holders) free(current *registry.Process, session uint64, now float64) {
	if last := h.held[session]; last.holder == current {
		last.freed = now
		h.held[session] = last
	}
}

func (h *holders) letGo(current *registry.Process, session uint64) {
	if h.held[session].holder == current {
		delete(h.held, session)
	}
}

func (h *holders) miss(current *registry.Process, session uint64, now float64) {
	known, found := h.held[session]
	if !found {
		keep(h.missed, h.room, session, missing{current, now})
		return
	}
	switch {
	case now < known.since || known.expires <= now:
	case isPast(known.freed, now) || isPast(known.holder.Ended, now):
		h.gone[current.Program]++
	case known.holder != current && known.holder.Program == current.Program:
		h.siblings[current.Program]++
	}
}

// isPast reports whether something has happened at a moment, and before another. Lines of two processes may have
// changed places.
func isPast(moment, now float64) bool { return moment != 0 && moment <= now }

// conclude keeps what the process held: that others are asked for it later is the point.
func (h *holders) conclude(*registry.Process) {}

func (h *holders) findings() []Finding {
	return slices.Concat(
		findingsOf(h.siblings, SiblingsCannotSee, "that another process had"),
		findingsOf(h.gone, TimeoutOutlivesProcess, "of processes that had ended, or of contexts that were freed"),
	)
}

func findingsOf(counts map[string]uint64, kind Kind, whose string) []Finding {
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
