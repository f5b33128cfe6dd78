package finding

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/trace"
)

func TestObjectsBeyondTheRoomAreNotJudged(t *testing.T) {
	watched := newReferences(2)
	current := &registry.Process{Program: "demo", Ended: 1}
	for i := range 5 {
		watched.observe(current, &trace.Event{Operation: trace.Take, Object: fmt.Sprint(i), Function: "SSL_get1_session"})
	}
	for i := range 5 {
		watched.observe(current, &trace.Event{Operation: trace.Give, Object: fmt.Sprint(i)})
	}
	require.Len(t, watched.objects[current], 2)
	watched.conclude(current)
	require.Empty(t, watched.findings())
	require.Equal(t, 2, watched.room, "the room comes back with the end of the process")
}

func TestTheRoomOfAFreedObjectComesBack(t *testing.T) {
	watched := newReferences(1)
	current := &registry.Process{}
	for i := range 5 {
		watched.observe(current, &trace.Event{Operation: trace.Take, Object: fmt.Sprint(i)})
		watched.observe(current, &trace.Event{Operation: trace.Freed, Object: fmt.Sprint(i)})
	}
	require.Equal(t, 1, watched.room)
	require.Empty(t, watched.objects[current])
}

func TestSessionsBeyondTheRoomPushOutOthers(t *testing.T) {
	watched := newHolders(2)
	for i := range 5 {
		watched.observe(&registry.Process{}, &trace.Event{Operation: trace.Add, Outcome: trace.Stored, Session: fmt.Sprintf("%016x", i)})
	}
	require.Len(t, watched.held, 2)
	require.Contains(t, watched.held, uint64(4))
}

func TestCallersAreBounded(t *testing.T) {
	places := map[caller]uint64{}
	for i := range maxCallers + 5 {
		involve(places, "f", &trace.Event{Caller: trace.Caller{Symbol: fmt.Sprint(i)}})
	}
	require.Len(t, places, maxCallers)
}
