package differential

import (
	"strings"

	"pgregory.net/rapid"
)

// Scripts are written for three contexts: two servers, that SNI may switch between, and a client.
const client = "c2"

var (
	modes = []string{"2", "2", "3", "3", "1", "0", "80", "82", "102", "103", "202", "203", "302", "303", "400", "402", "403", "602", "682"}
	ids   = []string{"aa", "bb", "cc", "dd", "ee", "aabb", "-", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}
	// Equal expiries, neighbouring ones and far ones; the driver's clock starts at 1700000000.
	times    = []string{"1000", "1100", "2000", "1699999000", "1700000000", "1700000100", "4000000000"}
	timeouts = []string{"0", "1", "100", "200", "300", "300", "1000", "7200", "4000000000"}
	flushes  = []string{"0", "1", "1100", "1200", "1201", "1300", "1301", "2300", "2301", "1700000000", "1700000300", "1700007200", "1700007201", "4000000001", "9000000000", "-1"}
	versions = []string{"771", "772", "772", "65277"}
	clocks   = []string{"1", "100", "300", "301", "7200", "7201"}
)

// scripts draws a script: contexts, how they are set, and what is done to them.
func scripts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kind := pick(t, "tls", "tls", "tls12", "tls12", "tls13", "dtls")
		lines := []string{"context c0 " + kind, "context c1 " + kind, "context c2 " + kind}
		step := rapid.Custom(handStep)
		if choose(t, 4) != 0 {
			lines = append(lines, custom(t))
			step = rapid.Custom(shakenStep)
		}
		lines = append(lines, rapid.SliceOfN(rapid.Custom(setting), choose(t, 5), 10).Draw(t, "settings")...)
		lines = append(lines, rapid.SliceOfN(step, 1+choose(t, 24), 40).Draw(t, "steps")...)
		return strings.Join(lines, "\n") + "\n"
	})
}

// choose draws a number below n. Rapid's own ranges draw small numbers far more often than others.
func choose(t *rapid.T, n uint64) int { return int(rapid.Uint64().Draw(t, "choice") % n) }

func pick(t *rapid.T, choices ...string) string { return choices[choose(t, uint64(len(choices)))] }

func contextName(t *rapid.T) string { return pick(t, "c0", "c0", "c0", "c1", client) }

func serverName(t *rapid.T) string { return pick(t, "c0", "c0", "c0", "c1") }

func slotName(t *rapid.T) string { return pick(t, "s0", "s1", "s2", "s3", "s4") }

func connectionName(t *rapid.T) string { return pick(t, "p0", "p1", "p2") }

func sessionName(t *rapid.T) string {
	if choose(t, 3) == 0 {
		return connectionName(t) + pick(t, ".server", ".client")
	}
	return slotName(t)
}

// custom is how real programs set up a server; chance alone would seldom come to it.
func custom(t *rapid.T) string {
	return pick(t,
		"sid c0 one",
		"options c0 no_ticket\noptions c1 no_ticket",
		"options c0 no_ticket\nsni c0 c1",
		"options c0 no_ticket\ncallbacks c0 new=drop get=off remove=on\nmode c2 3\ncallbacks c2 new=drop get=off remove=on",
		"options c0 no_ticket\nsize c0 "+pick(t, "1", "2", "3"),
		"early c0 1024\nearly c1 1024",
		"early c0 1024\ncallbacks c0 new=keep get="+pick(t, "copy", "give", "fresh")+" remove=on",
		"options c0 no_ticket\nmode c0 302\ncallbacks c0 new=keep get="+pick(t, "copy", "give", "fresh")+" remove=on",
		"options c0 no_ticket\ncallbacks c0 new=keep get="+pick(t, "copy", "give", "fresh")+" remove="+pick(t, "on", "off"),
	)
}

// setting sets up a context.
func setting(t *rapid.T) string {
	switch choose(t, 14) {
	case 0, 1:
		return "mode " + contextName(t) + " " + pick(t, modes...)
	case 2:
		return "size " + contextName(t) + " " + pick(t, "0", "1", "2", "3", "4", "5", "-1", "20480")
	case 3, 4, 5:
		return callbacks(t)
	case 6:
		return "options " + serverName(t) + " " + pick(t, "no_ticket", "no_ticket", "no_anti_replay", "no_ticket,no_anti_replay", "none")
	case 7:
		return "early " + serverName(t) + " " + pick(t, "1024", "0")
	case 8:
		return "react " + contextName(t) + " " + pick(t, "new", "get", "remove") + " " + reaction(t)
	case 9:
		return pick(t, "sid "+serverName(t)+" "+pick(t, "one", "two"), "verify "+serverName(t)+" "+pick(t, "none", "accept", "accept", "refuse"))
	case 10:
		return "sni c0 " + pick(t, "c1", "c1", "c1", "none", "none", "fatal")
	case 11:
		return "hello c0 " + pick(t, "c1", "none")
	case 12:
		return pick(t, "idgen "+serverName(t)+" "+pick(t, "none", "fixed", "next", "next"), "ticketcb "+serverName(t)+" "+pick(t, "none", "use", "ignore", "renew"))
	default:
		return pick(t, "tickets "+serverName(t)+" "+pick(t, "0", "1", "2", "3"), "lifetime "+contextName(t)+" "+pick(t, "0", "1", "300", "7200"))
	}
}

