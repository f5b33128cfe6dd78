package cache

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"libsslcache/internal/host"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// keyed is a key with an id of one byte.
func keyed(id byte) *Key {
	return &Key{Version: 0x303, Length: 1, ID: [MaxID]byte{id}}
}

// addAll adds the sessions 1, 2, 3, ... with these expiries, each under the id of its number, without limit.
func addAll(c *Cache, expiries ...int64) {
	for i, expiry := range expiries {
		c.Add(keyed(byte(i+1)), Session(i+1), expiry, 0)
	}
}

func TestAddAnswersWhetherItIsNew(t *testing.T) {
	c := fresh(libssl["3.0"])
	assert.Equal(t, Added{New: true}, c.Add(keyed(1), 11, 100, 0))
	assert.Equal(t, Added{}, c.Add(keyed(1), 11, 100, 0), "the very same session")
	assert.Equal(t, Added{New: true, Replaced: 11}, c.Add(keyed(1), 12, 100, 0), "another under its key")
	assert.EqualValues(t, 1, c.Number())
	assert.Equal(t, Session(12), lookup(c, keyed(1), nil))
	assert.Equal(t, Stats{Number: 1, Peak: 1, Stored: 2, Replaced: 1, Found: 1}, statsOf(c))
}

func TestWhatCannotBeKeptIsNotAdded(t *testing.T) {
	c := fresh(libssl["3.0"])
	tooLong := &Key{Length: MaxID + 1}
	assert.Equal(t, Added{}, c.Add(keyed(1), 0, 100, 0))
	assert.Equal(t, Added{}, c.Add(tooLong, 11, 100, 0))
	assert.Zero(t, lookup(c, tooLong, nil))
	assert.Zero(t, c.Remove(tooLong))
	assert.False(t, c.Contains(tooLong))
	assert.False(t, c.Reschedule(tooLong, 11, 100))
	assert.Equal(t, Stats{Missed: 1}, statsOf(c))
}

func TestKeysDifferByVersionLengthAndEveryByte(t *testing.T) {
	full := Key{Version: 0x304, Length: MaxID}
	keys := []Key{full, {Version: 0x303, Length: MaxID}, {Version: -0x304, Length: MaxID}}
	for length := range uint32(MaxID) {
		keys = append(keys, Key{Version: 0x304, Length: length})
	}
	for i := range MaxID {
		key := full
		key.ID[i] = 1
		keys = append(keys, key)
	}
	c := fresh(libssl["3.0"])
	for i := range keys {
		require.Equal(t, Added{New: true}, c.Add(&keys[i], Session(i+1), 100, 0), "key %d", i)
	}
	for i := range keys {
		require.Equal(t, Session(i+1), lookup(c, &keys[i], nil), "key %d", i)
		require.Equal(t, Session(i+1), c.Remove(&keys[i]), "key %d", i)
		require.False(t, c.Contains(&keys[i]), "key %d", i)
	}
}

func TestLimit(t *testing.T) {
	for _, test := range []struct {
		version     string
		limit, held int64
	}{
		{"1.1.1", 1, 1},
		{"1.1.1", 2, 2},
		{"1.1.1", 5, 5},
		{"1.1.1", 0, 20},
		{"1.1.1", -1, 20},
		{"3.0", 1, 1},
		{"3.0", 2, 1},
		{"3.0", 3, 2},
		{"3.0", 5, 4},
		{"3.0", 0, 20},
		{"3.0", math.MinInt64, 20},
		{"3.0", math.MaxInt64, 20},
		{"3.5", 5, 4},
	} {
		c := fresh(libssl[test.version])
		for i := byte(1); i <= 20; i++ {
			added := c.Add(keyed(i), Session(i), 100, test.limit)
			require.True(t, added.New)
			require.False(t, added.More)
			if int64(i) > test.held {
				require.EqualValues(t, int64(i)-test.held, added.Evicted, "the one added longest ago")
			}
		}
		assert.Equal(t, test.held, c.Number(), "%s with a limit of %d", test.version, test.limit)
		assert.EqualValues(t, test.held, statsOf(c).Peak, "an add is one step, its newcomer no peak")
	}
}

