package finding

import (
	"fmt"
	"maps"
	"slices"

	"libsslcache/internal/trace"
)

// figures are what a process counted of itself, for the findings that are a matter of numbers.
type figures struct {
	stored       uint64
	lookups      uint64
	knownAdds    uint64
	missing      uint64
	badShutdowns uint64
	liveEvicted  uint64
	refused      uint64
	places       map[caller]uint64
	contexts     map[int]trace.Counters
}

// rule is one question to the figures of a process: how often did it happen, 0 where that is no
// finding, and a sentence for the sum over all processes of a program.
type rule struct {
	count   func(*figures) uint64
	of      func(*figures) uint64 // what it is a part of, for the sentence; may be nil
	seen    func(count, of uint64) string
	observe func(*figures, *trace.Event)
}

// tally asks one rule of every process.
type tally struct {
	kind      Kind
	rule      rule
	processes map[*process]*figures
	sums      map[string]*sum
}

type sum struct {
	count, of uint64
	blame     blame
}

func newTally(kind Kind, rule rule) *tally {
	return &tally{kind: kind, rule: rule, processes: map[*process]*figures{}, sums: map[string]*sum{}}
}

func (t *tally) observe(current *process, event *trace.Event) {
	known := t.processes[current]
	if known == nil {
		known = &figures{places: map[caller]uint64{}, contexts: map[int]trace.Counters{}}
		t.processes[current] = known
	}
	t.rule.observe(known, event)
}

func (t *tally) conclude(current *process) {
	known := t.processes[current]
	delete(t.processes, current)
	if known == nil || t.rule.count(known) == 0 {
		return
	}
	if t.sums[current.program] == nil {
		t.sums[current.program] = &sum{blame: blame{places: map[caller]uint64{}}}
	}
	total := t.sums[current.program]
	total.count += t.rule.count(known)
	if t.rule.of != nil {
		total.of += t.rule.of(known)
	}
	total.blame.join(&blame{places: known.places})
}

func (t *tally) findings() []Finding {
	var found []Finding
	for _, program := range slices.Sorted(maps.Keys(t.sums)) {
		total := t.sums[program]
		found = append(found, Finding{
			Kind: t.kind, Program: program, Count: total.count,
			Seen: t.rule.seen(total.count, total.of), Places: total.blame.ranked(),
		})
	}
	return found
}

// maxCallers bounds the places that are told apart in one process.
const maxCallers = 1000

func (f *figures) involve(event *trace.Event, function string) {
	place := caller{function: function, place: event.Caller}
	if _, known := f.places[place]; known || len(f.places) < maxCallers {
		f.places[place]++
	}
}

func (f *figures) countStored(event *trace.Event) {
	if event.Operation == trace.Add && (event.Outcome == "stored" || event.Outcome == "replaced") {
		f.stored++
	}
}

var noSessionContext = rule{
	observe: func(f *figures, event *trace.Event) {
		if event.Operation == trace.Refused && event.Cause == "no_session_context" {
			f.refused++
		}
	},
	count: func(f *figures) uint64 { return f.refused },
	seen: func(count, _ uint64) string {
		return number(count, "connection", "connections") + " whose sessions can't be resumed"
	},
}

var addedTwice = rule{
	observe: func(f *figures, event *trace.Event) {
		if event.Operation == trace.Add && event.Outcome == "known" && event.Cause == "program" {
			f.knownAdds++
			f.involve(event, "SSL_CTX_add_session")
		}
	},
	count: func(f *figures) uint64 { return f.knownAdds },
	seen: func(count, _ uint64) string {
		return number(count, "session", "sessions") + " added that the cache held already"
	},
}

var removedInVain = rule{
	observe: func(f *figures, event *trace.Event) {
		if event.Operation == trace.Remove && event.Outcome == "missing" && event.Cause == "program" {
			f.missing++
			f.involve(event, "SSL_CTX_remove_session")
		}
	},
	count: func(f *figures) uint64 { return f.missing },
	seen: func(count, _ uint64) string {
		return number(count, "session", "sessions") + " removed that the cache did not hold"
	},
}

// A client that breaks off now and then is none of the server's fault: a tenth of the sessions is.
const fewBadShutdowns = 3

var badShutdowns = rule{
	observe: func(f *figures, event *trace.Event) {
		f.countStored(event)
		if event.Operation == trace.Remove && event.Outcome == "removed" && event.Cause == "bad_shutdown" {
			f.badShutdowns++
		}
	},
	count: func(f *figures) uint64 {
		if f.badShutdowns < fewBadShutdowns || f.badShutdowns*10 < f.stored {
			return 0
		}
		return f.badShutdowns
	},
	of: func(f *figures) uint64 { return f.stored },
	seen: func(count, of uint64) string {
		return fmt.Sprintf("%d of %s dropped", count, number(of, "session", "sessions"))
	},
}

// One session in a hundred that gives way early is what a limit is for.
var liveSessionsEvicted = rule{
	observe: func(f *figures, event *trace.Event) {
		f.countStored(event)
		if event.Operation == trace.Evict && event.Alive && event.Cause == "limit" {
			f.liveEvicted++
		}
	},
	count: func(f *figures) uint64 {
		if f.liveEvicted*100 < f.stored {
			return 0
		}
		return f.liveEvicted
	},
	of: func(f *figures) uint64 { return f.stored },
	seen: func(count, of uint64) string {
		return fmt.Sprintf("%d of %s evicted before they expired", count, number(of, "session", "sessions"))
	},
}

// Fewer resumptions than these do not tell how a server resumes.
const fewResumptions = 5

// serverCache is SSL_SESS_CACHE_SERVER of SSL_CTX_set_session_cache_mode(3).
const serverCache = 2

var cacheNeverAsked = rule{
	observe: func(f *figures, event *trace.Event) {
		switch event.Operation {
		case trace.Lookup:
			f.lookups++
		case trace.Count:
			f.contexts[event.ContextID] = event.Counters
		}
	},
	count: func(f *figures) uint64 {
		var resumed uint64
		for _, one := range f.contexts {
			if one.Mode&serverCache == 0 || one.AcceptGood == 0 {
				continue
			}
			if one.Found+one.Missed+one.CallbackHits > 0 {
				return 0
			}
			resumed += one.Hits
		}
		if f.lookups > 0 || resumed < fewResumptions {
			return 0
		}
		return resumed
	},
	seen: func(count, _ uint64) string {
		return number(count, "resumption", "resumptions") + ", all by tickets"
	},
}
