package main

import "fmt"

func (r results) line(title, name, metric string, u unit) line {
	return line{title, r.median(name, metric, libssl), r.median(name, metric, ours), u}
}

// operationTable has a line for each number of sessions and each order of timeouts.
func (r results) operationTable(title, metric string) table {
	t := table{Title: title}
	for _, sessions := range equalSizes {
		t.lines = append(t.lines, r.line(size(sessions)+", equal timeouts", operationsName("equal", sessions), metric, nanoseconds))
	}
	shuffled := 100 * thousand
	t.lines = append(t.lines, r.line(size(shuffled)+", equal timeouts, shuffled", operationsName("shuffled", shuffled), metric, nanoseconds))
	for _, sessions := range mixedSizes {
		t.lines = append(t.lines, r.line(size(sessions)+", mixed timeouts", operationsName("mixed", sessions), metric, nanoseconds))
	}
	return t
}

func (r results) memoryTable() table {
	t := table{Title: "Memory for an entry, beside the SSL_SESSION"}
	for _, sessions := range []int{100 * thousand, million} {
		for _, order := range []string{"equal", "mixed"} {
			title := fmt.Sprintf("%s, %s timeouts", size(sessions), order)
			t.lines = append(t.lines, r.line(title, operationsName(order, sessions), "memory", bytesEach))
		}
	}
	return t
}

func (r results) threadsTable(title, metric string) table {
	t := table{Title: title}
	for _, contexts := range []string{"one", "own"} {
		for _, threads := range threadCount {
			where := "one context"
			if contexts == "own" {
				where = "a context for each"
			}
			t.lines = append(t.lines, r.line(fmt.Sprintf("threads: %d, %s", threads, where), threadsName(contexts, threads), metric, nanoseconds))
		}
	}
	return t
}

// handshakeLines are those of the cases that name gives, one for each version.
func (r results) handshakeLines(name func(version string) string, where string) (lines []line) {
	for _, version := range handshakeVersions {
		for _, kind := range []string{"full", "resumed"} {
			lines = append(lines, r.line(kind+", TLS "+version+where, name(version), kind, perSecond))
		}
	}
	return lines
}

func (r results) handshakeTable() table {
	return table{
		"Handshakes a second, client and server on one core",
		append(r.handshakeLines(handshakesName, ""), r.handshakeLines(threadedName, ", the program has another thread")...),
	}
}

func (r results) ticketTable() table {
	return table{
		"Stateless tickets, of shared keys (`SSLCACHE_TICKETS=shared`) and of libssl's own",
		r.handshakeLines(ticketsName, ""),
	}
}

func (r results) tracedTable() table {
	adds := tracedName(operationsName("equal", 10*thousand))
	traced := func(version string) string { return tracedName(handshakesName(version)) }
	return table{
		"With a trace (`--trace`, `SSLCACHE_TRACE`), libssl without",
		append(r.handshakeLines(traced, ""),
			r.line("add, to a cache that holds 10 k", adds, "add", nanoseconds),
			r.line("remove, from a cache that holds 10 k", adds, "remove", nanoseconds)),
	}
}

func (r results) lookupTable() table {
	t := table{Title: "Look-up: the server's first step of a resumed handshake, TLS 1.2"}
	for _, sessions := range equalSizes {
		t.lines = append(t.lines, r.line(size(sessions)+" sessions", lookupsName(sessions), "lookup", nanoseconds))
	}
	return t
}

func (r results) workerTable() table {
	t := table{Title: fmt.Sprintf("%d forked workers", workerCount)}
	for _, c := range []struct{ name, parent string }{
		{"workers/empty", "the parent holds no session"},
		{"workers/inherited", "the parent holds 1 k sessions"},
	} {
		t.lines = append(
			t.lines,
			r.line("a resumed handshake, "+c.parent, c.name, "resumed", nanoseconds),
			r.line("an add, "+c.parent, c.name, "add", nanoseconds),
			r.line("all workers from fork to end, "+c.parent, c.name, "all", milliseconds),
		)
	}
	return t
}

func (r results) forkTable() table {
	t := table{"A process that forks", []line{
		r.line("a child for each connection, TLS 1.2, from fork to end", "children", "child", microseconds),
	}}
	for _, sessions := range []int{thousand, million} {
		t.lines = append(t.lines, r.line("a child that only ends, "+size(sessions)+" sessions", forkName(sessions), "fork", microseconds))
	}
	return t
}

func (r results) onceTable() table {
	t := table{"What a process pays once", []line{
		r.line("first context", "first", "context", nanoseconds),
		r.line("first session", "first", "session", nanoseconds),
		r.line("threads of a process with one session", "small", "threads", counts),
		r.line("its memory (VmData)", "small", "data", megabytes),
	}}
	t.lines = append(t.lines, line{
		"`/bin/true`, without and with `LD_PRELOAD`",
		r.median("preload/time", "plain", ours), r.median("preload/time", "preloaded", ours), milliseconds,
	}, line{
		"`/bin/true`, without and with a library that is empty",
		r.median("preload/empty", "plain", ours), r.median("preload/empty", "preloaded", ours), milliseconds,
	})
	return t
}

func (r results) partsTable() table {
	return table{"Parts", []line{
		r.line("the first touch of a page of 4 KB", "pagefault", "fault", nanoseconds),
	}}
}

func (r results) tables() []table {
	return []table{
		r.operationTable("Add, to a cache that holds this many", "add"),
		r.operationTable("Add of a session just made, to a cache that holds this many", "warm"),
		r.operationTable("Add, from an empty cache up to this many", "fill"),
		r.operationTable("Remove, from a cache that holds this many", "remove"),
		r.operationTable("A pair of add and remove", "pair"),
		r.operationTable("Add into a full cache, each evicts another", "evict"),
		r.operationTable("Flush, for each expired session", "flush"),
		r.memoryTable(),
		r.threadsTable("Add, several threads, time passed for each add of any thread", "add"),
		r.threadsTable("Remove, several threads, time passed for each remove of any thread", "remove"),
		r.lookupTable(),
		r.handshakeTable(),
		r.ticketTable(),
		r.tracedTable(),
		r.workerTable(),
		r.forkTable(),
		r.onceTable(),
		r.partsTable(),
	}
}
