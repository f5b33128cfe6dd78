package store

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	failuresToOpen = 5 // in a row
	probeInterval  = 500 * time.Millisecond
	illMax         = 256 // nodes; a server may say that its cluster has as many as it likes
)

// condition is what may be asked of a node.
type condition int

const (
	isWell condition = iota
	isSlow           // it answers, but later than a look-up waits: it is written to, and not asked
	isDown           // nothing is asked of it
)

// illness is what is known of a node that has failed.
type illness struct {
	name      string // of a record that it keeps
	lookups   int    // that failed in a row
	writes    int    // batches of writes that failed in a row
	condition condition
}

// health keeps the nodes of a cluster apart: where one does not answer, the others are asked as ever. After some
// failures in a row nothing is asked of a node, until a probe of the store's own succeeds. The libraries for
// this let a request through as the probe; here that would be a handshake that waits.
type health struct {
	mutex    sync.RWMutex
	ill      map[string]*illness // by node; one that is not there is well
	openings atomic.Uint64
	opened   chan struct{} // has one element after a node went down
}

func newHealth() *health {
	return &health{ill: map[string]*illness{}, opened: make(chan struct{}, 1)}
}

func (h *health) of(node string) condition {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	if known := h.ill[node]; known != nil {
		return known.condition
	}
	return isWell
}

// patients returns the nodes that are not well, each with the name of a record that it keeps.
func (h *health) patients() map[string]string {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	patients := map[string]string{}
	for node, known := range h.ill {
		if known.condition != isWell {
			patients[node] = known.name
		}
	}
	return patients
}

// lookupPassed ends the failures in a row of look-ups; writePassed those of writes. They are counted apart, for a
// server that answers too late for a look-up takes writes well.
func (h *health) lookupPassed(node string) {
	h.passed(node, func(known *illness) { known.lookups = 0 })
}

func (h *health) writePassed(node string) { h.passed(node, func(known *illness) { known.writes = 0 }) }

func (h *health) passed(node string, change func(*illness)) {
	h.mutex.RLock()
	known := h.ill[node]
	h.mutex.RUnlock()
	if known == nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	change(known)
	if known.lookups == 0 && known.writes == 0 && known.condition == isWell {
		delete(h.ill, node)
	}
}

func (h *health) lookupFailed(node, name string) {
	h.failed(node, name, func(known *illness) { known.lookups++ })
}

func (h *health) writeFailed(node, name string) {
	h.failed(node, name, func(known *illness) { known.writes++ })
}

// wentDown lets nothing be asked of the node from now on.
func (h *health) wentDown(node, name string) {
	h.failed(node, name, func(known *illness) { known.writes = failuresToOpen })
}

func (h *health) failed(node, name string, change func(*illness)) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	known := h.ill[node]
	if known == nil {
		if len(h.ill) >= illMax {
			return
		}
		known = &illness{name: name}
		h.ill[node] = known
	}
	change(known)
	if known.condition == isDown || known.lookups < failuresToOpen && known.writes < failuresToOpen {
		return
	}
	if known.condition == isWell {
		h.openings.Add(1)
	}
	known.condition = isDown
	select {
	case h.opened <- struct{}{}:
	default:
	}
}

// probed takes what a probe has found. A node that is well is as if it had never failed.
func (h *health) probed(node string, found condition) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	known := h.ill[node]
	switch {
	case known == nil:
	case found == isWell:
		delete(h.ill, node)
	default:
		known.lookups, known.writes, known.condition = 0, 0, found
	}
}