func TestNewcomerIsNeverTheVictim(t *testing.T) {
	c := fresh(libssl["3.0"])
	addAll(c, 100, 200)
	assert.Equal(t, Added{New: true, Evicted: 1}, c.Add(keyed(3), 3, 50, 3), "the newcomer expires first")
	assert.Equal(t, Added{New: true, Evicted: 3}, c.Add(keyed(4), 4, 60, 3), "but only once it is one")
	assert.Equal(t, []Session{4, 2}, drain(c))
}

func TestNewcomerAloneStays(t *testing.T) {
	for version, rules := range libssl {
		c := fresh(rules)
		assert.Equal(t, Added{New: true}, c.Add(keyed(1), 1, 100, 1), version)
		victim, more := c.Evict(1, 1)
		assert.Zero(t, victim, version)
		assert.False(t, more, version)
		assert.EqualValues(t, 1, c.Number(), version)
	}
}

// While other threads remove sessions, the number may be above the limit although the newcomer is all there is.
func TestNewcomerAloneEndsAnEviction(t *testing.T) {
	c := fresh(libssl["3.0"])
	c.Add(keyed(1), 1, 100, 0)
	c.number.Add(5)
	defer c.number.Add(-5)
	victim, more := c.Evict(2, 1)
	assert.Zero(t, victim)
	assert.False(t, more)
}

func TestLoweredLimitEvictsStepByStep(t *testing.T) {
	c := fresh(libssl["3.0"])
	addAll(c, 300, 100, 200, 400)
	assert.Equal(t, Added{New: true, Evicted: 2, More: true}, c.Add(keyed(5), 5, 50, 3))
	assert.EqualValues(t, 4, c.Number(), "the one handed out is gone, the next is not")
	assert.False(t, c.Contains(keyed(2)))
	assert.True(t, c.Contains(keyed(3)))
	victim, more := c.Evict(3, 5)
	assert.Equal(t, Session(3), victim)
	assert.True(t, more)
	victim, more = c.Evict(3, 5)
	assert.Equal(t, Session(1), victim)
	assert.False(t, more)
	victim, more = c.Evict(3, 5)
	assert.Zero(t, victim, "nothing to do")
	assert.False(t, more)
	assert.Equal(t, []Session{5, 4}, drain(c))
}

func TestEvictionEndsAtASessionWithoutID(t *testing.T) {
	nameless := &Key{Version: 0x303}
	for version, rules := range libssl {
		c := fresh(rules)
		require.True(t, c.Add(nameless, 9, 10, 0).New, version)
		addAll(c, 100, 200, 300)
		assert.Equal(t, Added{New: true}, c.Add(keyed(4), 4, 400, 2), version)
		assert.EqualValues(t, 5, c.Number(), version)
		assert.Equal(t, Session(9), c.Remove(nameless), "the caller says what may be removed by name")
		assert.Equal(t, Session(1), c.Add(keyed(5), 5, 500, 2).Evicted, version)
	}
}

func TestReplacementEvictsToo(t *testing.T) {
	c := fresh(libssl["3.0"])
	addAll(c, 100, 200, 300)
	assert.Equal(t, Added{New: true, Replaced: 1, Evicted: 2}, c.Add(keyed(1), 11, 50, 3))
	assert.Equal(t, Added{}, c.Add(keyed(1), 11, 50, 1), "what is cached already evicts nothing")
	assert.EqualValues(t, 3, statsOf(c).Peak)
	assert.Equal(t, []Session{11, 3}, drain(c))
}

func TestOrder(t *testing.T) {
	byExpiry := fresh(libssl["3.0"])
	addAll(byExpiry, 300, 100, math.MaxInt64, 200, 100, -5, 300)
	assert.Equal(t, []Session{6, 2, 5, 4, 1, 7, 3}, drain(byExpiry), "equals as they were added")
	byInsertion := fresh(libssl["1.1.1"])
	addAll(byInsertion, 300, 100, 200)
	assert.Equal(t, []Session{1, 2, 3}, drain(byInsertion))
	assert.Equal(t, Stats{Peak: 3, Stored: 3, Expired: 3}, statsOf(byInsertion))
}

