package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// refusal is an error that a server answers with.
type refusal string

func (r refusal) Error() string { return string(r) }
func (r refusal) RedisError()   {}

// The errors of a server that may be gone at the next attempt.
var passingRefusals = []refusal{
	"LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
	"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
	"CLUSTERDOWN Hash slot not served", "TRYAGAIN Multiple keys request during rehashing of slot",
	"BUSY Redis is busy running a script.", "ERR max number of clients reached", "MISCONF Redis is configured to save",
	"NOREPLICAS Not enough good replicas to write.", "ERR no upstream connection", "WRONGPASS invalid username-password pair",
}

// TestRemovalSurvivesARefusalThatPasses: a session that was removed does not come back.
func TestRemovalSurvivesARefusalThatPasses(t *testing.T) {
	for _, why := range passingRefusals {
		t.Run(string(why), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Store, f *fake) {
				put(s, "a")
				synctest.Wait()
				f.set(func(f *fake) { f.refuses[""] = fmt.Errorf("failed: %w", why) })
				s.DeleteWithin(named("a"), time.Hour)
				wait(time.Minute)
				require.Len(t, f.stored(), 1)
				stats := s.Stats()
				require.Equal(t, []uint64{1, 0, 0}, []uint64{stats.Queued, stats.Deleted, stats.Dropped})
				require.False(t, stats.Open, "a refusal of a removal is a sign of life")
				require.Contains(t, stats.Failure, string(why))

				f.set(func(f *fake) { clear(f.refuses) })
				wait(retryRemovals)
				require.Empty(t, f.stored())
				require.Empty(t, get(s, "a", false))
				require.Equal(t, []uint64{0, 1}, []uint64{s.Stats().Queued, s.Stats().Deleted})
			})
		})
	}
}

func TestRemovalIsForgottenWhenTheSessionHasExpired(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.refuses[""] = passingRefusals[0] })
		s.DeleteWithin(named("a"), time.Minute)
		s.Delete(named("b"))
		wait(time.Minute - time.Second)
		require.Equal(t, uint64(2), s.Stats().Queued)
		batches := f.count(&f.batches)
		require.InDelta(t, float64(time.Minute/retryRemovals), batches, 5, "it is tried each half second")
		wait(2 * time.Second)
		require.Equal(t, uint64(1), s.Stats().Queued, "the other one's life is not known")
	})
}

func TestRefusalThatIsFinal(t *testing.T) {
	for _, why := range []refusal{
		"NOPERM User cache has no permissions to run the 'del' command", "WRONGTYPE Operation against a key",
		"ERR unknown command 'del', with args beginning with:", "ERR wrong number of arguments for 'set' command",
		"ERR syntax error", "ERR DB index is out of range",
	} {
		inBubble(t, func(t *testing.T, s *Store, f *fake) {
			f.set(func(f *fake) { f.refuses[""] = why })
			put(s, "a")
			s.Delete(named("b"))
			synctest.Wait()
			stats := s.Stats()
			require.Equal(t, []uint64{0, 2}, []uint64{stats.Queued, stats.Dropped}, "%s", why)
			require.Equal(t, string(why), stats.Failure)
			require.False(t, stats.Open)
		})
	}
	require.False(t, isFinal(errors.New("NOPERM of somebody else")), "it is no answer of the server")
	require.False(t, isAnswer(errors.New("NOPERM of somebody else")))
}

// TestWriteThatTookTheRemovalsPlace: where the write fails the removal is still to be done.
func TestWriteThatTookTheRemovalsPlace(t *testing.T) {
	for _, why := range []error{passingRefusals[0], refusal("NOPERM User cache has no permissions to run the 'set' command")} {
		inBubble(t, func(t *testing.T, s *Store, f *fake) {
			put(s, "a")
			synctest.Wait()
			f.set(func(f *fake) { f.slow, f.refuses[""] = time.Millisecond, why })
			put(s, "b")
			synctest.Wait() // the two that follow come while this one is written, so they go in one batch
			s.DeleteWithin(named("a"), time.Hour)
			put(s, "a")
			wait(2 * time.Millisecond)
			require.Equal(t, uint64(1), s.Stats().Queued)
			require.Equal(t, uint64(2), s.Stats().Dropped, "both writes")
			f.set(func(f *fake) { clear(f.refuses) })
			wait(2 * retryRemovals)
			require.Empty(t, f.stored())
		})
	}
}

// TestNewerSessionIsNotRemoved: a removal that is tried again does not meet what was stored since.
func TestNewerSessionIsNotRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.refuses[""] = passingRefusals[0] })
		s.Delete(named("a"))
		synctest.Wait()
		f.set(func(f *fake) { clear(f.refuses) })
		put(s, "a")
		wait(10 * retryRemovals)
		require.Equal(t, "session a", get(s, "a", false))
		require.Zero(t, s.Stats().Queued)
		require.Zero(t, s.Stats().Deleted)
	})
}

// ofThree spreads names over three nodes, by their last letter.
func ofThree(name string) string { return fmt.Sprint("node ", int(name[len(name)-1])%3) }

