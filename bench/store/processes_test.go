package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFiguresOfOtherThingsAreNone(t *testing.T) {
	measured := shared{}
	require.NoError(t, measured.take("lookup 2 20000 70000 39990", memoryStore, 1000))
	require.Equal(t, &speed{took: []float64{20000}, rates: []float64{70000}}, measured[spot{"lookup", memoryStore, 1000, 2}])
	require.ErrorContains(t, measured.take("lookup 2 20000 70000 30000", memoryStore, 1000), "lookup with 2 processes: 30000 of 40000")
	require.ErrorContains(t, measured.take("lookup two", memoryStore, 1000), `"lookup two"`)
}

func TestGoalsOfTheMemoryStore(t *testing.T) {
	measured := shared{}
	for _, one := range []struct {
		at              place
		records         int
		processes       int
		took, perSecond float64
	}{
		{ownCache, 1000, 1, 15e3, 60e3},
		{memoryStore, 1000, 1, 19e3, 40e3},
		{memoryStore, 1000, 2, 20e3, 60e3},
		{ownCache, 1_000_000, 1, 20e3, 50e3},
		{memoryStore, 1_000_000, 1, 31e3, 30e3},
	} {
		for _, operation := range operationNames {
			measured[spot{operation, one.at, one.records, one.processes}] = &speed{
				took: []float64{one.took}, rates: []float64{one.perSecond},
			}
		}
	}
	lines := []string{}
	for _, goal := range measured.goals()[:4] {
		lines = append(lines, goal.line())
	}
	require.Equal(t, []string{
		"| to look up among 1000 records, beside one's own cache | 4.00 µs more | at most 10 µs more | reached |\n",
		"| to look up among 1000000 records, beside one's own cache | 11.00 µs more | at most 10 µs more | not reached |\n",
		"| to look up with two processes against with one, in a second | 1.50 × | at least 1.6 × | not reached |\n",
		"| to look up among 1000000 records against among 1000 | 1.63 × | at most 3 × | reached |\n",
	}, lines)
}
