package apps

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDifferences asks: would the comparison of two runs see each thing that it is there to see?
func TestDifferences(t *testing.T) {
	alone := func() outcome {
		return outcome{
			fresh: 4, resumed: 192, refused: 4, log: []string{"started", "stopped"}, without: []string{"nginx"},
			threads: map[string]int{"nginx": 1},
		}
	}
	same := func() outcome {
		ours := alone()
		ours.with, ours.without = ours.without, nil
		return ours
	}
	assert.Empty(t, differences(comparison{}, alone(), same()))

	for _, one := range []struct {
		name       string
		complaints int
		change     func(alone, ours *outcome)
	}{
		{"a connection failed", 1, func(_, ours *outcome) { ours.failed++ }},
		{"a connection failed alone", 1, func(alone, _ *outcome) { alone.failed++ }},
		{"one was not resumed", 2, func(_, ours *outcome) { ours.resumed--; ours.refused++ }},
		{"one too many was resumed", 2, func(_, ours *outcome) { ours.resumed++; ours.refused-- }},
		{"a session was not given", 2, func(_, ours *outcome) { ours.resumed--; ours.fresh++ }},
		{"another status", 1, func(_, ours *outcome) { ours.exit = 134 }},
		{"a process stayed", 1, func(_, ours *outcome) { ours.left = []string{"nginx"} }},
		{"a new line in the log", 1, func(_, ours *outcome) { ours.log = append(ours.log, "worker died") }},
		{"our library was not there", 1, func(_, ours *outcome) { ours.with = nil }},
		{"one process went without ours", 1, func(_, ours *outcome) { ours.without = []string{"nginx"} }},
		{"a thread was made", 1, func(_, ours *outcome) { ours.threads = map[string]int{"nginx": 2} }},
		{"libssl was not alone", 1, func(alone, _ *outcome) { alone.with = []string{"nginx"} }},
	} {
		first, second := alone(), same()
		one.change(&first, &second)
		assert.Lenf(t, differences(comparison{}, first, second), one.complaints, "%s", one.name)
	}
}

func TestDifferencesByWorker(t *testing.T) {
	how := comparison{byWorker: true}
	alone := outcome{fresh: 4, resumed: 90, refused: 106, without: []string{"nginx"}}
	ours := outcome{fresh: 4, resumed: 100, refused: 96, with: []string{"nginx"}}
	assert.Empty(t, differences(how, alone, ours), "chance decides how many")
	ours.misplaced = 1
	assert.Len(t, differences(how, alone, ours), 1, "but not which")
	ours.misplaced, ours.resumed = 0, 0
	assert.Len(t, differences(how, alone, ours), 1, "nothing was compared")
}

func TestDifferencesByChance(t *testing.T) {
	how := comparison{byChance: true}
	alone := outcome{fresh: 4, resumed: 90, refused: 106, without: []string{"kamailio"}}
	ours := outcome{fresh: 4, resumed: 20, refused: 176, with: []string{"kamailio"}}
	assert.Empty(t, differences(how, alone, ours))
	ours.failed, ours.refused = 1, 175
	assert.Len(t, differences(how, alone, ours), 1)
}

func TestDifferencesExactly(t *testing.T) {
	how := comparison{exactOutput: true}
	alone := outcome{resumed: 1, without: []string{"perl"}, log: []string{"hits 196"}}
	ours := outcome{resumed: 1, with: []string{"perl"}, log: []string{"hits 195"}}
	assert.Len(t, differences(how, alone, ours), 2)
}

func TestDifferencesInWhereSessionsAre(t *testing.T) {
	how := comparison{stored: true}
	alone := outcome{resumed: 1, without: []string{"openssl"}}
	ours := outcome{resumed: 1, with: []string{"openssl"}}
	assert.Len(t, differences(how, alone, ours), 1)
	ours.counters.Stored = 1
	assert.Empty(t, differences(how, alone, ours))
}

// TestCount asks: is a resumption judged by where the session is?
func TestCount(t *testing.T) {
	var r run
	for _, line := range []string{"new 1", "resumed 1", "refused 2", "resumed 2"} {
		r.count(0, line)
	}
	assert.Zero(t, r.seen.misplaced)
	r.count(0, "refused 2")
	assert.Equal(t, 1, r.seen.misplaced, "the worker that had the session refused it")
	r.count(0, "resumed 1")
	assert.Equal(t, 2, r.seen.misplaced, "another resumed it")
	r.count(0, "failed ")
	assert.Equal(t, outcome{fresh: 1, resumed: 3, refused: 2, failed: 1, misplaced: 2}, r.seen)
}

func TestNormalise(t *testing.T) {
	s := &site{folder: "/tmp/apps1", port: 4433}
	log := "12:00 [7] /tmp/apps1/x listens on 4433\n\n0xdeadbeef session=<aB1/+> " + strings.Repeat("a1", 32) + "\n"
	assert.Equal(t, []string{"N:N [N] FOLDER/x listens on N", "N N N"}, normalise(log, s, false))
	assert.Equal(t, "12:00 [7] FOLDER/x listens on PORT", normalise(log, s, true)[0])
}

func TestParseProcess(t *testing.T) {
	const stat = "7 (a (b) c) Z 3 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 5 0 4711 0 0"
	assert.Equal(t, process{pid: 7, parent: 3, name: "a (b) c", started: "4711", ended: true, threads: 5}, parseProcess(stat))
}

// TestAuthentications asks: is each authentication of a supplicant counted once, and a failed one as failed?
func TestAuthentications(t *testing.T) {
	const started, ended = "CTRL-EVENT-EAP-STARTED\n", "CTRL-EVENT-EAP-SUCCESS\n"
	const full, short = "OpenSSL: Handshake finished - resumed=0\n", "OpenSSL: Handshake finished - resumed=1\n"
	log := "reads\n" + started + full + full + ended + started + short + ended + started + full + ended + started + full
	assert.Equal(t, "new\nresumed\nrefused\nfailed\n", authentications(log))
	assert.Equal(t, "no answer", authentications("no answer"))
}