// idsOn returns so many ids whose records the node keeps.
func idsOn(s *Store, node string, count int) (ids []string) {
	ring := s.keys()
	defer ring.release()
	for i := 0; len(ids) < count; i++ {
		id := fmt.Sprint("id ", i)
		if ofThree(ring.first().name(s.place(named(id)))) == node {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestOneOfThreeNodesIsGone: the others go on, whatever waits for the one.
func TestOneOfThreeNodesIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.nodeOf = ofThree })
		const dead = "node 2"
		var well []string
		for _, node := range []string{"node 0", "node 1"} {
			well = append(well, idsOn(s, node, 100)...)
		}
		ill := idsOn(s, dead, 100)
		for _, id := range append(ill, well...) {
			put(s, id)
		}
		synctest.Wait()
		f.set(func(f *fake) { f.refuses[dead] = errors.New("connection refused") })
		s.Delete(named(ill[0]))
		for _, id := range ill[:20] {
			require.Empty(t, get(s, id, false))
		}
		stats := s.Stats()
		require.Equal(t, []uint64{failuresToOpen, 20 - failuresToOpen, 1}, []uint64{stats.Failed, stats.Skipped, stats.Openings})
		for range 30 {
			for _, id := range well {
				require.Equal(t, "session "+id, get(s, id, false))
			}
			wait(probeInterval)
		}
		stats = s.Stats()
		require.Equal(t, uint64(30*len(well)), stats.Found)
		require.Equal(t, []uint64{1, 0, 1}, []uint64{stats.Queued, stats.Dropped, stats.Openings}, "the removal waits")
		require.True(t, stats.Open)

		put(s, ill[1])
		s.Delete(named(well[0]))
		synctest.Wait()
		require.Equal(t, uint64(1), s.Stats().Dropped, "a write to the one is not kept")
		require.Empty(t, get(s, well[0], false), "a removal from another is carried out")

		f.set(func(f *fake) { clear(f.refuses) })
		wait(2*probeInterval + retryRemovals)
		stats = s.Stats()
		require.False(t, stats.Open)
		require.Equal(t, []uint64{0, 2}, []uint64{stats.Queued, stats.Deleted})
		require.Empty(t, get(s, ill[0], false))
		require.Equal(t, "session "+ill[2], get(s, ill[2], false))
	})
}

// TestKeysOnTwoNodes: a record is found under the key whose node is there, and missed under the other.
func TestKeysOnTwoNodes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		before, after := strings.Repeat("01", 32), strings.Repeat("02", 32)
		require.NoError(t, s.SetKeys([]byte(before)))
		put(s, "a")
		ring := s.keys()
		old := ring.first().name(s.place(named("a")))
		ring.release()
		require.NoError(t, s.SetKeys([]byte(after+"\n"+before)))
		synctest.Wait()
		f.set(func(f *fake) { f.nodeOf = func(name string) string { return fmt.Sprint(name == old) } })
		f.set(func(f *fake) { f.refuses["false"] = errors.New("connection refused") })
		for range 2 * failuresToOpen {
			require.Equal(t, "session a", get(s, "a", false))
		}
		stats := s.Stats()
		require.Equal(t, []uint64{2 * failuresToOpen, 0, 1}, []uint64{stats.Found, stats.Failed, stats.Openings})
		f.set(func(f *fake) { clear(f.refuses); f.refuses["true"] = errors.New("connection refused") })
		wait(2 * probeInterval)
		require.Empty(t, get(s, "a", false))
		require.Equal(t, uint64(1), s.Stats().Failed)
		require.Zero(t, s.Stats().Missed, "it was not all asked")
	})
}

// TestNodeThatLeft: a node that keeps nothing any more is not probed for ever.
func TestNodeThatLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.nodeOf = func(string) string { return "old" } })
		f.set(func(f *fake) { f.refuses["old"] = errors.New("connection refused") })
		for range failuresToOpen {
			get(s, "a", false)
		}
		require.True(t, s.Stats().Open)
		f.set(func(f *fake) { f.nodeOf = func(string) string { return "new" } })
		wait(2 * probeInterval)
		require.False(t, s.Stats().Open)
		pings := f.count(&f.pings)
		wait(10 * probeInterval)
		require.Equal(t, pings, f.count(&f.pings))
	})
}

// TestNodeThatIsDownIsNotWrittenTo: a removal that waits for a node is not sent to it before a probe has succeeded.
func TestNodeThatIsDownIsNotWrittenTo(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		put(s, "a")
		synctest.Wait()
		f.set(func(f *fake) { f.failure = errors.New("connection refused") })
		s.Delete(named("a"))
		wait(failuresToOpen * retryRemovals)
		require.True(t, s.Stats().Open)
		batches, pings := f.count(&f.batches), f.count(&f.pings)
		require.Equal(t, 1+failuresToOpen, batches)
		s.Delete(named("b"))
		wait(20 * retryRemovals)
		require.Equal(t, batches, f.count(&f.batches))
		require.Greater(t, f.count(&f.pings), pings)
		require.Equal(t, uint64(2), s.Stats().Queued)
	})
}

