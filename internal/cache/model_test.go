package cache

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The rules of the versions of libssl that there are.
var libssl = map[string]Rules{
	"1.1.1": {ByInsertion: true},
	"3.0":   {CountsNewcomer: true, ReaddMoves: true},
	"3.5":   {CountsNewcomer: true},
}

// A model is libssl's list, from its tail, the earliest, to its head, and what libssl does with it,
// written down as plainly as possible.
type model struct {
	rules Rules
	list  []listed
	stats Stats
}

type listed struct {
	key     Key
	session Session
	order   int64 // the expiry that its place in the list came from
	expiry  int64
}

func (m *model) find(key Key) int {
	return slices.IndexFunc(m.list, func(l listed) bool { return l.key == key })
}

func (m *model) insert(added listed) {
	added.order = added.expiry
	if m.rules.ByInsertion {
		added.order = 0
	}
	behind := slices.IndexFunc(m.list, func(l listed) bool { return l.order > added.order })
	if behind < 0 {
		behind = len(m.list)
	}
	m.list = slices.Insert(m.list, behind, added)
}

func (m *model) cut(i int) listed {
	gone := m.list[i]
	m.list = slices.Delete(m.list, i, i+1)
	return gone
}

// add returns what Add and the calls of Evict that continue it have to return, in their order.
func (m *model) add(key Key, session Session, expiry, limit int64) (isNew bool, replaced Session, evicted []Session) {
	if i := m.find(key); i >= 0 && m.list[i].session == session {
		m.list[i].expiry = expiry
		if m.rules.ReaddMoves {
			again := m.cut(i)
			m.insert(again)
		}
		return false, 0, nil
	} else if i >= 0 {
		replaced = m.cut(i).session
		m.stats.Replaced++
	}
	m.stats.Stored++
	newcomer := listed{key: key, session: session, expiry: expiry}
	if m.rules.CountsNewcomer {
		evicted = m.evict(func() bool { return int64(len(m.list)+1) >= limit }, limit)
		m.insert(newcomer)
	} else {
		m.insert(newcomer)
		evicted = m.evict(func() bool { return int64(len(m.list)) > limit }, limit)
	}
	m.stats.Peak = max(m.stats.Peak, uint64(len(m.list)))
	return true, replaced, evicted
}

func (m *model) evict(over func() bool, limit int64) (evicted []Session) {
	for limit > 0 && over() && len(m.list) > 0 && m.list[0].key.Length > 0 {
		evicted = append(evicted, m.cut(0).session)
		m.stats.Evicted++
	}
	return evicted
}

func (m *model) flush(now int64) (expired []Session) {
	if m.rules.ByInsertion {
		for i := 0; i < len(m.list); {
			if now <= m.list[i].expiry {
				i++
				continue
			}
			expired = append(expired, m.cut(i).session)
		}
	} else {
		for len(m.list) > 0 && now > m.list[0].expiry {
			expired = append(expired, m.cut(0).session)
		}
	}
	m.stats.Expired += uint64(len(expired))
	return expired
}

// A machine does the same to a cache and to a model of it, and compares.
type machine struct {
	cache *Cache
	model model
	last  Session
}

func newMachine(rules Rules, width int) *machine {
	return &machine{cache: freshWidth(rules, width), model: model{rules: rules}}
}

func (m *machine) addNew(t require.TestingT, key Key, expiry, limit int64) {
	m.last++
	m.add(t, key, m.last, expiry, limit)
}

func (m *machine) addAgain(t require.TestingT, key Key, expiry, limit int64) {
	if i := m.model.find(key); i >= 0 {
		m.add(t, key, m.model.list[i].session, expiry, limit)
	}
}

func (m *machine) add(t require.TestingT, key Key, session Session, expiry, limit int64) {
	isNew, replaced, evicted := m.model.add(key, session, expiry, limit)
	added := m.cache.Add(&key, session, expiry, limit)
	require.Equal(t, isNew, added.New)
	require.Equal(t, replaced, added.Replaced)
	victim, more := added.Evicted, added.More
	for i, expected := range evicted {
		require.Equal(t, expected, victim)
		// Between two steps a caller sees those gone that it was handed, and no other.
		require.EqualValues(t, len(m.model.list)+len(evicted)-1-i, m.cache.Number())
		if victim = 0; more {
			victim, more = m.cache.Evict(limit, session)
		}
	}
	// More may have been said when only a session was left that can't be removed.
	require.Zero(t, victim)
	require.False(t, more)
}

