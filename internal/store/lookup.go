package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lateError is an answer that came too late, or has not come yet.
type lateError struct {
	took         time.Duration // 0: it has not come
	isConnecting bool
	timeout      time.Duration
}

func (l *lateError) Error() string {
	switch {
	case l.took > 0:
		return fmt.Sprintf("the server answers after %v, SSLCACHE_STORE_TIMEOUT is %v: a longer one would wait for it",
			l.took.Round(100*time.Microsecond), l.timeout)
	case l.isConnecting:
		return fmt.Sprintf("no connection to the server within %v (SSLCACHE_STORE_TIMEOUT)", l.timeout)
	}
	return fmt.Sprintf("no answer of the server within %v (SSLCACHE_STORE_TIMEOUT)", l.timeout)
}

// Timeout makes it one of the errors that say so.
func (l *lateError) Timeout() bool { return true }

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// outcome is how a look-up ended.
type outcome int

const (
	missed outcome = iota
	found
	skipped  // nobody was asked
	timedOut // the caller has waited as long as it may
	failed
)

// Get looks a session up and opens it into room. It gives its length, 0 where there is none. With take
// the session is taken out: of all who ask, one gets it. So it is for a session that was put as
// single-use, whatever the caller says.
func (s *Store) Get(identity Identity, take bool, room []byte) int {
	ring := s.keys()
	if ring == nil {
		return 0
	}
	defer ring.release()
	start := time.Now()
	timeout := time.NewTimer(s.timeout)
	defer timeout.Stop()
	l := &lookup{store: s, ring: ring, place: s.place(identity), timeout: timeout.C}
	length, singleUse := l.open(take, room)
	if singleUse && !take {
		clear(room[:length])
		length, _ = l.open(true, room)
	}
	s.counters.note(l.outcome)
	if l.outcome != skipped {
		s.counters.waited(time.Since(start))
	}
	return length
}

// lookup is one call of Get.
type lookup struct {
	store   *Store
	ring    *keyring
	place   []byte
	timeout <-chan time.Time
	outcome outcome
}

// question is the name that one key gives, and who keeps a record of that name.
type question struct {
	key        *key
	name, node string
}

// open asks under the name that each key gives, at once, and opens what there is.
func (l *lookup) open(take bool, room []byte) (length int, singleUse bool) {
	l.outcome = skipped
	questions := l.questions()
	if len(questions) == 0 {
		return 0, false
	}
	records, err := l.ask(questions, take)
	if err != nil {
		l.outcome = failed
		if isTimeout(err) {
			l.outcome = timedOut
		}
		l.store.counters.noteFailure(err)
	} else {
		l.outcome = missed
	}
	for i, record := range records {
		if record == nil {
			continue
		}
		length, singleUse, err := questions[i].key.open(l.place, record, room)
		if err == nil {
			l.outcome = found
			return length, singleUse
		}
		l.store.counters.refused.Add(1)
	}
	return 0, false
}

// questions leaves out what is kept by nodes that are not up.
func (l *lookup) questions() (questions []question) {
	for _, key := range l.ring.keys {
		name := key.name(l.place)
		if node := l.store.server.node(name); l.store.health.of(node) == isUp {
			questions = append(questions, question{key, name, node})
		}
	}
	return questions
}

// answer is what came back for the questions.
type answer struct {
	records [][]byte
	errs    []error
}

// ask returns the record for each question, and an error where one could not be asked. It returns at the timeout at
// the latest.
func (l *lookup) ask(questions []question, take bool) ([][]byte, error) {
	s := l.store
	select {
	case <-s.connected:
	case <-l.timeout:
		return nil, l.late(questions)
	}
	select {
	case s.underWay <- struct{}{}:
	case <-l.timeout:
		return nil, l.late(questions)
	}
	answers := make(chan answer, 1)
	s.running.Go(func() {
		defer func() { <-s.underWay }()
		answers <- s.request(questions, take)
	})
	select {
	case got := <-answers:
		return got.records, s.judge(questions, got.errs)
	case <-l.timeout:
		return nil, l.late(questions)
	}
}

// late counts for each node that was asked.
func (l *lookup) late(questions []question) error {
	for _, q := range questions {
		l.store.health.lookupFailed(q.node, q.name)
	}
	return &lateError{timeout: l.store.timeout, isConnecting: l.store.server.isConnecting()}
}

// judge tells the health of the nodes, and returns the error of one, or nil.
func (s *Store) judge(questions []question, errs []error) (failure error) {
	for i, err := range errs {
		if err == nil {
			s.health.lookupPassed(questions[i].node)
			continue
		}
		s.health.lookupFailed(questions[i].node, questions[i].name)
		failure = err
	}
	return failure
}

// request goes on when nobody waits for it any more: the connection that it sets up serves the next.
func (s *Store) request(questions []question, take bool) (got answer) {
	defer s.recoverPanic(func() {
		got = answer{errs: make([]error, len(questions))}
		for i, q := range questions {
			got.errs[i] = errPanic
			s.health.markDown(q.node, q.name)
		}
	})
	within, cancel := context.WithTimeout(s.lifetime, max(connectTimeout, s.timeout))
	defer cancel()
	names := make([]string, len(questions))
	for i, q := range questions {
		names[i] = q.name
	}
	isConnecting := s.server.isConnecting()
	start := time.Now()
	got.records, got.errs = s.server.get(within, names, take)
	took := time.Since(start)
	if got.errs[0] == nil && took > s.timeout && !isConnecting && !s.server.isConnecting() {
		s.counters.noteFailure(&lateError{took: took, timeout: s.timeout})
	}
	return got
}