func TestReadd(t *testing.T) {
	for version, order := range map[string][]Session{
		"1.1.1": {1, 2, 3},
		"3.0":   {2, 1, 3},
		"3.5":   {1, 2, 3},
	} {
		c := fresh(libssl[version])
		addAll(c, 100, 100, 300)
		c.Add(keyed(1), 1, 100, 0)
		assert.Equal(t, order, drain(c), version)
	}
}

// In 3.5 a re-add with another time leaves the session where it is, and yet a flush, which goes by
// place, judges it by its new time and stops at it.
func TestReaddThatDoesNotMoveStillCountsForAFlush(t *testing.T) {
	c := fresh(libssl["3.5"])
	addAll(c, 100, 200)
	c.Add(keyed(1), 1, 1000, 0)
	cursor := uint64(0)
	assert.Zero(t, c.Expire(500, &cursor))
	assert.Equal(t, Session(1), c.Expire(1001, &cursor))
	assert.Equal(t, Session(2), c.Expire(1001, &cursor))
}

func TestReschedule(t *testing.T) {
	for version, order := range map[string][]Session{
		"1.1.1": {1, 2, 3},
		"3.0":   {2, 3, 1},
		"3.5":   {2, 3, 1},
	} {
		c := fresh(libssl[version])
		addAll(c, 100, 200, 300)
		assert.False(t, c.Reschedule(keyed(1), 99, 300), "another session is under the key")
		assert.False(t, c.Reschedule(keyed(9), 1, 300), "none is")
		assert.True(t, c.Reschedule(keyed(1), 1, 300))
		cursor := uint64(0)
		if version == "1.1.1" {
			assert.Equal(t, Session(2), c.Expire(201, &cursor), "its expiry is noted")
			c.Add(keyed(2), 2, 200, 0)
			order = []Session{1, 3, 2}
		}
		assert.Equal(t, order, drain(c), version)
	}
}

func TestExpiryIsOverOnlyAfterItsSecond(t *testing.T) {
	for version, rules := range libssl {
		c := fresh(rules)
		addAll(c, 100)
		cursor := uint64(0)
		assert.Zero(t, c.Expire(100, &cursor), version)
		cursor = 0
		assert.Equal(t, Session(1), c.Expire(101, &cursor), version)
		assert.Equal(t, Stats{Peak: 1, Stored: 1, Expired: 1}, statsOf(c), version)
	}
}

func TestWhatNeverExpires(t *testing.T) {
	for version, rules := range libssl {
		c := fresh(rules)
		addAll(c, math.MaxInt64)
		cursor := uint64(0)
		assert.Zero(t, c.Expire(math.MaxInt64, &cursor), version)
		assert.EqualValues(t, 1, c.Number(), version)
	}
}

// By insertion a flush has to look at every session, but at each only once.
func TestFlushByInsertionGoesThroughOnce(t *testing.T) {
	c := fresh(libssl["1.1.1"])
	for i := range 1000 {
		c.Add(number(i), Session(i+1), int64(i%10), 0)
	}
	var expired []Session
	cursor, before := uint64(0), uint64(0)
	for s := c.Expire(5, &cursor); s != 0; s = c.Expire(5, &cursor) {
		shard, entry := split(cursor)
		way := join(shard, math.MaxUint32-entry) // up by shards, down in each
		require.Greater(t, way, before, "it goes on where it was")
		before = way
		expired = append(expired, s)
	}
	assert.Len(t, expired, 500)
	assert.EqualValues(t, 500, c.Number())
	assert.Zero(t, c.Expire(5, &cursor), "it is through")
}

func TestLookupRetainsWhileTheEntryCannotGo(t *testing.T) {
	c := fresh(libssl["3.0"])
	addAll(c, 100)
	retained := Session(0)
	lookup(c, keyed(1), func(s Session) {
		retained = s
		for i := range c.count {
			if s := c.shard(i); s != nil {
				assert.False(t, s.lock.Try(), "nobody can change the shard")
			}
		}
	})
	assert.Equal(t, Session(1), retained)
	lookup(c, keyed(2), func(Session) { assert.Fail(t, "nothing to retain") })
	assert.Equal(t, Stats{Number: 1, Peak: 1, Stored: 1, Found: 1, Missed: 1}, statsOf(c))
}

