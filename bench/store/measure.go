package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"libsslcache/internal/store"
)

// side is what a program runs under.
type side int

const (
	alone     side = iota // libssl
	ours                  // our library, without a store
	withStore             // and a store
	onlyStore             // and no cache of the process's own, so that every session comes out of the store
)

var sideNames = []string{"libssl alone", "our library", "with the store", "out of the store"}

// figure has the handshakes a second of each side.
type figure struct {
	version, kind string
	rates         [4]float64
}

// measurement is all that is measured.
type measurement struct {
	version    string
	processors string
	figures    []figure
	session    int     // bytes of a serialised session
	record     float64 // bytes of memory that the server has for one
	lookups    map[int]float64
	writes     float64
	wait       time.Duration // of a lookup alone
	shared     shared
}

// build compiles a program with the headers of the tests.
func build(folder, name string) (string, error) {
	program := filepath.Join(folder, name)
	output, err := exec.Command("cc", "-O2", "-std=c11", "-D_GNU_SOURCE", "-Itests/include", "-o", program,
		filepath.Join("bench/store/program", name+".c"), "-lssl", "-lcrypto").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cc: %w\n%s", err, output)
	}
	return program, nil
}

func measure(s *server, program string, rounds, count int) (*measurement, error) {
	m := &measurement{version: s.version(), processors: processors(), lookups: map[int]float64{}}
	for _, version := range []string{"1.2", "1.3"} {
		for _, kind := range []string{"full", "resumed"} {
			comparison, err := m.compare(s, program, version, kind, rounds, count)
			if err != nil {
				return nil, err
			}
			m.figures = append(m.figures, comparison)
		}
	}
	if err := m.weigh(s); err != nil {
		return nil, err
	}
	return m, m.ask(s)
}

// compare runs the sides in turn, so that a change of the machine's load meets all, and takes medians.
func (m *measurement) compare(s *server, program, version, kind string, rounds, count int) (figure, error) {
	rates := make([][]float64, len(sideNames))
	for range rounds {
		for i := range sideNames {
			if side(i) == onlyStore && kind == "full" {
				continue
			}
			if err := s.clear(); err != nil {
				return figure{}, err
			}
			rate, err := m.runOnce(s, program, version, kind, count, side(i))
			if err != nil {
				return figure{}, err
			}
			rates[i] = append(rates[i], rate)
		}
	}
	result := figure{version: version, kind: kind}
	for i := range rates {
		result.rates[i] = median(rates[i])
	}
	return result, nil
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (m *measurement) runOnce(s *server, program, version, kind string, count int, under side) (float64, error) {
	command := exec.Command(program, version, kind, fmt.Sprint(count))
	command.Env = []string{"PATH=" + os.Getenv("PATH")}
	if under != alone {
		library, err := filepath.Abs("build/libsslcache.so")
		if err != nil {
			return 0, err
		}
		command.Env = append(command.Env, "LD_PRELOAD="+library)
	}
	if under >= withStore {
		command.Env = append(command.Env, "SSLCACHE_STORE="+s.address(), "SSLCACHE_STORE_KEY="+s.keys, "SSLCACHE_STORE_TIMEOUT=1s")
	}
	if under == onlyStore {
		command.Env = append(command.Env, "SSLCACHE_SIZE=1")
	}
	output, err := command.Output()
	if err != nil {
		return 0, err
	}
	var rate float64
	var resumed, session int
	if _, err := fmt.Sscan(string(output), &rate, &resumed, &session); err != nil {
		return 0, err
	}
	// A figure of handshakes that did something else is none.
	if kind == "resumed" && resumed < count*99/100 || kind == "full" && resumed > 0 {
		return 0, fmt.Errorf("%s, TLS %s, %s: %d of %d resumed", sideNames[under], version, kind, resumed, count)
	}
	m.session = max(m.session, session)
	return rate, nil
}

const weighed = 100_000

func identity(i int) store.Identity {
	return store.Identity{Context: []byte("site"), Version: 0x304, ID: fmt.Appendf(nil, "%032d", i)}
}

func openStore(s *server) (*store.Store, error) {
	opened, err := store.Open(store.Settings{Address: s.address(), Application: "bench", Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(s.keys)
	if err != nil {
		return nil, err
	}
	return opened, opened.SetKeys(text)
}

// weigh puts many sessions and asks the server what they weigh, and how fast they went.
func (m *measurement) weigh(s *server) error {
	if err := s.clear(); err != nil {
		return err
	}
	before, _, err := s.memory()
	if err != nil {
		return err
	}
	opened, err := openStore(s)
	if err != nil {
		return err
	}
	defer opened.Close()
	session := make([]byte, m.session)
	start := time.Now()
	for i := range weighed {
		for opened.Stats().Queued > 4000 {
			time.Sleep(100 * time.Microsecond)
		}
		opened.Put(identity(i), session, time.Hour, false)
	}
	for opened.Stats().Written+opened.Stats().Dropped < weighed {
		time.Sleep(time.Millisecond)
	}
	m.writes = float64(opened.Stats().Written) / time.Since(start).Seconds()
	after, records, err := s.memory()
	if err != nil {
		return err
	}
	if records != weighed {
		return fmt.Errorf("of %d records the server has %d", weighed, records)
	}
	m.record = float64(after-before) / weighed
	return nil
}

// ask looks sessions up, from one thread and from many.
func (m *measurement) ask(s *server) error {
	opened, err := openStore(s)
	if err != nil {
		return err
	}
	defer opened.Close()
	for _, threads := range []int{1, 8, 32} {
		const each = 40_000
		var found atomic.Int64
		var group sync.WaitGroup
		start := time.Now()
		for thread := range threads {
			group.Go(func() {
				room := make([]byte, 8192)
				for i := range each / threads {
					if opened.Get(identity((thread*7919+i)%weighed), false, room) > 0 {
						found.Add(1)
					}
				}
			})
		}
		group.Wait()
		if found.Load() < each*99/100 {
			return fmt.Errorf("%d of %d lookups found a session: %+v", found.Load(), each, opened.Stats())
		}
		m.lookups[threads] = float64(each) / time.Since(start).Seconds()
		if threads == 1 {
			m.wait = opened.Stats().Waited / each
		}
	}
	return nil
}
