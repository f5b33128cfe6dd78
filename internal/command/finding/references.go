package finding

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// maxObjects bounds the SSL_SESSION objects that are watched at one time. Those beyond are not judged.
const maxObjects = 1 << 20

// fewHeld is how many references a process that was killed may have held: it had no chance to give
// them back. More than that, and more than half of all that it took, is a leak.
const fewHeld = 10

// references watches the balance of what the program takes and gives back, for each SSL_SESSION.
type references struct {
	room    int
	objects map[*registry.Process]map[string]*object
	takes   map[*registry.Process]uint64
	leaked  map[string]*blame
	tooMany map[string]*blame
}

// object is one SSL_SESSION, as far as the program's own references go.
type object struct {
	balance  int
	whole    bool // its life was seen from its birth, so that a balance below 0 means something
	involved []involvement
}

// involvement is how often a caller took a reference, or gave one back that was not there.
type involvement struct {
	caller
	times uint64
}

// caller is a place and the function that it called.
type caller struct {
	function string
	place    trace.Caller
}

// maxInvolved bounds the callers that are kept for an object.
const maxInvolved = 8

// blame counts how many references and whose.
type blame struct {
	references, objects uint64
	places              map[caller]uint64
}

func newReferences(room int) *references {
	return &references{
		room:    room,
		objects: map[*registry.Process]map[string]*object{},
		takes:   map[*registry.Process]uint64{},
		leaked:  map[string]*blame{},
		tooMany: map[string]*blame{},
	}
}

func (r *references) observe(current *registry.Process, event *trace.Event) {
	if event.Object == "" {
		return
	}
	switch event.Operation {
	case trace.Take:
		r.take(current, event)
	case trace.Give:
		r.give(current, event)
	case trace.Freed:
		r.free(current, event.Object)
	case trace.Add:
		// What a handshake stores is libssl's, and the program has no reference yet.
		r.object(current, event.Object, event.Cause == trace.ByHandshake)
	}
}

// object returns the object, or nil where there is no room for another. It is made where it is new.
func (r *references) object(current *registry.Process, token string, born bool) *object {
	objects := r.objects[current]
	if known := objects[token]; known != nil || r.room == 0 {
		return known
	}
	if objects == nil {
		objects = map[string]*object{}
		r.objects[current] = objects
	}
	r.room--
	created := &object{whole: born}
	objects[token] = created
	return created
}

// makers are the functions that make an object: what they give is the program's only reference to it.
var makers = []string{
	"SSL_SESSION_new", "SSL_SESSION_dup", "d2i_SSL_SESSION", "d2i_SSL_SESSION_ex", "PEM_read_bio_SSL_SESSION", "PEM_read_SSL_SESSION",
}

func (r *references) take(current *registry.Process, event *trace.Event) {
	r.takes[current]++
	born := slices.Contains(makers, event.Function)
	if born {
		// Its token may be that of an object whose end was lost.
		r.free(current, event.Object)
	}
	taken := r.object(current, event.Object, born)
	if taken == nil {
		return
	}
	taken.balance++
	taken.involve(event)
}

func (r *references) give(current *registry.Process, event *trace.Event) {
	given := r.object(current, event.Object, false)
	if given == nil {
		return
	}
	given.balance--
	if given.balance < 0 {
		given.blame(event)
	}
}

func (o *object) involve(event *trace.Event) {
	who := caller{function: event.Function, place: event.Caller}
	for i := range o.involved {
		if o.involved[i].caller == who {
			o.involved[i].times++
			return
		}
	}
	if len(o.involved) < maxInvolved {
		o.involved = append(o.involved, involvement{caller: who, times: 1})
	}
}

// blame makes the last who gave back too much the one that is named.
func (o *object) blame(event *trace.Event) {
	o.involved = nil
	o.involve(event)
}

// free ends the life of an object. What it lacks then was freed too often; what it has too much, the
// program gave back in a way that nobody sees, such as by answering it from a callback.
func (r *references) free(current *registry.Process, token string) {
	gone := r.objects[current][token]
	if gone == nil {
		return
	}
	r.judgeTooMany(current, gone)
	delete(r.objects[current], token)
	r.room++
}

func (r *references) judgeTooMany(current *registry.Process, session *object) {
	if session.whole && session.balance < 0 {
		blameFor(r.tooMany, current.Program).add(session, -session.balance)
	}
}

func (r *references) conclude(current *registry.Process) {
	held := &blame{places: map[caller]uint64{}}
	for _, session := range r.objects[current] {
		r.judgeTooMany(current, session)
		if session.balance > 0 {
			held.add(session, session.balance)
		}
	}
	if held.references > r.mayHold(current) {
		blameFor(r.leaked, current.Program).join(held)
	}
	r.room += len(r.objects[current])
	delete(r.objects, current)
	delete(r.takes, current)
}

// mayHold is how many references the process may have at its end without being blamed.
func (r *references) mayHold(current *registry.Process) uint64 {
	if current.Ended > 0 {
		return 0
	}
	return max(fewHeld, r.takes[current]/2)
}

func blameFor(all map[string]*blame, program string) *blame {
	if all[program] == nil {
		all[program] = &blame{places: map[caller]uint64{}}
	}
	return all[program]
}

func (b *blame) add(session *object, references int) {
	b.references += uint64(references)
	b.objects++
	for _, place := range session.involved {
		b.places[place.caller] += place.times
	}
}

func (b *blame) join(other *blame) {
	b.references += other.references
	b.objects += other.objects
	for place, count := range other.places {
		b.places[place] += count
	}
}

// mostPlaces is how many places a finding names.
const mostPlaces = 10

func (b *blame) ranked() []Place {
	places := []Place{}
	for place, count := range b.places {
		places = append(places, Place{Function: place.function, Module: place.place.Module, Symbol: place.place.Symbol, Count: count})
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.String(), b.String()))
	})
	return places[:min(len(places), mostPlaces)]
}

func (r *references) findings() []Finding {
	var found []Finding
	for _, program := range slices.Sorted(maps.Keys(r.leaked)) {
		blamed := r.leaked[program]
		found = append(found, Finding{
			Kind: LeakedReferences, Program: program, Count: blamed.references, Places: blamed.ranked(),
			Seen: fmt.Sprintf("%s to %s never given back", number(blamed.references, "reference", "references"),
				number(blamed.objects, "session", "sessions")),
		})
	}
	for _, program := range slices.Sorted(maps.Keys(r.tooMany)) {
		blamed := r.tooMany[program]
		found = append(found, Finding{
			Kind: FreedTooOften, Program: program, Count: blamed.references, Places: blamed.ranked(),
			Seen: number(blamed.references, "free", "frees") + " without a reference",
		})
	}
	return found
}
