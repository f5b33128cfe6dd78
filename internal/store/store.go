// Package store keeps TLS sessions in a Valkey or Redis server, so that they outlive the process that
// made them and are found by the others that serve the same clients.
//
// It is never in the way of a handshake: writes wait in a bounded queue, a lookup has a short time, and
// where the server does not answer, nothing is asked of it until it does again. What it sends is sealed:
// the server sees neither ids nor secrets (record.go).
package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Settings is what a store is opened with.
type Settings struct {
	Address     string        // such as valkey://user:password@host:6379/0 (address.go)
	Password    string        // of the server, where the address has none
	Application string        // sessions of another application are never seen
	Timeout     time.Duration // the longest that a lookup waits

	// Connections are noted where these are set: a forked child closes what it has inherited.
	Connected    func(descriptor int)
	Disconnected func(descriptor int)
}

// Identity is what a session is known by. Nothing of it leaves the process but under a MAC.
type Identity struct {
	Context []byte // the session id context
	Version int32  // the protocol version, as SSL_SESSION_get_protocol_version(3) gives it
	ID      []byte // the session id
}

// server is what a store needs of its server.
type server interface {
	// get gives the record of each name, nil where there is none; take removes those it gives, in one
	// step with reading.
	get(ctx context.Context, names []string, take bool) ([][]byte, error)
	// write carries the operations out in their order and tells of each how it ended.
	write(ctx context.Context, operations []operation) []error
	ping(ctx context.Context) error
	// reset drops all connections: one may be in the middle of something.
	reset()
	close()
}

// What waits for a server that is slow, and how many go at once.
const (
	queueRoom    = 8192
	batchMax     = 256
	writeTimeout = time.Second
)

// Store is one process's view of the shared store. Its methods may be called from any thread.
type Store struct {
	application string
	timeout     time.Duration
	server      server
	ring        atomic.Pointer[keyring] // nil: no keys, and all is off
	queue       *queue
	breaker     *breaker
	counters    counters
	stop        context.CancelFunc
	stopped     chan struct{}
}

// Open gives a store for the server at the settings' address. It connects to nothing yet: the error says
// what is wrong with the settings. Nothing is stored or found before SetKeys.
func Open(settings Settings) (*Store, error) {
	if settings.Timeout <= 0 {
		return nil, errors.New("its timeout must be above 0")
	}
	client, err := newClient(settings)
	if err != nil {
		return nil, err
	}
	return open(settings, client), nil
}

func open(settings Settings, server server) *Store {
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{
		application: settings.Application,
		timeout:     settings.Timeout,
		server:      server,
		queue:       newQueue(queueRoom),
		breaker:     newBreaker(),
		stop:        stop,
		stopped:     make(chan struct{}),
	}
	go s.work(ctx)
	return s
}

// Close ends the store's work. What still waits in the queue is lost.
func (s *Store) Close() {
	s.stop()
	<-s.stopped
	s.server.close()
}

// SetKeys takes the content of a key file (keys.go). On an error the keys stay as they were.
func (s *Store) SetKeys(text []byte) error {
	ring, err := parseKeys(text)
	if err != nil {
		return err
	}
	// The one before is not wiped here: another thread may be sealing with it.
	s.ring.Store(ring)
	return nil
}

// Put stores a session, serialised, for the rest of its life. It copies nothing of it but sealed, and
// never waits.
func (s *Store) Put(identity Identity, session []byte, life time.Duration, singleUse bool) {
	ring := s.ring.Load()
	if ring == nil || life <= 0 {
		return
	}
	if s.breaker.isOpen() {
		s.counters.dropped.Add(1)
		return
	}
	place := s.place(identity)
	record, err := ring.first().seal(place, session, singleUse)
	if err != nil {
		s.counters.dropped.Add(1)
		return
	}
	s.enqueue(operation{name: ring.first().name(place), record: record, life: life})
}

// Delete removes a session, also one whose Put still waits. It never waits.
func (s *Store) Delete(identity Identity) {
	ring := s.ring.Load()
	if ring == nil {
		return
	}
	place := s.place(identity)
	for _, key := range ring.keys {
		s.enqueue(operation{name: key.name(place)})
	}
}

