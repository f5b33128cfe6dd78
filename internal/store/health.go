package store

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	failuresToOpen = 5 // in a row
	probeInterval  = 500 * time.Millisecond
	failingMax     = 256 // nodes; a server may say that its cluster has as many as it likes
)

// condition is what may be asked of a node.
type condition int

const (
	isUp   condition = iota
	isSlow           // it answers, but later than a look-up waits: it is written to, and not asked
	isDown           // nothing is asked of it
)

// nodeHealth is what is known of a node that has failed.
type nodeHealth struct {
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
	failing  map[string]*nodeHealth // by node; one that is not there is up
	openings atomic.Uint64
	opened   chan struct{} // has one element after a node went down
}

func newHealth() *health {
	return &health{failing: map[string]*nodeHealth{}, opened: make(chan struct{}, 1)}
}

func (h *health) of(node string) condition {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	if state := h.failing[node]; state != nil {
		return state.condition
	}
	return isUp
}

// unhealthy returns the nodes that are not up, each with the name of a record that it keeps.
func (h *health) unhealthy() map[string]string {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	unhealthy := map[string]string{}
	for node, state := range h.failing {
		if state.condition != isUp {
			unhealthy[node] = state.name
		}
	}
	return unhealthy
}

// lookupPassed ends the failures in a row of look-ups; writePassed those of writes. They are counted apart, for a
// server that answers too late for a look-up takes writes well.
func (h *health) lookupPassed(node string) {
	h.passed(node, func(state *nodeHealth) { state.lookups = 0 })
}

func (h *health) writePassed(node string) {
	h.passed(node, func(state *nodeHealth) { state.writes = 0 })
}

func (h *health) passed(node string, change func(*nodeHealth)) {
	h.mutex.RLock()
	state := h.failing[node]
	h.mutex.RUnlock()
	if state == nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	change(state)
	if state.lookups == 0 && state.writes == 0 && state.condition == isUp {
		delete(h.failing, node)
	}
}

func (h *health) lookupFailed(node, name string) {
	h.failed(node, name, func(state *nodeHealth) { state.lookups++ })
}

func (h *health) writeFailed(node, name string) {
	h.failed(node, name, func(state *nodeHealth) { state.writes++ })
}

// markDown lets nothing be asked of the node from now on.
func (h *health) markDown(node, name string) {
	h.failed(node, name, func(state *nodeHealth) { state.writes = failuresToOpen })
}

func (h *health) failed(node, name string, change func(*nodeHealth)) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	state := h.failing[node]
	if state == nil {
		if len(h.failing) >= failingMax {
			return
		}
		state = &nodeHealth{name: name}
		h.failing[node] = state
	}
	change(state)
	if state.condition == isDown || state.lookups < failuresToOpen && state.writes < failuresToOpen {
		return
	}
	if state.condition == isUp {
		h.openings.Add(1)
	}
	state.condition = isDown
	select {
	case h.opened <- struct{}{}:
	default:
	}
}

// probed takes what a probe has found. A node that is up is as if it had never failed.
func (h *health) probed(node string, found condition) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	state := h.failing[node]
	switch {
	case state == nil:
	case found == isUp:
		delete(h.failing, node)
	default:
		state.lookups, state.writes, state.condition = 0, 0, found
	}
}
