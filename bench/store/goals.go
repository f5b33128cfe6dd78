package main

import (
	"fmt"
	"strings"
)

// goal is one number to reach.
type goal struct {
	what     string
	measured float64
	bound    float64
	unit     string
	atLeast  bool // the measured number is to be at least bound, else at most
}

func (g goal) line() string {
	word, reached := "at most", g.measured <= g.bound
	if g.atLeast {
		word, reached = "at least", g.measured >= g.bound
	}
	verdict := "reached"
	if !reached {
		verdict = "not reached"
	}
	return fmt.Sprintf("| %s | %.2f %s | %s %v %s | %s |\n", g.what, g.measured, g.unit, word, g.bound, g.unit, verdict)
}

// What the memory store is to be: near to a process's own cache, and as fast however many share it.
const (
	mostBeside    = 10.0 // µs more than one's own cache
	leastGrowth   = 1.6  // times the throughput, of two processes on two processors
	mostOfRecords = 3.0  // times as long with the most records as with the fewest, for their memory is colder
)

func (m shared) goals() []goal {
	few := recordCounts[0]
	many := few
	var goals []goal
	for _, operation := range operationNames {
		for _, records := range recordCounts {
			ours := spot{operation, memoryStore, records, 1}
			if m[ours] == nil {
				continue
			}
			many = records
			theirs := ours
			theirs.place = ownCache
			goals = append(goals, goal{
				what:     fmt.Sprintf("to %s among %d records, beside one's own cache", words[operation], records),
				measured: m.took(ours) - m.took(theirs), bound: mostBeside, unit: "µs more",
			})
		}
		one, two := spot{operation, memoryStore, few, 1}, spot{operation, memoryStore, few, 2}
		goals = append(goals, goal{
			what:     fmt.Sprintf("to %s with two processes against with one, in a second", words[operation]),
			measured: m.rate(two) / m.rate(one), bound: leastGrowth, unit: "×", atLeast: true,
		}, goal{
			what:     fmt.Sprintf("to %s among %d records against among %d", words[operation], many, few),
			measured: m.took(spot{operation, memoryStore, many, 1}) / m.took(one), bound: mostOfRecords, unit: "×",
		})
	}
	return goals
}

func (m shared) writeGoals(b *strings.Builder) {
	b.WriteString("| goal | measured | to reach | |\n|---|--:|--:|---|\n")
	for _, goal := range m.goals() {
		b.WriteString(goal.line())
	}
	b.WriteString("\n")
}
