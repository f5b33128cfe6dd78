// Package trace reads the traces that libsslcache writes: a line of JSON for each event.
// docs/trace.md is the description of the format.
package trace

import "reflect"

// Format and Version are what a trace must say of itself in the start event of each process.
const (
	Format  = "sslcache-trace"
	Version = 1
)

// Operation is what happened. A reader meets words that are newer than itself, here and below, and takes them.
type Operation string

// The operations of events.
const (
	Start    Operation = "start"
	End      Operation = "end"
	Dropped  Operation = "dropped"
	Context  Operation = "context"
	Fallback Operation = "fallback"
	Count    Operation = "counters"
	Add      Operation = "add"
	Remove   Operation = "remove"
	Lookup   Operation = "lookup"
	Evict    Operation = "evict"
	Expire   Operation = "expire"
	Clear    Operation = "clear"
	Flush    Operation = "flush"
	Callback Operation = "callback"
	Take     Operation = "take"
	Give     Operation = "give"
	Freed    Operation = "freed"
	Refused  Operation = "refused"
	Ticket   Operation = "ticket"

	// ClientConnection is what became of a connection of a client, as SSLCACHE_CLIENT has it.
	ClientConnection Operation = "client"
)

// Outcome is what came of an operation.
type Outcome string

// The outcomes, by operation.
const (
	Made         Outcome = "made" // context
	ContextFreed Outcome = "freed"

	Stored   Outcome = "stored" // add
	Replaced Outcome = "replaced"
	Known    Outcome = "known"
	Failed   Outcome = "failed"

	Removed Outcome = "removed" // remove
	Missing Outcome = "missing"

	Found          Outcome = "found" // lookup
	FoundInStore   Outcome = "found_in_store"
	FoundByProgram Outcome = "found_by_program"
	Missed         Outcome = "missed"

	Opened    Outcome = "opened"  // ticket
	Unknown   Outcome = "unknown" // sealed with a key that is not here
	Old       Outcome = "old"
	Elsewhere Outcome = "elsewhere"
	Damaged   Outcome = "damaged"
)

// Cause is why an operation came about. That of a fallback is a sentence.
type Cause string

// The causes that something is made of here.
const (
	ByExec           Cause = "exec" // start
	ByFork           Cause = "fork"
	ByProgram        Cause = "program"
	ByHandshake      Cause = "handshake"
	ByFault          Cause = "fault"
	ByLimit          Cause = "limit" // evict
	WithContext      Cause = "freed" // clear, flush: the context was freed
	BadShutdown      Cause = "bad_shutdown"
	UnexpectedEOF    Cause = "unexpected_eof"
	NoSessionContext Cause = "no_session_context" // refused
)

// Role is the end of a connection that a process was.
type Role string

// The roles.
const (
	Server Role = "server"
	Client Role = "client"
)

// Event is one line of a trace. A field that is absent has its zero value.
type Event struct {
	Time        float64   `json:"time"` // seconds since 1970
	Process     int       `json:"process"`
	Thread      int       `json:"thread"`
	Operation   Operation `json:"operation"`
	ContextID   int       `json:"context"` // number of the SSL_CTX in its process
	Session     string    `json:"session"` // a hash of the session id, equal in all processes
	Object      string    `json:"object"`  // a token of the SSL_SESSION while it lives
	Outcome     Outcome   `json:"outcome"`
	Cause       Cause     `json:"cause"`
	Caller      Caller    `json:"caller"`
	Nanoseconds int64     `json:"nanoseconds"`

	Format      string  `json:"format"` // start
	Program     string  `json:"program"`
	Libsslcache string  `json:"libsslcache"`
	Libssl      string  `json:"libssl"`
	Parent      int     `json:"parent"`
	Version     int     `json:"version"`  // start: of the format; add: of the protocol
	Uptime      float64 `json:"uptime"`   // end: seconds
	Lost        uint64  `json:"dropped"`  // end: events lost since the start of the process
	Events      uint64  `json:"events"`   // dropped: events lost since the last such line
	Alive       bool    `json:"alive"`    // evict: the session had not expired
	Sessions    uint64  `json:"sessions"` // flush
	Function    string  `json:"function"` // take, give
	Role        Role    `json:"role"`     // add in a handshake; "" where it is not known
	Counters            // counters; its timeout, in seconds, is in add too
}

