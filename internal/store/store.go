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
	"sync"
	"sync/atomic"
	"time"
)

// Settings is what a store is opened with.
type Settings struct {
	Address     string        // such as valkey://user:password@host:6379/0 (address.go)
	Password    string        // of the server, where the address has none
	Application string        // sessions of another application are never seen
	Timeout     time.Duration // the longest that a lookup waits
}

// Identity is what a session is known by. Nothing of it leaves the process but under a MAC.
type Identity struct {
	Context []byte // the session id context
	Version int32  // the protocol version, as SSL_SESSION_get_protocol_version(3) gives it
	ID      []byte // the session id
}

// server is what a store needs of its server, which may be several nodes.
type server interface {
	// node returns who keeps the record of that name: "" where there is one server, or where it is not known yet.
	// It waits for nothing.
	node(name string) string
	// connect sets connections up before they are needed.
	connect(ctx context.Context) error
	// isConnecting reports whether a connection is being set up.
	isConnecting() bool
	// get returns the record of each name, nil where there is none, and what went wrong with it; take removes
	// those that it returns, in one step with reading.
	get(ctx context.Context, names []string, take bool) ([][]byte, []error)
	// write carries the operations out and tells of each how it ended.
	write(ctx context.Context, operations []operation) []error
	// ping asks the node that keeps the record of that name for a sign of life.
	ping(ctx context.Context, name string) error
	// reset drops all connections: one may be in the middle of something.
	reset()
	close()
}

const (
	writeTimeout   = time.Second     // of a batch
	connectTimeout = 2 * time.Second // of a connection with all that belongs to it, and of a probe
	lookupsMax     = 64              // that are under way at once; the others wait, as long as they may
)

// Store is one process's view of the shared store. Its methods may be called from any thread.
//
// A lookup has two times: its caller waits as long as the settings say, and the request itself goes on for as long as
// a connection may take to be set up. So a connection that came too late for one lookup is there for the next, and
// what an answer takes can be told where it came too late.
type Store struct {
	application string
	timeout     time.Duration
	server      server
	ring        atomic.Pointer[keyring] // nil: no keys, and all is off
	queue       *queue
	health      *health
	counters    counters

	lifetime  context.Context // until Close
	stop      context.CancelFunc
	hasKeys   sync.Once
	started   chan struct{} // closed with the first keys
	connected chan struct{} // closed when the first connections are there, or can't be had
	underWay  chan struct{} // has an element for each lookup
	running   sync.WaitGroup
}

// Open returns a store for the server at the settings' address. It connects to nothing yet: the error says
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
	s := &Store{
		application: settings.Application,
		timeout:     settings.Timeout,
		server:      server,
		queue:       newQueue(),
		health:      newHealth(),
		started:     make(chan struct{}),
		connected:   make(chan struct{}),
		underWay:    make(chan struct{}, lookupsMax),
	}
	s.lifetime, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.work)
	s.running.Go(s.watch)
	return s
}

// Close ends the store's work. What still waits in the queue is lost. No other method may be called any more.
func (s *Store) Close() {
	s.stop()
	s.server.close() // ends what is under way
	s.running.Wait()
	if ring := s.ring.Swap(nil); ring != nil {
		ring.retire()
	}
}

// SetKeys takes the content of a key file (keys.go). On an error the keys stay as they were. The keys from before
// are wiped as soon as nobody uses them.
func (s *Store) SetKeys(text []byte) error {
	ring, err := parseKeys(text)
	if err != nil {
		return err
	}
	if before := s.ring.Swap(ring); before != nil {
		before.retire()
	}
	s.hasKeys.Do(func() { close(s.started) })
	return nil
}

// keys returns the newest keys, for the caller to release, or nil where there are none.
func (s *Store) keys() *keyring {
	for ring := s.ring.Load(); ring != nil; ring = s.ring.Load() {
		if ring.hold() {
			return ring
		}
	}
	return nil
}

// Put stores a session, serialised, for the rest of its life. It copies nothing of it but sealed, and
// never waits.
func (s *Store) Put(identity Identity, session []byte, life time.Duration, singleUse bool) {
	ring := s.keys()
	if ring == nil {
		return
	}
	defer ring.release()
	if life < time.Millisecond { // the server counts in these
		return
	}
	place := s.place(identity)
	name := ring.first().name(place)
	if s.health.of(s.server.node(name)) == isDown {
		s.counters.dropped.Add(1)
		return
	}
	record, err := ring.first().seal(place, session, singleUse)
	if err != nil {
		s.counters.dropped.Add(1)
		return
	}
	s.enqueue(operation{name: name, record: record, life: life})
}

// Delete removes a session, also one whose Put still waits. It never waits. Where the server does not carry it out
// it is tried again, for as long as a session can live.
func (s *Store) Delete(identity Identity) { s.DeleteWithin(identity, lifeUnknown) }

// DeleteWithin removes a session that has so long to live: the removal is tried again until then.
func (s *Store) DeleteWithin(identity Identity, life time.Duration) {
	ring := s.keys()
	if ring == nil {
		return
	}
	defer ring.release()
	deleteUntil := time.Now().Add(life)
	for _, name := range ring.names(s.place(identity)) {
		s.enqueue(operation{name: name, deleteUntil: deleteUntil})
	}
}

func (s *Store) enqueue(o operation) {
	if !s.queue.push(o) {
		s.counters.dropped.Add(1)
	}
}

// watch sets the first connections up and probes the nodes that are not up; no handshake waits for it.
func (s *Store) watch() {
	select {
	case <-s.lifetime.Done():
		return
	case <-s.started:
	}
	s.connect()
	close(s.connected)
	for s.lifetime.Err() == nil {
		unhealthy := s.health.unhealthy()
		if len(unhealthy) == 0 {
			select {
			case <-s.lifetime.Done():
			case <-s.health.opened:
			}
			continue
		}
		select {
		case <-s.lifetime.Done():
			return
		case <-time.After(probeInterval):
		}
		var probes sync.WaitGroup
		for node, name := range unhealthy {
			probes.Go(func() { s.probe(node, name) })
		}
		probes.Wait()
	}
}

func (s *Store) connect() {
	defer s.recoverPanic(func() { s.health.markDown("", "") })
	within, cancel := context.WithTimeout(s.lifetime, connectTimeout)
	defer cancel()
	if err := s.server.connect(within); err != nil {
		s.counters.noteFailure(err)
		s.health.markDown("", "")
		return
	}
	// Lookups may have failed meanwhile, for want of a connection.
	s.health.probed("", isUp)
}

// probe asks a node for a sign of life, on a connection that it sets up for this, and takes the time.
func (s *Store) probe(node, name string) {
	defer s.recoverPanic(func() { s.health.probed(node, isDown) })
	if s.server.node(name) != node {
		s.health.probed(node, isUp) // it keeps nothing any more that we ask for
		return
	}
	within, cancel := context.WithTimeout(s.lifetime, connectTimeout)
	defer cancel()
	err := s.server.ping(within, name)
	start := time.Now()
	if err == nil {
		err = s.server.ping(within, name)
	}
	took := time.Since(start)
	switch {
	case err != nil:
		s.health.probed(node, isDown)
	case took > s.timeout:
		s.health.probed(node, isSlow)
		s.counters.noteFailure(&lateError{took: took, timeout: s.timeout})
	default:
		s.health.probed(node, isUp)
	}
}

var errPanic = errors.New("an error of the client library")

// recoverPanic keeps a panic of the client inside.
func (s *Store) recoverPanic(then func()) {
	if recover() == nil {
		return
	}
	s.counters.noteFailure(errPanic)
	s.server.reset()
	then()
}