func callbacks(t *rapid.T) string {
	return "callbacks " + contextName(t) + " new=" + pick(t, "off", "keep", "drop") + " get=" + pick(t, "off", "copy", "give", "fresh", "wrong") +
		" remove=" + pick(t, "off", "on", "on")
}

// reaction is what a callback does.
func reaction(t *rapid.T) string {
	switch choose(t, 7) {
	case 0, 1:
		return pick(t, "add ", "remove ") + "@"
	case 2:
		return pick(t, "add ", "remove ", "show ") + slotName(t)
	case 3:
		return "flush " + contextName(t) + " " + pick(t, flushes...)
	case 4:
		return pick(t, pick(t, "stats ", "number ", "getters ", "walk ")+contextName(t), "size "+contextName(t)+" "+pick(t, "1", "2", "0"), "mode "+contextName(t)+" "+pick(t, "0", "2", "3", "102", "202", "302"))
	case 5:
		return "match " + contextName(t) + " " + pick(t, ids...)
	default:
		return pick(t, "time "+slotName(t)+" "+pick(t, times...), "timeout "+slotName(t)+" "+pick(t, timeouts...))
	}
}

// handStep works on the cache by hand.
func handStep(t *rapid.T) string {
	switch choose(t, 14) {
	case 0, 1, 2, 3, 4:
		name := slotName(t)
		made := strings.Join([]string{"session", name, contextName(t), pick(t, versions...), pick(t, ids...), pick(t, times...), pick(t, timeouts...)}, " ")
		return made + "\nadd " + name
	case 5:
		return "add " + sessionName(t)
	case 6:
		return "remove " + sessionName(t)
	case 7:
		return pick(t, "flush ", "flushex ") + contextName(t) + " " + pick(t, flushes...)
	case 8:
		return pick(t, "time ", "timex ") + sessionName(t) + " " + pick(t, times...)
	case 9:
		return "timeout " + sessionName(t) + " " + pick(t, append(timeouts, "-1")...)
	case 10:
		return pick(t, "drop "+slotName(t), "copy "+slotName(t)+" "+sessionName(t), "take "+slotName(t)+" "+sessionName(t), "show "+sessionName(t))
	case 11:
		return pick(t, "walk ", "stats ", "number ") + contextName(t)
	case 12:
		return pick(t, "match "+contextName(t)+" "+pick(t, ids...), "match "+pick(t, contextName(t), connectionName(t))+" ="+sessionName(t))
	default:
		return pick(t, setting(t), setting(t), setting(t), "clock "+pick(t, clocks...), "getters "+contextName(t), "free "+contextName(t))
	}
}

// shakenStep makes connections, and works by hand on what they leave.
func shakenStep(t *rapid.T) string {
	name := connectionName(t)
	switch choose(t, 14) {
	case 0, 1, 2:
		return connect(t, name) + "\ntake " + slotName(t) + " " + name + ".client"
	case 3, 4, 5:
		return connect(t, name)
	case 6:
		return "finish " + name + " " + pick(t, "quiet", "shutdown", "bad", "badclient")
	case 7:
		return pick(t, "garbage "+name+" "+pick(t, "server", "client"), "again "+name, "renegotiate "+name)
	case 8:
		return pick(t, "stats c0", "stats c1", "stats c2", "walk c0", "walk c2")
	case 9:
		return "many " + pick(t, "1", "2", "3") + " c2 " + serverName(t) + " resume=" + slotName(t)
	case 10:
		return "clock " + pick(t, clocks...)
	default:
		return handStep(t)
	}
}

func connect(t *rapid.T, name string) string {
	words := []string{"connect", name, pick(t, client, client, client, client, "c0"), pick(t, "c0", "c0", "c0", "c1")}
	if choose(t, 4) != 0 {
		words = append(words, "resume="+slotName(t))
	}
	switch choose(t, 10) {
	case 0, 1, 2:
		words = append(words, "early")
	case 3:
		words = append(words, pick(t, "dup", "dup", "fixed"))
	case 4:
		words = append(words, "switch="+serverName(t))
	}
	return strings.Join(words, " ")
}