func TestContainsCountsNothing(t *testing.T) {
	c := fresh(libssl["3.0"])
	addAll(c, 100)
	assert.True(t, c.Contains(keyed(1)))
	assert.False(t, c.Contains(keyed(2)))
	assert.Equal(t, Stats{Number: 1, Peak: 1, Stored: 1}, statsOf(c))
}

func TestRemoveAnswersWhicheverIsUnderTheKey(t *testing.T) {
	c := fresh(libssl["3.0"])
	assert.Zero(t, c.Remove(keyed(1)))
	addAll(c, 100, 200)
	assert.Equal(t, Session(1), c.Remove(keyed(1)))
	assert.Zero(t, c.Remove(keyed(1)))
	assert.Equal(t, Stats{Number: 1, Peak: 2, Stored: 2, Removed: 1}, statsOf(c))
}

// A list that is added again by sequence makes a cache of the same order: what a fork needs.
func TestEntriesMakeTheSameCacheAgain(t *testing.T) {
	for version, rules := range libssl {
		c := fresh(rules)
		for i := range 500 {
			c.Add(number(i), Session(i+1), int64(i%7), 0)
		}
		for i := 0; i < 500; i += 3 {
			c.Remove(number(i))
			c.Reschedule(number(i+1), Session(i+2), 3)
		}
		all := listAll(c)
		slices.SortFunc(all, func(a, b Entry) int { return int(a.Sequence) - int(b.Sequence) })
		again := fresh(rules)
		for i := range all {
			again.Add(&all[i].Key, all[i].Session, all[i].Expiry, 0)
		}
		assert.EqualValues(t, 333, again.Number())
		assert.Equal(t, drain(c), drain(again), version)
	}
}

func listAll(c *Cache) (all []Entry) {
	room := make([]Entry, 17)
	for cursor := uint64(0); ; {
		n, next := list(c, cursor, room)
		all = append(all, room[:n]...)
		if next == 0 {
			return all
		}
		cursor = next
	}
}

func TestEntriesOfNothing(t *testing.T) {
	n, next := list(fresh(Rules{}), 0, make([]Entry, 1))
	assert.Zero(t, n)
	assert.Zero(t, next)
}

// A store of a pointer would need a write barrier, and the garbage collector does not know of the memory.
func TestWhatIsInMemoryHasNoPointer(t *testing.T) {
	for _, kept := range []any{Cache{}, shard{}, top{}, memory{}, slab{}, block{}, entry{}, place{}, slot(0)} {
		assert.False(t, pointed(reflect.TypeOf(kept)), "%T", kept)
	}
	assert.True(t, pointed(reflect.TypeFor[struct{ in [1]struct{ s []int } }]()), "the test sees pointers")
}

func pointed(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if pointed(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return pointed(t.Elem())
	default:
		return t.Kind() < reflect.Bool || t.Kind() > reflect.Complex128
	}
}

func TestSteadyUseAllocatesNothing(t *testing.T) {
	for version, rules := range libssl {
		c := fresh(rules)
		fill(c, 0, 1000, timeouts["equal"])
		i := 1000
		key := number(0)
		retain := func(Session) {}
		steady := func() {
			setNumber(key, i)
			c.Add(key, Session(i), int64(i), 1000)
			lookup(c, key, retain)
			c.Reschedule(key, Session(i), int64(i-1))
			setNumber(key, i-10)
			c.Remove(key)
			i++
		}
		for range 2000 { // until every shard once had its largest share
			steady()
		}
		assert.Zero(t, testing.AllocsPerRun(1000, steady), version)
	}
}

// An add and a removal in an empty cache must not build the shard anew each time.
func TestOneSessionThatComesAndGoesAllocatesNothing(t *testing.T) {
	c := fresh(libssl["3.0"])
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c.Add(keyed(1), 1, 100, 0)
		c.Remove(keyed(1))
	}))
}

