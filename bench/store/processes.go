package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// place is where the processes of a program look sessions up, and store them.
type place int

const (
	ownCache place = iota // of each process
	memoryStore
	serverStore
)

var (
	placeNames     = []string{"own cache", "memory store", "server"}
	recordCounts   = []int{1_000, 10_000, 100_000, 1_000_000}
	processCounts  = []int{1, 2, 4, 8}
	operationNames = []string{"lookup", "store"}
)

// operationsOf is how much of each operation a process does: long enough for processors to be shared out, and for the
// server no more than its queue has room for.
func operationsOf(at place) int {
	if at == serverStore {
		return 2_000
	}
	return 20_000
}

// spot is one figure's place in the tables.
type spot struct {
	operation string
	place     place
	records   int
	processes int
}

// speed is what was measured there, once for each round.
type speed struct {
	took  []float64 // nanoseconds of one operation
	rates []float64 // operations a second of all processes
}

// shared is what the memory store costs beside a process's own cache and beside a server.
type shared map[spot]*speed

// share runs the places in turn.
func share(s *server, program string, rounds, most int) (shared, error) {
	measured := shared{}
	for range rounds {
		for _, records := range recordCounts {
			for at := range placeNames {
				if records > most {
					continue
				}
				if err := s.clear(); err != nil {
					return nil, err
				}
				if err := measured.runOnce(s, program, place(at), records); err != nil {
					return nil, fmt.Errorf("%s, %d records: %w", placeNames[at], records, err)
				}
			}
		}
	}
	return measured, s.clear()
}

// regionSize is room for that many records and for those that are stored beside, so that none gives way.
func regionSize(records int) int { return max(512<<20, records*1024) }

func environmentOf(s *server, at place, records int) ([]string, error) {
	library, err := filepath.Abs("build/libsslcache.so")
	if err != nil {
		return nil, err
	}
	environment := []string{"PATH=" + os.Getenv("PATH"), "LD_PRELOAD=" + library}
	switch at {
	case memoryStore:
		environment = append(environment, "SSLCACHE_SIZE=1", fmt.Sprintf("SSLCACHE_STORE=memory?size=%dk", regionSize(records)>>10))
	case serverStore:
		environment = append(environment, "SSLCACHE_SIZE=1", "SSLCACHE_STORE="+s.address(), "SSLCACHE_STORE_KEY="+s.keys,
			"SSLCACHE_STORE_TIMEOUT=1s")
	}
	return environment, nil
}

func (m shared) runOnce(s *server, program string, at place, records int) error {
	environment, err := environmentOf(s, at, records)
	if err != nil {
		return err
	}
	pace := 0
	if at == serverStore {
		pace = 3000 // no faster than the server takes them
	}
	arguments := []string{strconv.Itoa(records), strconv.Itoa(operationsOf(at)), strconv.Itoa(pace)}
	for _, processes := range processCounts {
		arguments = append(arguments, strconv.Itoa(processes))
	}
	command := exec.Command(program, arguments...)
	command.Env = environment
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		if err := m.take(lines.Text(), at, records); err != nil {
			return err
		}
	}
	return nil
}

// take reads one line of the program.
func (m shared) take(line string, at place, records int) error {
	one := spot{place: at, records: records}
	var took, rate float64
	var done int
	if _, err := fmt.Sscan(line, &one.operation, &one.processes, &took, &rate, &done); err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	// A figure of operations that did something else is none.
	if all := operationsOf(at) * one.processes; done < all*99/100 {
		return fmt.Errorf("%s with %d processes: %d of %d", one.operation, one.processes, done, all)
	}
	if m[one] == nil {
		m[one] = &speed{}
	}
	m[one].took = append(m[one].took, took)
	m[one].rates = append(m[one].rates, rate)
	return nil
}

// took is the median in microseconds, or 0.
func (m shared) took(one spot) float64 {
	if m[one] == nil {
		return 0
	}
	return median(m[one].took) / 1e3
}

func (m shared) rate(one spot) float64 {
	if m[one] == nil {
		return 0
	}
	return median(m[one].rates)
}

// ---- the document ----

func (m shared) write(b *strings.Builder) {
	if len(m) == 0 {
		return
	}
	fmt.Fprintf(b, `## The memory store

Processes that are forked from one parent work at once: each does %d of each operation, %d with the server.
A look-up is all of the answer to a ClientHello of TLS 1.2 that offers a session. To store is
`+"`SSL_CTX_add_session`"+`, beside the records and what fewer processes have stored before; with the server it only
puts the session into the process's queue, and how much of that the server takes is above. "Own cache" is our
library without a store, where each process has all sessions; "memory store" is `+"`SSLCACHE_STORE=memory`"+`, and
"server" the one above, both with no cache of the process's own.

`, operationsOf(memoryStore), operationsOf(serverStore))
	m.writeGoals(b)
	for _, operation := range operationNames {
		fmt.Fprintf(b, "µs to %s a session (of each process, the median), and operations a second of all:\n\n", words[operation])
		m.writeTable(b, operation)
	}
}

var words = map[string]string{"lookup": "look up", "store": "store"}

func (m shared) writeTable(b *strings.Builder, operation string) {
	b.WriteString("| records | processes |")
	for _, name := range placeNames {
		fmt.Fprintf(b, " %s | a second |", name)
	}
	b.WriteString("\n|--:|--:|" + strings.Repeat("--:|--:|", len(placeNames)) + "\n")
	for _, records := range recordCounts {
		for _, processes := range processCounts {
			if m[spot{operation, ownCache, records, processes}] == nil {
				continue
			}
			fmt.Fprintf(b, "| %d | %d |", records, processes)
			for at := range placeNames {
				one := spot{operation, place(at), records, processes}
				fmt.Fprintf(b, " %.1f | %.0f |", m.took(one), m.rate(one))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
}
