package main

import (
	"fmt"
	"math"
)

// goal is one number to reach. The measured number is a ratio unless unit says something else.
type goal struct {
	what     string
	libssl   float64 // what is compared, in the unit of compared; NaN: nothing of libssl's
	ours     float64
	compared unit
	measured float64
	unit     string
	bound    float64
	atLeast  bool // the measured number is to be at least bound, else at most
}

func (g goal) reached() bool {
	if g.atLeast {
		return g.measured >= g.bound
	}
	return g.measured <= g.bound
}

func (g goal) verdict() string {
	switch {
	case math.IsNaN(g.measured):
		return "not measured"
	case g.reached():
		return "reached"
	}
	return "not reached"
}

func (g goal) target() string {
	word := "at most"
	if g.atLeast {
		word = "at least"
	}
	return fmt.Sprintf("%s %v%s", word, g.bound, g.suffix())
}

func (g goal) suffix() string {
	if g.unit == "×" {
		return " ×"
	}
	return " " + g.unit
}

func (g goal) number() string {
	if math.IsNaN(g.measured) {
		return "–"
	}
	decimals := 2
	switch {
	case g.bound > 10:
		decimals = 0
	case g.bound != math.Trunc(g.bound): // a digit more than the goal has
		decimals = 3
	}
	return fmt.Sprintf("%.*f%s", decimals, g.measured, g.suffix())
}

func (r results) atMost(what, name, metric string, bound float64) goal {
	theirs, our := r.median(name, metric, libssl), r.median(name, metric, ours)
	return goal{
		what: what, libssl: theirs, ours: our, compared: nanoseconds,
		measured: our / theirs, unit: "×", bound: bound,
	}
}

func (r results) timesFaster(what, name, metric string, bound float64) goal {
	g := r.atMost(what, name, metric, bound)
	g.measured, g.atLeast = 1/g.measured, true
	return g
}

func (r results) growth(what, metric string, bound float64) goal {
	ratio := func(s side) float64 {
		return r.median(operationsName("equal", million), metric, s) / r.median(operationsName("equal", thousand), metric, s)
	}
	return goal{
		what: what, libssl: ratio(libssl), ours: ratio(ours), compared: ratios,
		measured: ratio(ours), unit: "×", bound: bound,
	}
}

func (r results) memory(sessions int, bound float64) goal {
	name := operationsName("equal", sessions)
	our := r.median(name, "memory", ours)
	return goal{
		what: "memory for an entry, beside the `SSL_SESSION`, " + size(sessions) + " sessions", libssl: r.median(name, "memory", libssl),
		ours: our, compared: bytesEach, measured: our, unit: "B", bound: bound,
	}
}

func (r results) preload(bound float64) goal {
	plain, preloaded := r.median("preload/time", "plain", ours), r.median("preload/time", "preloaded", ours)
	return goal{
		what: "`LD_PRELOAD` under `/bin/true`", libssl: plain, ours: preloaded, compared: milliseconds,
		measured: (preloaded - plain) / 1e6, unit: "ms more", bound: bound,
	}
}

// beside is how much more ours is, in a unit that is so many of the measured.
func (r results) beside(what, name, metric string, compared unit, unit string, each, bound float64) goal {
	theirs, our := r.median(name, metric, libssl), r.median(name, metric, ours)
	return goal{
		what: what, libssl: theirs, ours: our, compared: compared,
		measured: (our - theirs) / each, unit: unit, bound: bound,
	}
}

// absolute is a figure of ours with a bound of its own, in nanoseconds divided by each.
func (r results) absolute(what, name, metric, unit string, each, bound float64) goal {
	g := r.atMost(what, name, metric, bound)
	g.measured, g.unit = g.ours/each, unit
	return g
}

func (r results) threadsOfPreload() goal {
	threads := r.median("preload/threads", "threads", ours)
	return goal{
		what: "threads of a program without TLS", libssl: 1, ours: threads, compared: counts,
		measured: threads, unit: "thread", bound: 1,
	}
}

func (r results) goals() []goal {
	oneThousand, tenThousand := operationsName("equal", thousand), operationsName("equal", 10*thousand)
	return []goal{
		r.atMost("a forked child for each connection, TLS 1.2, one session each", "children", "child", 1.1),
		r.beside("the first session of a process", "first", "session", nanoseconds, "ms more", 1e6, 0.1),
		r.beside("threads of a process with one session", "small", "threads", counts, "more", 1, 0),
		r.beside("memory of a process with one session (VmData)", "small", "data", megabytes, "MB more", 1e6, 0.5),
		r.atMost("fork with 1 M sessions", forkName(million), "fork", 1.5),
		r.atMost("8 forked workers from fork to end, the parent holds none", "workers/empty", "all", 1.05),
		r.atMost("8 forked workers from fork to end, the parent holds 1 k", "workers/inherited", "all", 1.05),
		r.timesFaster("resumed handshakes a second, TLS 1.2", handshakesName("1.2"), "resumed", 0.99),
		r.timesFaster("resumed handshakes a second, TLS 1.3", handshakesName("1.3"), "resumed", 0.99),
		r.timesFaster("handshakes a second resumed by shared tickets, TLS 1.2", ticketsName("1.2"), "resumed", 0.98),
		r.timesFaster("handshakes a second resumed by shared tickets, TLS 1.3", ticketsName("1.3"), "resumed", 0.98),
		r.preload(0.3),
		r.threadsOfPreload(),
		r.atMost("add, equal timeouts, to a cache that holds 10 k", tenThousand, "add", 0.9),
		r.atMost("add, equal timeouts, from an empty cache up to 10 k", tenThousand, "fill", 0.7),
		r.atMost("add into a full cache of 20,480", operationsName("equal", cacheSize), "evict", 1),
		r.atMost("add, two threads, one context", threadsName("one", 2), "add", 0.33),
		r.timesFaster("add, each session with its own timeout, 16 k sessions", operationsName("mixed", mixedLimit), "add", 150),
		r.atMost("remove, 1 k sessions", oneThousand, "remove", 1.5),
		r.atMost("remove, 10 k sessions", tenThousand, "remove", 1.5),
		r.atMost("a pair of add and remove, 1 k sessions", oneThousand, "pair", 1.5),
		r.atMost("a pair of add and remove, 10 k sessions", tenThousand, "pair", 1.5),
		r.atMost("flush, for each session, 1 k", oneThousand, "flush", 1.5),
		r.atMost("flush, for each session, 10 k", tenThousand, "flush", 1.5),
		r.absolute("SSL_SESSION_set_timeout with 2,000 contexts", "contexts", "set_timeout", "µs", 1e3, 1),
		r.growth("add of a session just made, to 1 M sessions against to 1 k", "warm", 3),
		r.growth("from empty to 1 M against from empty to 1 k, for each add", "fill", 3),
		r.memory(300*thousand, 128),
		r.memory(million, 96),
	}
}
