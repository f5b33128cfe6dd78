package store

import (
	"context"
	"time"
)

// work carries out what the queue has.
func (s *Store) work() {
	for s.lifetime.Err() == nil {
		if batch := s.queue.take(batchMax, time.Now()); len(batch) > 0 {
			s.write(batch)
			continue
		}
		select {
		case <-s.lifetime.Done():
		case <-s.queue.filled:
		case <-time.After(s.queue.nextRetry(time.Now())):
		}
	}
}

// write carries a batch out, but what is kept by nodes that are down.
func (s *Store) write(batch []operation) {
	nodes := make([]string, 0, len(batch))
	possible := batch[:0]
	for _, o := range batch {
		node := s.server.node(o.name)
		if s.health.of(node) == isDown {
			s.giveUp(o, false)
			continue
		}
		nodes = append(nodes, node)
		possible = append(possible, o)
	}
	if len(possible) == 0 {
		return
	}
	within, cancel := context.WithTimeout(s.lifetime, writeTimeout)
	defer cancel()
	s.judgeWrites(possible, nodes, s.carryOut(within, possible))
}

// judgeWrites tells the health of the nodes. An answer that is a refusal is a sign of life.
func (s *Store) judgeWrites(operations []operation, nodes []string, errs []error) {
	silent := map[string]string{} // nodes that did not answer, and a name of each
	for i, err := range errs {
		o := operations[i]
		switch {
		case err == nil && o.isDeletion():
			s.counters.deleted.Add(1)
		case err == nil:
			s.counters.written.Add(1)
			s.queue.overwritten(o.name)
		default:
			s.counters.noteFailure(err)
			s.giveUp(o, isFinal(err))
			if !isAnswer(err) {
				silent[nodes[i]] = o.name
			}
		}
	}
	for _, node := range nodes {
		if _, isSilent := silent[node]; !isSilent {
			s.health.writePassed(node)
		}
	}
	for node, name := range silent {
		s.health.writeFailed(node, name)
	}
}

// giveUp: a session that was not written is only a session that is not found, but a removal is tried again as long
// as there is sense in it, also one that the write has taken the place of.
func (s *Store) giveUp(o operation, isFinal bool) {
	isLost := o.isDeletion() && isFinal
	if isLost || !o.isDeletion() {
		s.counters.dropped.Add(1)
	}
	if !isLost && !o.deleteUntil.IsZero() {
		s.queue.tryAgain(o.asDeletion(), time.Now())
	}
}

func (s *Store) carryOut(ctx context.Context, operations []operation) (errs []error) {
	defer s.recoverPanic(func() {
		errs = make([]error, len(operations))
		for i := range errs {
			errs[i] = errPanic
		}
	})
	return s.server.write(ctx, operations)
}
