package main

import (
	"fmt"
	"strconv"
	"strings"
)

// side is one of the two caches that are compared.
type side int

const (
	libssl side = iota
	ours
)

var (
	bothSides  = []side{libssl, ours}
	onlyOurs   = []side{ours}
	onlyLibssl = []side{libssl}
)

func (s side) String() string {
	if s == ours {
		return "ours"
	}
	return "libssl"
}

// benchCase is one way to run the C program, or another program that prints measurements.
type benchCase struct {
	name      string
	arguments []string // of the C program; none: run is called instead
	run       func(*runner) (measurements, error)
	sides     []side
	repeat    int  // runs on each side for each round
	traced    bool // our side writes a trace
	ticketed  bool // our side seals its tickets with shared keys
}

const (
	thousand = 1000
	million  = 1000 * thousand

	// mixedLimit is where libssl is left behind: it walks a list at each add, and a tenth of a
	// million would take it minutes.
	mixedLimit = 16 * thousand

	workerCount = 8

	// cacheSize is libssl's limit where a program sets none.
	cacheSize = 20480

	manyContexts = 2 * thousand
)

var (
	equalSizes  = []int{thousand, 10 * thousand, cacheSize, 100 * thousand, 300 * thousand, million}
	mixedSizes  = []int{thousand, 4 * thousand, mixedLimit, 100 * thousand, million}
	quickSizes  = []int{thousand, 10 * thousand}
	threadCount = []int{1, 2, 4}
)

func operationsName(order string, sessions int) string {
	return fmt.Sprintf("operations/%s/%d", order, sessions)
}

func lookupsName(sessions int) string { return fmt.Sprintf("lookups/%d", sessions) }

var handshakeVersions = []string{"1.2", "1.3"}

func handshakesName(version string) string { return "handshakes/" + version }

// threadedName is for the same in a program that has a thread beside the one that works.
func threadedName(version string) string { return "handshakes/threaded/" + version }

func threadsName(contexts string, threads int) string {
	return fmt.Sprintf("threads/%s/%d", contexts, threads)
}

func operations(order string, sessions, count int, extra ...string) benchCase {
	arguments := []string{"operations", "--sessions", strconv.Itoa(sessions), "--operations", strconv.Itoa(count)}
	return benchCase{
		name:      operationsName(order, sessions),
		arguments: append(arguments, extra...),
		sides:     bothSides,
		repeat:    1,
	}
}

// operationCases leave libssl out above mixedLimit, and let both sides do fewer operations below it.
func operationCases(quick bool) []benchCase {
	var cases []benchCase
	equal, mixed := equalSizes, mixedSizes
	if quick {
		equal, mixed = quickSizes, quickSizes[:1]
	}
	for _, sessions := range equal {
		cases = append(cases, operations("equal", sessions, 200*thousand))
	}
	for _, sessions := range mixed {
		c := operations("mixed", sessions, 4*thousand, "--mixed")
		if sessions > mixedLimit {
			c = operations("mixed", sessions, 200*thousand, "--mixed")
			c.sides = onlyOurs
		}
		cases = append(cases, c)
	}
	if !quick {
		cases = append(cases, operations("shuffled", 100*thousand, 200*thousand, "--shuffled"))
	}
	return cases
}

func threadCases() []benchCase {
	var cases []benchCase
	for _, threads := range threadCount {
		arguments := []string{"threads", "--threads", strconv.Itoa(threads)}
		cases = append(cases, benchCase{
			name: threadsName("one", threads), arguments: arguments, sides: bothSides, repeat: 3,
		}, benchCase{
			name:      threadsName("own", threads),
			arguments: append(arguments[:len(arguments):len(arguments)], "--own-contexts"),
			sides:     bothSides, repeat: 3,
		})
	}
	return cases
}

