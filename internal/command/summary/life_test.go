package summary

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

// Sessions beyond the bound are not watched, and one that ends makes room for another.
func TestLivesAreBounded(t *testing.T) {
	watched, process := newLives(2), &registry.Process{}
	observe := func(operation trace.Operation, outcome trace.Outcome, sessions ...string) {
		for _, session := range sessions {
			watched.observe(process, &trace.Event{Operation: operation, Outcome: outcome, Session: session})
		}
	}
	observe(trace.Add, trace.Stored, "1", "2", "3")
	observe(trace.Expire, "", "1", "3", "2")
	require.EqualValues(t, 2, watched.summary().Count, "one was too many")
	observe(trace.Add, trace.Stored, "4", "5", "6")
	watched.forget(process)
	observe(trace.Add, trace.Stored, "7", "8", "9")
	observe(trace.Expire, "", "4", "7", "8", "9")
	require.EqualValues(t, 4, watched.summary().Count, "what a process held at its end makes room too")
}