// Caller is the place in the program that called.
type Caller struct {
	Module string `json:"module"`
	Symbol string `json:"symbol"`
}

// String returns the symbol and where it is, or "" where no caller is known.
func (c Caller) String() string {
	switch {
	case c.Symbol == "":
		return c.Module
	case c.Module == "":
		return c.Symbol
	default:
		return c.Symbol + " in " + c.Module
	}
}

// IsStored reports whether the event put a session into a cache.
func (e *Event) IsStored() bool {
	return e.Operation == Add && (e.Outcome == Stored || e.Outcome == Replaced)
}

// HasLeft reports whether the event took a session out of a cache.
func (e *Event) HasLeft() bool {
	switch e.Operation {
	case Remove:
		return e.Outcome == Removed
	case Expire: // a fault only makes it one that has expired
		return e.Cause != ByFault
	case Evict, Clear:
		return true
	default:
		return false
	}
}

// Sums are the counters of a context that only grow: the cache's own, and libssl's as the program sees them.
type Sums struct {
	Stored   uint64 `json:"stored"`
	Found    uint64 `json:"found"`
	Missed   uint64 `json:"missed"`
	Replaced uint64 `json:"replaced"`
	Evicted  uint64 `json:"evicted"`
	Expired  uint64 `json:"expired"` // and cleared
	Removed  uint64 `json:"removed"`

	Accept       uint64 `json:"accept"`
	AcceptGood   uint64 `json:"accept_good"`
	Hits         uint64 `json:"hits"`
	Timeouts     uint64 `json:"timeouts"`
	ConnectGood  uint64 `json:"connect_good"`
	CallbackHits uint64 `json:"callback_hits"`

	TicketsIssued    uint64 `json:"tickets_issued"`
	TicketsOpened    uint64 `json:"tickets_opened"`
	TicketsRenewed   uint64 `json:"tickets_renewed"`   // of those opened, by an older key
	TicketsUnknown   uint64 `json:"tickets_unknown"`   // sealed with a key that is not here
	TicketsOld       uint64 `json:"tickets_old"`       // sealed in an epoch that is over
	TicketsElsewhere uint64 `json:"tickets_elsewhere"` // good for another certificate, name or rule
	TicketsDamaged   uint64 `json:"tickets_damaged"`
}

// combine returns what f makes of each sum and the other's of the same name.
func (s Sums) combine(other Sums, f func(own, others uint64) uint64) Sums {
	fields, others := reflect.ValueOf(&s).Elem(), reflect.ValueOf(other)
	for i := range fields.NumField() {
		fields.Field(i).SetUint(f(fields.Field(i).Uint(), others.Field(i).Uint()))
	}
	return s
}

// Plus returns the sums of both.
func (s Sums) Plus(other Sums) Sums {
	return s.combine(other, func(own, others uint64) uint64 { return own + others })
}

// Minus returns how far each sum is beyond the other, 0 where it is not.
func (s Sums) Minus(other Sums) Sums {
	return s.combine(other, func(own, others uint64) uint64 { return own - min(own, others) })
}

// TicketsRefused is how many tickets came and were not opened.
func (s Sums) TicketsRefused() uint64 {
	return s.TicketsUnknown + s.TicketsOld + s.TicketsElsewhere + s.TicketsDamaged
}

// Handshakes is how many were completed, on both ends.
func (s Sums) Handshakes() uint64 { return s.AcceptGood + s.ConnectGood }

// MissedByAll is how many look-ups nobody answered: libssl counts those too that the program's callback did.
func (s Sums) MissedByAll() uint64 { return s.Missed - min(s.Missed, s.CallbackHits) }

// Counters are those of one context.
type Counters struct {
	Number uint64 `json:"number"` // sessions held now
	Peak   uint64 `json:"peak"`
	Limit  uint64 `json:"limit"` // 0: none
	Sums

	Timeout        int64 `json:"timeout"` // seconds
	Mode           int64 `json:"mode"`    // SSL_SESS_CACHE_…
	Tickets        bool  `json:"tickets"`
	SessionContext bool  `json:"session_context"` // one is set, or there is no need of one

	// Inherited are the sums as they were when this process was forked: its parent's, not its own.
	Inherited Sums `json:"inherited"`
}

// Own returns what this very process has counted.
func (c *Counters) Own() Sums { return c.Minus(c.Inherited) }