// What makes equal timeouts cheap: no session of them is compared with more than one other.
func TestEqualTimeoutsMakeOneRun(t *testing.T) {
	c := freshWidth(libssl["3.0"], 0)
	s := func() *shard { return c.shard(0) }
	addAll(c, 100, 100, 101, 101, 101)
	require.EqualValues(t, root+1, s().runCount)
	c.Remove(keyed(5))
	c.Remove(keyed(1))
	c.Remove(keyed(3))
	c.Add(keyed(6), 6, 101, 0)
	require.EqualValues(t, root+1, s().runCount)
	c.Add(keyed(7), 7, 100, 0)
	require.EqualValues(t, root+2, s().runCount)
	assert.Equal(t, []Session{2, 7, 4, 6}, drain(c))
}

// Two keys may agree in the 32 bits of their hashes that the index keeps.
func TestKeysOfOneTag(t *testing.T) {
	const tag = 7
	keys := []Key{
		{Version: 0x303, Length: 2},
		{Version: 0x304, Length: 2},
		{Version: 0x303, Length: 3},
		{Version: 0x303, Length: 2, ID: [MaxID]byte{1}},
		{Version: 0x303, Length: MaxID},
		{Version: 0x303, Length: MaxID, ID: [MaxID]byte{31: 1}},
	}
	c := freshWidth(Rules{}, 0)
	s := c.makeShard(0)
	for i := range keys {
		number, _ := s.find(&keys[i], tag)
		require.EqualValues(t, none, number, "key %d", i)
		require.True(t, s.makeRoom(local))
		s.insert(&keys[i], tag, Session(i+1), 100, uint64(i))
	}
	for i := range keys {
		number, position := s.find(&keys[i], tag)
		require.Equal(t, Session(i+1), s.take(number, position))
	}
	assert.True(t, s.empty())
}

func TestHashDependsOnVersionAndID(t *testing.T) {
	seed := host.Local().Seed
	hashes := map[uint64]bool{}
	for version := range int32(4) {
		for id := range byte(4) {
			hashes[(&Key{Version: version, Length: 1, ID: [MaxID]byte{id}}).hash(&seed)] = true
		}
	}
	assert.Len(t, hashes, 16)
	other := Key{Length: 4}
	another := host.Local().Seed
	assert.NotEqual(t, other.hash(&seed), other.hash(&another), "each process has a function of its own")
}

// Another thread has taken the earliest session away after it was seen.
func TestTopThatChangedIsNotLocked(t *testing.T) {
	c := freshWidth(libssl["3.0"], 0)
	addAll(c, 100, 200)
	i, first := c.earliest(noShard)
	c.Remove(keyed(1))
	require.Nil(t, c.lockTop(i, &first))
	i, first = c.earliest(noShard)
	s := c.lockTop(i, &first)
	require.NotNil(t, s)
	assert.False(t, s.lock.Try())
	s.lock.Release()
}

// Memory of what went is used for what comes, and given back when all went.
func TestMemoryIsReusedAndGivenBack(t *testing.T) {
	const width, size = 1, 10_000
	c := freshWidth(libssl["3.0"], width)
	chunks := func() (count int) {
		for i := range c.count {
			count += int(c.shard(i).entries.count)
		}
		return count
	}
	fill(c, 0, size, timeouts["mixed"])
	full := chunks()
	for i := range 3 * size {
		c.Remove(number(i))
		fill(c, size+i, size+i+1, timeouts["mixed"])
	}
	assert.LessOrEqual(t, chunks(), full+2, "random shares differ by little")
	requireSound(t, c)
	drain(c)
	assert.Zero(t, chunks())
	requireSound(t, c)
}

// An empty cache has no shards, and a few sessions don't need much: programs have thousands of contexts.
func TestSmallCacheIsSmall(t *testing.T) {
	c := freshWidth(libssl["3.0"], 6)
	c.Contains(keyed(1))
	lookup(c, keyed(1), nil)
	c.Remove(keyed(1))
	indexes := func() (count int) {
		for i := range c.count {
			if c.shard(i) != nil {
				count++
			}
		}
		return count
	}
	assert.Zero(t, indexes())
	addAll(c, 100)
	assert.Equal(t, 1, indexes())
	assert.Equal(t, Stats{Number: 1, Peak: 1, Stored: 1, Missed: 1}, statsOf(c))
}