func (s *Store) enqueue(o operation) {
	if !s.queue.push(o) {
		s.counters.dropped.Add(1)
	}
}

// Get looks a session up and opens it into room. It gives its length, 0 where there is none. With take
// the session is taken out: of all who ask, one gets it. So it is for a session that was put as
// single-use, whatever the caller says.
func (s *Store) Get(identity Identity, take bool, room []byte) (length int) {
	defer s.recoverPanic(&length)
	ring := s.ring.Load()
	if ring == nil {
		return 0
	}
	if s.breaker.isOpen() {
		s.counters.skipped.Add(1)
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	place := s.place(identity)
	length, singleUse := s.lookup(ctx, ring, place, take, room)
	if singleUse && !take {
		clear(room[:length])
		length, _ = s.lookup(ctx, ring, place, true, room)
	}
	return length
}

// lookup asks under the name that each key gives, at once.
func (s *Store) lookup(ctx context.Context, ring *keyring, place []byte, take bool, room []byte) (length int, singleUse bool) {
	begun := time.Now()
	records, err := s.server.get(ctx, ring.names(place), take)
	s.counters.waited(time.Since(begun))
	if err != nil {
		s.fail(err)
		return 0, false
	}
	s.breaker.succeed()
	for i, record := range records {
		if record == nil {
			continue
		}
		length, singleUse, err = ring.keys[i].open(place, record, room)
		if err == nil {
			s.counters.found.Add(1)
			return length, singleUse
		}
		s.counters.refused.Add(1)
	}
	s.counters.missed.Add(1)
	return 0, false
}

func (s *Store) fail(err error) {
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		s.counters.timedOut.Add(1)
	} else {
		s.counters.failed.Add(1)
	}
	s.counters.noteFailure(err)
	s.breaker.fail()
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// recoverPanic keeps a panic of the client inside: the lookup has found nothing.
func (s *Store) recoverPanic(length *int) {
	if recover() == nil {
		return
	}
	*length = 0
	s.counters.failed.Add(1)
	s.breaker.trip()
	s.server.reset()
}

// work writes what the queue has and, while the breaker is open, probes the server.
func (s *Store) work(ctx context.Context) {
	defer close(s.stopped)
	for ctx.Err() == nil {
		if s.breaker.isOpen() {
			s.probe(ctx)
			continue
		}
		batch := s.queue.take(batchMax)
		if len(batch) > 0 {
			s.write(ctx, batch)
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.queue.filled:
		case <-s.breaker.opened:
		}
	}
}

// probe waits a while and asks the server for a sign of life; no handshake waits for it.
func (s *Store) probe(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(probeInterval):
	}
	within, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.ping(within) == nil {
		s.breaker.close()
	}
}

var errPanic = errors.New("an error of the client library")

func (s *Store) ping(ctx context.Context) (err error) {
	defer func() {
		if recover() != nil {
			s.server.reset()
			err = errPanic
		}
	}()
	return s.server.ping(ctx)
}

// write carries out a batch. Of what fails, deletions are tried again; a session that was not written
// is only a session that is not found.
func (s *Store) write(ctx context.Context, batch []operation) {
	within, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var failure error
	var again []operation
	for i, err := range s.writeAll(within, batch) {
		switch {
		case err == nil && batch[i].isDeletion():
			s.counters.deleted.Add(1)
		case err == nil:
			s.counters.written.Add(1)
		case batch[i].isDeletion() && !isRefusal(err):
			again = append(again, batch[i])
			failure = err
		default:
			s.counters.dropped.Add(1)
			s.counters.noteFailure(err)
			if !isRefusal(err) {
				failure = err
			}
		}
	}
	s.queue.pushBack(again)
	if failure != nil {
		s.counters.noteFailure(failure)
		s.breaker.fail()
		return
	}
	s.breaker.succeed()
}

func (s *Store) writeAll(ctx context.Context, batch []operation) (results []error) {
	defer func() {
		if recover() == nil {
			return
		}
		s.server.reset()
		results = make([]error, len(batch))
		for i := range results {
			results[i] = errPanic
		}
	}()
	return s.server.write(ctx, batch)
}