// TestWriteThatSucceedsEndsTheFailuresInARow, and so does one that the server refuses.
func TestWriteThatSucceedsEndsTheFailuresInARow(t *testing.T) {
	for name, answer := range map[string]error{"success": nil, "refusal": passingRefusals[0]} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Store, f *fake) {
				write := func(failure error) {
					f.set(func(f *fake) { f.failure = failure })
					put(s, "a")
					synctest.Wait()
				}
				for range 3 {
					for range failuresToOpen - 1 {
						write(errors.New("connection refused"))
					}
					write(answer)
				}
				require.False(t, s.Stats().Open)
				require.Zero(t, s.Stats().Openings)
				for range failuresToOpen {
					write(errors.New("connection refused"))
				}
				require.True(t, s.Stats().Open)
			})
		})
	}
}

// TestServerThatIsTooFarAway: no look-up waits for it any more, but it is written to, and the report says why.
func TestServerThatIsTooFarAway(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		const distance = 25 * time.Millisecond
		f.set(func(f *fake) { f.slow = distance })
		for range failuresToOpen {
			put(s, "a")
			start := time.Now()
			require.Empty(t, get(s, "a", false))
			require.Equal(t, lookupTimeout, time.Since(start))
			wait(distance) // the write succeeds, which says nothing of the look-ups
		}
		const complaint = "the server answers after 25ms, SSLCACHE_STORE_TIMEOUT is 20ms: a longer one would wait for it"
		require.Equal(t, complaint, s.Stats().Failure)
		require.True(t, s.Stats().Open)
		wait(10 * time.Second)
		start := time.Now()
		require.Empty(t, get(s, "a", false))
		require.Zero(t, time.Since(start))
		written := s.Stats().Written
		put(s, "b")
		s.Delete(named("a"))
		wait(time.Second)
		stats := s.Stats()
		require.Equal(t, []uint64{written + 1, 1, failuresToOpen, 1, 0, 1},
			[]uint64{stats.Written, stats.Deleted, stats.TimedOut, stats.Skipped, stats.Failed, stats.Openings})
		require.Equal(t, complaint, stats.Failure)

		f.set(func(f *fake) { f.slow = lookupTimeout - time.Millisecond })
		wait(time.Second)
		require.Equal(t, "session b", get(s, "b", false))
		require.False(t, s.Stats().Open)
		require.Equal(t, 19*time.Millisecond, s.Stats().Waited-lookupTimeout*failuresToOpen)
	})
}

// TestLookupsUnderWayAreBounded: whatever hangs, there are not more of them than lookupsMax.
func TestLookupsUnderWayAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store, f *fake) {
		f.set(func(f *fake) { f.nodeOf = func(name string) string { return name } }) // each has a breaker of its own
		f.set(func(f *fake) { f.hangs = true })
		for i := range 3 * lookupsMax {
			require.Empty(t, get(s, fmt.Sprint(i), false))
			require.LessOrEqual(t, len(s.underWay), lookupsMax)
		}
		require.Equal(t, uint64(3*lookupsMax), s.Stats().TimedOut)
		f.set(func(f *fake) { f.hangs = false })
		wait(connectTimeout)
		require.Empty(t, s.underWay)
	})
}

func TestHealthRemembersNoMoreNodesThanItMay(t *testing.T) {
	h := newHealth()
	for i := range 10 * failingMax {
		h.lookupFailed(fmt.Sprint(i), "name")
	}
	require.Len(t, h.failing, failingMax)
	for i := range failingMax {
		h.lookupPassed(fmt.Sprint(i))
	}
	require.Empty(t, h.failing, "a node that is up is not remembered")
}

func TestHealthCountsInARow(t *testing.T) {
	h := newHealth()
	fail := func(times int, report func(node, name string)) {
		for range times {
			report("a", "name")
		}
	}
	fail(failuresToOpen-1, h.lookupFailed)
	fail(failuresToOpen-1, h.writeFailed)
	h.writePassed("a")
	fail(failuresToOpen-1, h.writeFailed)
	require.Equal(t, isUp, h.of("a"))
	require.Empty(t, h.unhealthy())
	h.lookupFailed("a", "name")
	require.Equal(t, isDown, h.of("a"), "a write that succeeds says nothing of look-ups")
	require.Equal(t, map[string]string{"a": "name"}, h.unhealthy())
	require.Equal(t, isUp, h.of("b"))
	h.lookupPassed("a")
	h.writePassed("a")
	require.Equal(t, isDown, h.of("a"), "what was under way closes nothing")
	h.probed("a", isSlow)
	require.Equal(t, isSlow, h.of("a"))
	h.probed("a", isUp)
	require.Equal(t, isUp, h.of("a"))
	h.probed("b", isDown)
	require.Equal(t, isUp, h.of("b"), "a probe takes no node down")
	fail(failuresToOpen, h.writeFailed)
	require.Equal(t, isDown, h.of("a"))
	require.Equal(t, uint64(2), h.openings.Load())
	fail(3, h.writeFailed)
	require.Equal(t, uint64(2), h.openings.Load())
}
