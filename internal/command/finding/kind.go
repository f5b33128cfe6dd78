package finding

// Kind is what all findings of one name have in common. docs/findings.md has a section for each.
type Kind struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	Meaning  string   `json:"meaning"`
	Advice   string   `json:"advice"`
}

// Kinds are all that this package looks for.
var Kinds = []Kind{
	FreedTooOften, NoSessionContext, LeakedReferences, AddedTwice, RemovedInVain, BadShutdowns,
	LiveSessionsEvicted, SiblingsCannotSee, TicketsOfAnotherProcess, TimeoutOutlivesProcess, CacheNeverAsked, ClientCouldResume,
}

// The kinds of findings.
var (
	FreedTooOften = Kind{
		Name: "freed-too-often", Severity: Error,
		Meaning: "The program gave back a reference to a session that it did not have; libssl then uses memory that is freed.",
		Advice:  "Call SSL_SESSION_free only for what SSL_get1_session, SSL_SESSION_up_ref, SSL_SESSION_new, SSL_SESSION_dup or d2i_SSL_SESSION gave; SSL_get_session and SSL_get0_session give nothing to free.",
	}
	NoSessionContext = Kind{
		Name: "no-session-context", Severity: Error,
		Meaning: "The server asks for client certificates and has no session id context, so that libssl stores no session and refuses every resumption.",
		Advice:  "Call SSL_CTX_set_session_id_context once for each SSL_CTX, with a name of the program's own.",
	}
	LeakedReferences = Kind{
		Name: "leaked-references", Severity: Warning,
		Meaning: "The program took references to sessions and never gave them back: that memory, with the keys in it, is kept until the process ends.",
		Advice:  "Pair each call named here with an SSL_SESSION_free; a new-session callback that keeps no reference must answer 0.",
	}
	AddedTwice = Kind{
		Name: "added-twice", Severity: Warning,
		Meaning: "The program added a session that the cache already held; the call answers 0 and does nothing.",
		Advice:  "Leave storing to libssl, or set SSL_SESS_CACHE_NO_INTERNAL_STORE and do it by hand, but not both.",
	}
	RemovedInVain = Kind{
		Name: "removed-in-vain", Severity: Warning,
		Meaning: "The program removed a session that the cache did not hold: it was removed before, has expired, or is in the cache of another SSL_CTX or process.",
		Advice:  "Remove a session from the SSL_CTX that its connection was made with, and once.",
	}
	BadShutdowns = Kind{
		Name: "bad-shutdowns", Severity: Warning,
		Meaning: "Sessions were dropped because their connections ended without a close-notify alert, of the program or of its peer; nobody can resume them.",
		Advice:  "Call SSL_shutdown before SSL_free, or SSL_set_quiet_shutdown; where it is the peer that closes without a word, mend the peer, or set SSL_OP_IGNORE_UNEXPECTED_EOF if the protocol itself tells the end.",
	}
	LiveSessionsEvicted = Kind{
		Name: "live-sessions-evicted", Severity: Warning,
		Meaning: "The cache is full, and sessions that had not expired gave way to new ones.",
		Advice:  "Raise SSL_CTX_sess_set_cache_size or lower SSL_CTX_set_timeout; try a size with --size.",
	}
	SiblingsCannotSee = Kind{
		Name: "siblings-cannot-see", Severity: Warning,
		Meaning: "A process was asked for sessions that another running process of the program holds: each has a cache of its own, and a client resumes only where it was before.",
		Advice:  "Share the sessions between the processes (SSLCACHE_STORE=memory, or --store=memory; nginx: ssl_session_cache shared, Apache: SSLSessionCache shmcb), or turn tickets on with keys that all of them have.",
	}
	TicketsOfAnotherProcess = Kind{
		Name: "tickets-of-another-process", Severity: Warning,
		Meaning: "Clients came with tickets that are sealed with a key of another process, or of one that has ended: none here can open them, and each is a full handshake.",
		Advice:  "Give all processes and hosts the same ticket keys: SSLCACHE_TICKETS=shared with SSLCACHE_STORE_KEY, or a key file of the program's own (nginx: ssl_session_ticket_key, Apache: SSLSessionTicketKeyFile, HAProxy: tls-ticket-keys).",
	}
	TimeoutOutlivesProcess = Kind{
		Name: "timeout-outlives-process", Severity: Warning,
		Meaning: "Clients came back in time with sessions of a process that had ended, or of a context that was freed, as when a server reloads: the timeout promises them longer than they live.",
		Advice:  "Let the processes live longer than the session timeout, lower SSL_CTX_set_timeout, or keep the sessions outside of the processes (SSLCACHE_STORE=memory, or memory:FILE across restarts).",
	}
	CacheNeverAsked = Kind{
		Name: "cache-never-asked", Severity: Note,
		Meaning: "Every resumption was by a ticket that the client keeps; the cache was never asked, and its size and timeout change nothing.",
		Advice:  "Nothing, if tickets are wanted; to resume out of the cache set SSL_OP_NO_TICKET, or try it with --tickets=off.",
	}
	ClientCouldResume = Kind{
		Name: "client-could-resume", Severity: Note,
		Meaning: "A client made a full handshake to a host to which it had a connection open on another port; a server of FTP may refuse such a data connection.",
		Advice:  "Offer the session of the first connection with SSL_set_session, or run the program with --client=ftp (SSLCACHE_CLIENT=ftp); what stands in its way, in brackets here, is explained in docs/clients.md.",
	}
)