func (m *machine) remove(t require.TestingT, key Key) {
	var expected Session
	if i := m.model.find(key); i >= 0 {
		expected = m.model.cut(i).session
		m.model.stats.Removed++
	}
	require.Equal(t, expected, m.cache.Remove(&key))
}

func (m *machine) lookup(t require.TestingT, key Key) {
	var expected, retained []Session
	if i := m.model.find(key); i >= 0 {
		expected = []Session{m.model.list[i].session}
		m.model.stats.Found++
	} else {
		m.model.stats.Missed++
	}
	found := lookup(m.cache, &key, func(s Session) { retained = append(retained, s) })
	require.Equal(t, expected, retained)
	require.Equal(t, len(expected) > 0, found != 0)
	if found != 0 {
		require.Equal(t, expected[0], found)
	}
	require.Equal(t, found != 0, m.cache.Contains(&key))
}

// reschedule is asked of the session that is under the key, or of another.
func (m *machine) reschedule(t require.TestingT, key Key, that bool, expiry int64) {
	session := m.last + 1
	if i := m.model.find(key); i >= 0 && that {
		session = m.model.list[i].session
		m.model.list[i].expiry = expiry
		if !m.model.rules.ByInsertion {
			m.model.insert(m.model.cut(i))
		}
	}
	require.Equal(t, session <= m.last, m.cache.Reschedule(&key, session, expiry))
}

func (m *machine) flush(t require.TestingT, now int64) {
	expected := m.model.flush(now)
	var expired []Session
	cursor := uint64(0)
	for s := m.cache.Expire(now, &cursor); s != 0; s = m.cache.Expire(now, &cursor) {
		expired = append(expired, s)
	}
	if m.model.rules.ByInsertion {
		require.ElementsMatch(t, expected, expired)
		return
	}
	require.Equal(t, expected, expired)
}

func (m *machine) drain(t require.TestingT, count int) {
	cursor := uint64(0)
	for range count {
		var expected Session
		if len(m.model.list) > 0 {
			expected = m.model.cut(0).session
			m.model.stats.Expired++
		}
		require.Equal(t, expected, m.cache.Drain(&cursor))
	}
}

// check compares all there is to see.
func (m *machine) check(t require.TestingT) {
	m.model.stats.Number = uint64(len(m.model.list))
	require.Equal(t, m.model.stats, statsOf(m.cache))
	require.EqualValues(t, len(m.model.list), m.cache.Number())
	expected := map[Key]Entry{}
	for _, l := range m.model.list {
		expected[l.key] = Entry{Key: l.key, Session: l.session, Expiry: l.expiry}
	}
	entries := make([]Entry, 1+len(expected)/3)
	for n, next := list(m.cache, 0, entries); ; n, next = list(m.cache, next, entries) {
		for _, e := range entries[:n] {
			e.Sequence = 0
			require.Equal(t, expected[e.Key], e)
			delete(expected, e.Key)
		}
		if next == 0 {
			break
		}
	}
	require.Empty(t, expected)
	requireSound(t, m.cache)
}

// Few ids, so that keys meet; they differ in version, in length, in their last byte only.
func drawKey(t *rapid.T) Key {
	return pickKey(
		rapid.IntRange(0, 2).Draw(t, "version"),
		rapid.IntRange(0, 4).Draw(t, "length"),
		rapid.ByteRange(0, 3).Draw(t, "byte"),
	)
}

func pickKey(version, length int, last byte) Key {
	key := Key{
		Version: []int32{0x303, 0x304, -1}[version],
		Length:  []uint32{0, 1, 2, 31, 32}[length],
	}
	if key.Length > 0 {
		key.ID[key.Length-1] = last
	}
	return key
}

func drawExpiry(t *rapid.T) int64 {
	return rapid.OneOf(
		rapid.Int64Range(0, 8),
		rapid.SampledFrom([]int64{math.MinInt64, -1, math.MaxInt64 - 1, math.MaxInt64}),
	).Draw(t, "expiry")
}

func drawLimit(t *rapid.T) int64 {
	return rapid.SampledFrom([]int64{-1, 0, 0, 0, 1, 2, 3, 5, 12, 20}).Draw(t, "limit")
}

