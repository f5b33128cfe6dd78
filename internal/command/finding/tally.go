package finding

import (
	"fmt"
	"maps"
	"slices"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// figures are what a process counted of itself, for the findings that are a matter of numbers.
type figures struct {
	stored       uint64
	lookups      uint64
	knownAdds    uint64
	missing      uint64
	withoutEnd   uint64 // freed without a shutdown
	eofs         uint64 // unexpected
	liveEvicted  uint64
	refused      uint64
	opened       uint64 // tickets
	unknown      uint64 // tickets that no key here opens
	asked        bool   // a cache of a server
	byTicket     uint64 // resumptions of contexts whose cache was not asked
	addPlaces    map[caller]uint64
	removePlaces map[caller]uint64
}

// rule is one question to the figures of a process.
type rule struct {
	kind   Kind
	count  func(*figures) uint64 // how often it happened, 0 where that is no finding
	of     func(*figures) uint64 // what it is a part of, for the sentence; may be nil
	seen   func(sum) string      // a sentence for all processes of a program
	places func(*figures) map[caller]uint64
}

// sum is what a rule found in all processes of a program.
type sum struct {
	count, of  uint64
	eofs       uint64
	withoutEnd uint64
	blame      blame
}

// tally asks all rules of every process.
type tally struct {
	processes map[*registry.Process]*figures
	sums      map[string]map[string]*sum // by name of the rule and program
}

func newTally() *tally {
	return &tally{processes: map[*registry.Process]*figures{}, sums: map[string]map[string]*sum{}}
}

func (t *tally) observe(current *registry.Process, event *trace.Event) {
	known := t.processes[current]
	if known == nil {
		known = &figures{addPlaces: map[caller]uint64{}, removePlaces: map[caller]uint64{}}
		t.processes[current] = known
	}
	known.observe(event)
	if current.Gone != nil {
		known.judgeTickets(&current.Gone.Counters)
	}
}

func (f *figures) observe(event *trace.Event) {
	switch {
	case event.IsStored():
		f.stored++
	case event.Operation == trace.Add && event.Outcome == trace.Known && event.Cause == trace.ByProgram:
		f.knownAdds++
		involve(f.addPlaces, "SSL_CTX_add_session", event)
	case event.Operation == trace.Remove && event.Outcome == trace.Missing && event.Cause == trace.ByProgram:
		f.missing++
		involve(f.removePlaces, "SSL_CTX_remove_session", event)
	case event.Operation == trace.Remove && event.Outcome == trace.Removed && event.Cause == trace.BadShutdown:
		f.withoutEnd++
	case event.Operation == trace.Remove && event.Outcome == trace.Removed && event.Cause == trace.UnexpectedEOF:
		f.eofs++
	case event.Operation == trace.Evict && event.Alive && event.Cause == trace.ByLimit:
		f.liveEvicted++
	case event.Operation == trace.Refused && event.Cause == trace.NoSessionContext:
		f.refused++
	case event.Operation == trace.Ticket && event.Outcome == trace.Opened:
		f.opened++
	case event.Operation == trace.Ticket && event.Outcome == trace.Unknown:
		f.unknown++
	case event.Operation == trace.Lookup:
		f.lookups++
	}
}

// maxCallers bounds the places that are told apart in one process.
const maxCallers = 1000

func involve(places map[caller]uint64, function string, event *trace.Event) {
	place := caller{function: function, place: event.Caller}
	if _, known := places[place]; known || len(places) < maxCallers {
		places[place]++
	}
}

// serverCache is SSL_SESS_CACHE_SERVER of SSL_CTX_set_session_cache_mode(3).
const serverCache = 2

// judgeTickets looks at what a context of a server has resumed in the end.
func (f *figures) judgeTickets(counters *trace.Counters) {
	own := counters.Own()
	if counters.Mode&serverCache == 0 || own.AcceptGood == 0 {
		return
	}
	f.asked = f.asked || own.Found+own.Missed+own.CallbackHits > 0
	f.byTicket += own.Hits
}

func (t *tally) conclude(current *registry.Process) {
	known := t.processes[current]
	delete(t.processes, current)
	if known == nil {
		return
	}
	for _, sslContext := range current.Contexts {
		known.judgeTickets(&sslContext.Counters)
	}
	for i := range rules {
		if rules[i].count(known) > 0 {
			t.sum(&rules[i], current.Program).add(&rules[i], known)
		}
	}
}

func (t *tally) sum(r *rule, program string) *sum {
	sums := t.sums[r.kind.Name]
	if sums == nil {
		sums = map[string]*sum{}
		t.sums[r.kind.Name] = sums
	}
	if sums[program] == nil {
		sums[program] = &sum{blame: blame{places: map[caller]uint64{}}}
	}
	return sums[program]
}

func (s *sum) add(r *rule, found *figures) {
	s.count += r.count(found)
	s.eofs += found.eofs
	s.withoutEnd += found.withoutEnd
	if r.of != nil {
		s.of += r.of(found)
	}
	if r.places != nil {
		s.blame.join(&blame{places: r.places(found)})
	}
}

func (t *tally) findings() []Finding {
	var found []Finding
	for i := range rules {
		sums := t.sums[rules[i].kind.Name]
		for _, program := range slices.Sorted(maps.Keys(sums)) {
			total := sums[program]
			found = append(found, Finding{
				Kind: rules[i].kind, Program: program, Count: total.count,
				Seen: rules[i].seen(*total), Places: total.blame.ranked(),
			})
		}
	}
	return found
}

// A client that breaks off now and then is none of the server's fault: a tenth of the sessions is.
const fewBadShutdowns = 3

// Fewer resumptions than these do not tell how a server resumes.
const fewResumptions = 5

// A client that comes from somewhere else now and then is none of the server's fault.
const fewUnknown = 2

func stored(f *figures) uint64 { return f.stored }

var rules = []rule{
	{
		kind:  NoSessionContext,
		count: func(f *figures) uint64 { return f.refused },
		seen: func(s sum) string {
			return number(s.count, "connection", "connections") + " whose sessions can't be resumed"
		},
	},
	{
		kind:   AddedTwice,
		count:  func(f *figures) uint64 { return f.knownAdds },
		places: func(f *figures) map[caller]uint64 { return f.addPlaces },
		seen: func(s sum) string {
			return number(s.count, "session", "sessions") + " added that the cache held already"
		},
	},
	{
		kind:   RemovedInVain,
		count:  func(f *figures) uint64 { return f.missing },
		places: func(f *figures) map[caller]uint64 { return f.removePlaces },
		seen: func(s sum) string {
			return number(s.count, "session", "sessions") + " removed that the cache did not hold"
		},
	},
	{
		kind: BadShutdowns,
		count: func(f *figures) uint64 {
			count := f.eofs + f.withoutEnd
			if count < fewBadShutdowns || count*10 < f.stored {
				return 0
			}
			return count
		},
		of: stored,
		seen: func(s sum) string {
			return fmt.Sprintf("%d of %s dropped: %d by an unexpected eof of the peer, %d by a connection freed without a shutdown",
				s.count, number(s.of, "session", "sessions"), s.eofs, s.withoutEnd)
		},
	},
	{
		kind: LiveSessionsEvicted,
		// One session in a hundred that gives way early is what a limit is for.
		count: func(f *figures) uint64 {
			if f.liveEvicted*100 < f.stored {
				return 0
			}
			return f.liveEvicted
		},
		of: stored,
		seen: func(s sum) string {
			return fmt.Sprintf("%d of %s evicted before they expired", s.count, number(s.of, "session", "sessions"))
		},
	},
	{
		kind: TicketsOfAnotherProcess,
		count: func(f *figures) uint64 {
			if f.unknown <= fewUnknown {
				return 0
			}
			return f.unknown
		},
		of: func(f *figures) uint64 { return f.unknown + f.opened },
		seen: func(s sum) string {
			return fmt.Sprintf("%d of %s of a key that is not here", s.count, number(s.of, "ticket", "tickets"))
		},
	},
	{
		kind: CacheNeverAsked,
		count: func(f *figures) uint64 {
			if f.asked || f.lookups > 0 || f.byTicket < fewResumptions {
				return 0
			}
			return f.byTicket
		},
		seen: func(s sum) string {
			return number(s.count, "resumption", "resumptions") + ", all by tickets"
		},
	},
}
