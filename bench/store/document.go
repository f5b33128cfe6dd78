package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"time"
)

func processors() string {
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%d processors, load %s before", runtime.NumCPU(), strings.Join(strings.Fields(string(load))[:3], ", "))
}

// document is docs/performance-store.md.
func document(m *measurement) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What the store costs, and how far it goes

Written by `+"`make bench-store`"+` on %s, with a redis-server %s on a Unix socket of the same
machine: %s. Do not edit it by hand. Each figure is the median of runs that take
turns.

## Handshakes a second

One thread, both ends in one process, ECDSA P-256. "With the store" sessions are found in the process's own
cache, and each new one is written to the store beside; "out of the store" the process has no cache of its own,
so that each lookup goes to the server and waits for it: the price of a client that comes to another worker.

| | libssl alone | our library | with the store | out of the store |
|---|--:|--:|--:|--:|
`, time.Now().Format("2006-01-02"), m.version, m.processors)
	for _, f := range m.figures {
		fmt.Fprintf(&b, "| TLS %s, %s |", f.version, f.kind)
		for _, rate := range f.rates {
			if rate == 0 {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %.0f |", rate)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, `
A full handshake that finds nothing in the store waits for one lookup more; one that resumes saves the key
exchange and the signature, on both sides, and a round trip in TLS 1.2.

## One process and its server

| | |
|---|--:|
| lookups a second, one thread | %.0f |
| lookups a second, 8 threads | %.0f |
| lookups a second, 32 threads | %.0f |
| wait of a lookup, one thread | %.0f µs |
| writes a second, in batches | %.0f |
| a serialised session | %d bytes |
| memory of the server for its record | %.0f bytes |

The server and the process share the processors here, so a server of its own does more.

`, m.lookups[1], m.lookups[8], m.lookups[32], float64(m.wait)/1e3, m.writes, m.session, m.record)
	m.shared.write(&b)
	m.grow(&b)
	return b.String()
}

// What a site is taken to be.
const (
	visitEvery      = 600.0  // seconds between two connections of a client
	life            = 7200.0 // seconds that a session lives
	recordsPerVisit = 2.0    // tickets of a full TLS 1.3 handshake; a resumed one gives 1
	operations      = 3.0    // of a visit: one lookup and two writes
	shardMemory     = 16.0   // GiB of a shard that sessions may have
	shardShare      = 0.5    // of what a shard can do, so that it is not full when another fails
)

// grow works out how many shards a site needs, from the figures.
func (m *measurement) grow(b *strings.Builder) {
	capacity := max(m.lookups[8], m.lookups[32])
	fmt.Fprintf(b, `## Growth

From these figures, on paper. A client connects every %.0f s; a session lives %.0f s and nobody removes it before;
a connection makes one lookup and %.0f writes (TLS 1.3 with two tickets, each connection: the worst case, for a
resumed one gives one ticket, and TLS 1.2 with session ids writes only at full handshakes). A shard is a server
of a cluster with %.0f GiB for sessions; it is filled to one half of the %.0f operations a second that it has
shown here.

    records    = clients × life / time between connections × tickets
    memory     = records × %.0f bytes
    operations = clients / time between connections × %.0f
    shards     = the larger of memory / %.0f GiB and operations / (%.0f / 2)

| clients | connections/s | records | memory | operations/s | shards for memory | shards for operations |
|--:|--:|--:|--:|--:|--:|--:|
`, visitEvery, life, recordsPerVisit, shardMemory, capacity, m.record, operations, shardMemory, capacity)
	for _, clients := range []float64{1e4, 1e5, 1e6, 1e7, 1e8} {
		records := clients * life / visitEvery * recordsPerVisit
		memory := records * m.record / (1 << 30)
		asked := clients / visitEvery * operations
		fmt.Fprintf(b, "| %.0f | %.0f | %.1f M | %.1f GiB | %.0f | %.0f | %.0f |\n", clients, clients/visitEvery, records/1e6,
			memory, asked, math.Ceil(memory/shardMemory), math.Ceil(asked/(capacity*shardShare)))
	}
	b.WriteString(`
Memory falls with the life of a session: with ` + "`SSLCACHE_TIMEOUT=10m`" + `, as long as the time
between two connections here, the same sites need a twelfth of it. Nothing in a record refers to another, so
the shards share nothing, and a site grows by adding some.

Connections: a process has one to each shard for its writes and one for each thread that looks up at the same
time, 8 at most, opened at need. A hundred hosts of 16 workers with one thread are 3,200 connections a shard;
a server takes 10,000 unless it is told otherwise.
`)
}
