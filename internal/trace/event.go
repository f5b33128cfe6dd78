// Package trace reads the traces that libsslcache writes: a line of JSON for each event.
// docs/trace.md is the description of the format.
package trace

// Format and Version are what a trace must say of itself in the start event of each process.
const (
	Format  = "sslcache-trace"
	Version = 1
)

// The operations of events.
const (
	Start    = "start"
	End      = "end"
	Dropped  = "dropped"
	Context  = "context"
	Fallback = "fallback"
	Count    = "counters"
	Add      = "add"
	Remove   = "remove"
	Lookup   = "lookup"
	Evict    = "evict"
	Expire   = "expire"
	Flush    = "flush"
	Callback = "callback"
	Take     = "take"
	Give     = "give"
	Freed    = "freed"
	Refused  = "refused"
	Client   = "client"
)

// Event is one line of a trace. A field that is absent has its zero value.
type Event struct {
	Time        float64 `json:"time"` // seconds since 1970
	Process     int     `json:"process"`
	Thread      int     `json:"thread"`
	Operation   string  `json:"operation"`
	ContextID   int     `json:"context"` // number of the SSL_CTX in its process
	Session     string  `json:"session"` // a hash of the session id, equal in all processes
	Object      string  `json:"object"`  // a token of the SSL_SESSION while it lives
	Outcome     string  `json:"outcome"`
	Cause       string  `json:"cause"`
	Caller      Caller  `json:"caller"`
	Nanoseconds int64   `json:"nanoseconds"`

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
	Counters            // counters; its timeout, in seconds, is in add too
}

// Caller is the place in the program that called.
type Caller struct {
	Module string `json:"module"`
	Symbol string `json:"symbol"`
}

// String gives the symbol and where it is, or "" where no caller is known.
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

// Counters are those of one context: the cache's own, and libssl's as the program sees them.
type Counters struct {
	Number   uint64 `json:"number"` // sessions held now
	Peak     uint64 `json:"peak"`
	Limit    uint64 `json:"limit"` // 0: none
	Stored   uint64 `json:"stored"`
	Found    uint64 `json:"found"`
	Missed   uint64 `json:"missed"`
	Replaced uint64 `json:"replaced"`
	Evicted  uint64 `json:"evicted"`
	Expired  uint64 `json:"expired"`
	Removed  uint64 `json:"removed"`

	Accept       uint64 `json:"accept"`
	AcceptGood   uint64 `json:"accept_good"`
	Hits         uint64 `json:"hits"`
	Timeouts     uint64 `json:"timeouts"`
	ConnectGood  uint64 `json:"connect_good"`
	CallbackHits uint64 `json:"callback_hits"`

	Timeout        int64 `json:"timeout"` // seconds
	Mode           int64 `json:"mode"`    // SSL_SESS_CACHE_…
	Tickets        bool  `json:"tickets"`
	SessionContext bool  `json:"session_context"` // one is set, or there is no need of one
}