func (m *machine) run(t *rapid.T) {
	t.Repeat(map[string]func(*rapid.T){
		"add":       func(t *rapid.T) { m.addNew(t, drawKey(t), drawExpiry(t), drawLimit(t)) },
		"add again": func(t *rapid.T) { m.addAgain(t, m.drawCached(t), drawExpiry(t), drawLimit(t)) },
		"remove":    func(t *rapid.T) { m.remove(t, drawKey(t)) },
		"lookup":    func(t *rapid.T) { m.lookup(t, drawKey(t)) },
		"reschedule": func(t *rapid.T) {
			m.reschedule(t, m.drawCached(t), rapid.Bool().Draw(t, "that very session"), drawExpiry(t))
		},
		"flush": func(t *rapid.T) { m.flush(t, drawExpiry(t)) },
		"drain": func(t *rapid.T) { m.drain(t, rapid.IntRange(1, 12).Draw(t, "count")) },
		"":      func(t *rapid.T) { m.check(t) },
	})
}

func (m *machine) drawCached(t *rapid.T) Key {
	if len(m.model.list) == 0 {
		return drawKey(t)
	}
	return rapid.SampledFrom(m.model.list).Draw(t, "cached").key
}

func TestModel(t *testing.T) {
	for version, rules := range libssl {
		t.Run(version, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m := newMachine(rules, rapid.IntRange(0, 3).Draw(t, "width"))
				defer m.cache.Free()
				m.run(t)
			})
		})
	}
}

// requireSound looks at every invariant of a cache that nobody is using.
func requireSound(t require.TestingT, c *Cache) {
	held := 0
	for i := range c.count {
		s := c.shard(i)
		if s == nil {
			require.Equal(t, noPlace(), c.top(i).load())
			continue
		}
		used := requireOrdered(t, s)
		requireIndexed(t, c, s, used)
		requireFree(t, s, used)
		held += len(used)
	}
	require.EqualValues(t, held, c.Number())
}

// requireOrdered returns the numbers of the entries that are in the order.
func requireOrdered(t require.TestingT, s *shard) (used []uint32) {
	ended := s.end == none
	for i := uint32(root); i < s.runCount; i++ {
		p := *s.run(i)
		require.Equal(t, p, s.placeOf(p.entry))
		require.Equal(t, i|isFirst, s.entry(p.entry).previous)
		if i > root {
			require.True(t, s.run(parent(i)).before(&p))
		}
		for p.entry != none {
			used = append(used, p.entry)
			next := s.entry(p.entry).next
			if next == none {
				ended = ended || p.entry == s.end
				break
			}
			behind := s.placeOf(next)
			require.True(t, p.before(&behind))
			require.Equal(t, p.entry, s.entry(next).previous)
			p = behind
		}
	}
	require.True(t, ended, "the end is the end of no run")
	published := (*top)(s.top.Pointer()).load()
	if s.empty() {
		require.Equal(t, noPlace(), published)
		return nil
	}
	published.entry = s.run(root).entry
	require.Equal(t, *s.run(root), published)
	return used
}

func requireIndexed(t require.TestingT, c *Cache, s *shard, used []uint32) {
	require.Len(t, used, int(s.held))
	require.LessOrEqual(t, 8*uint64(s.held), 5*s.index.size())
	for _, number := range used {
		e := s.entry(number)
		key := Key{Version: e.version, Length: uint32(e.length)}
		*key.words() = e.id
		found, position := s.find(&key, uint32(key.hash(&c.seed)))
		require.Equal(t, number, found)
		require.Equal(t, number, s.index.at(position).entry())
	}
}

func requireFree(t require.TestingT, s *shard, used []uint32) {
	free, previous := 0, uint32(none)
	for number := s.free; number != none; number = s.entry(number).next {
		require.Zero(t, s.entry(number).session)
		require.Zero(t, s.entry(number).kind)
		require.Equal(t, previous, s.entry(number).previous)
		previous = number
		free++
	}
	extensions := 0
	for _, number := range used {
		e := s.entry(number)
		if e.kind != amended {
			require.Zero(t, e.kind)
			continue
		}
		extensions++
		x := s.entry(uint32(e.expiry))
		require.Equal(t, extension, x.kind)
		require.Equal(t, number, x.next)
		require.Zero(t, x.session)
	}
	require.EqualValues(t, s.extensions, extensions)
	require.EqualValues(t, s.entryCount, 1+len(used)+free+extensions)
}