// handshakeCases run more often than others: their goal is two in a hundred, as small as the noise.
func handshakeCases(quick bool) []benchCase {
	sizes, repeat := equalSizes, 3
	if quick {
		sizes, repeat = quickSizes, 1
	}
	var cases []benchCase
	for _, sessions := range sizes {
		cases = append(cases, benchCase{
			name:      lookupsName(sessions),
			arguments: []string{"lookups", "--sessions", strconv.Itoa(sessions), "--operations", "2000"},
			sides:     bothSides, repeat: 1,
		})
	}
	for _, version := range handshakeVersions {
		arguments := []string{"handshakes", "--operations", "4000"}
		if version == "1.3" {
			arguments = []string{"handshakes", "--operations", "1000", "--tls13"}
		}
		cases = append(cases, benchCase{
			name: handshakesName(version), arguments: arguments, sides: bothSides, repeat: repeat,
		}, benchCase{
			name:      threadedName(version),
			arguments: append(arguments[:len(arguments):len(arguments)], "--threads", "2"),
			sides:     bothSides, repeat: repeat,
		})
	}
	return cases
}

func ticketsName(version string) string { return "tickets/" + version }

// ticketCases resume by stateless tickets: of libssl's own key, and of shared ones.
func ticketCases() []benchCase {
	var cases []benchCase
	for _, version := range handshakeVersions {
		arguments := []string{"handshakes", "--operations", "4000", "--tickets"}
		if version == "1.3" {
			arguments = append(arguments, "--tls13")
		}
		cases = append(cases, benchCase{name: ticketsName(version), arguments: arguments, sides: bothSides, repeat: 3, ticketed: true})
	}
	return cases
}

// traced is the case again, with a trace.
func traced(c benchCase) benchCase {
	c.name, c.traced, c.repeat = tracedName(c.name), true, 1
	return c
}

func tracedName(name string) string { return "traced/" + name }

func tracedCases() []benchCase {
	cases := []benchCase{traced(operations("equal", 10*thousand, 50*thousand))}
	for _, c := range handshakeCases(false) {
		if strings.HasPrefix(c.name, "handshakes/1") {
			cases = append(cases, traced(c))
		}
	}
	return cases
}

func workerCases() []benchCase {
	arguments := []string{"workers", "--threads", strconv.Itoa(workerCount), "--operations", "500"}
	return []benchCase{{
		name: "workers/empty", arguments: arguments, sides: bothSides, repeat: 1,
	}, {
		name:      "workers/inherited",
		arguments: append(arguments[:len(arguments):len(arguments)], "--parent-holds"),
		sides:     bothSides, repeat: 1,
	}}
}

// forkCases are a process that forks while it keeps sessions.
func forkCases() []benchCase {
	cases := []benchCase{{
		name: "children", arguments: []string{"children", "--operations", "300"}, sides: bothSides, repeat: 2,
	}}
	for _, sessions := range []int{thousand, million} {
		cases = append(cases, benchCase{
			name:      forkName(sessions),
			arguments: []string{"fork", "--sessions", strconv.Itoa(sessions), "--operations", "30"},
			sides:     bothSides, repeat: 1,
		})
	}
	return cases
}

func forkName(sessions int) string { return fmt.Sprintf("fork/%d", sessions) }

func processCases() []benchCase {
	return []benchCase{
		{name: "first", arguments: []string{"first"}, sides: bothSides, repeat: 4},
		{name: "small", arguments: []string{"small"}, sides: bothSides, repeat: 1},
		{
			name:      "contexts",
			arguments: []string{"contexts", "--sessions", strconv.Itoa(manyContexts), "--operations", "200000"},
			sides:     bothSides, repeat: 1,
		},
		{name: "preload/time", run: (*runner).measurePreload, sides: onlyOurs, repeat: 1},
		{name: "preload/empty", run: (*runner).measureEmptyPreload, sides: onlyOurs, repeat: 1},
		{name: "preload/threads", run: (*runner).countThreads, sides: onlyOurs, repeat: 1},
		{name: "pagefault", arguments: []string{"pagefault", "--operations", "4096"}, sides: onlyLibssl, repeat: 1},
	}
}

func allCases(quick bool) []benchCase {
	cases := operationCases(quick)
	cases = append(cases, threadCases()...)
	cases = append(cases, handshakeCases(quick)...)
	cases = append(cases, ticketCases()...)
	cases = append(cases, tracedCases()...)
	cases = append(cases, workerCases()...)
	cases = append(cases, forkCases()...)
	cases = append(cases, processCases()...)
	return cases
}
