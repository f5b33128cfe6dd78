package store

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	connectionsMax = 8 // to one server, of one process
	dialTimeout    = 2 * time.Second
	bufferSize     = 8 << 10
)

// commands is what we use of the clients of the library.
type commands interface {
	Process(ctx context.Context, command redis.Cmder) error
	Pipeline() redis.Pipeliner
	Close() error
}

// client is a server that speaks the protocol of Valkey and Redis.
type client struct {
	settings Settings
	address  *address
	mutex    sync.Mutex // of making commands anew
	commands atomic.Pointer[commands]
}

// silent keeps the library from writing into somebody's standard error.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(silent{}) }

func newClient(settings Settings) (*client, error) {
	parsed, err := parseAddress(settings.Address)
	if err != nil {
		return nil, err
	}
	if err := parsed.setPassword(settings.Password); err != nil {
		return nil, err
	}
	c := &client{settings: settings, address: parsed}
	c.reset()
	return c, nil
}

// reset: calls that are under way on the old connections fail.
func (c *client) reset() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	fresh := c.make()
	if old := c.commands.Swap(&fresh); old != nil {
		_ = (*old).Close()
	}
}

func (c *client) close() { _ = (*c.commands.Load()).Close() }

// make sets what a program under us needs: answers on the thread that asked, so that a panic stays
// there; few retries, for the deadline is short; nothing from the server but what we ask for.
func (c *client) make() commands {
	options := c.address.options
	options.Dialer = c.dial
	options.Protocol, options.DisableIdentity = 2, true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	options.ContextTimeoutEnabled, options.ReadTimeout, options.DialTimeout = true, writeTimeout, dialTimeout
	options.MaxRetries, options.MinRetryBackoff, options.MaxRetryBackoff = 1, -1, -1
	options.PoolSize, options.ReadBufferSize, options.WriteBufferSize = connectionsMax, bufferSize, bufferSize
	switch {
	case options.IsClusterMode:
		cluster := options.Cluster()
		cluster.DialerRetries = 1
		return redis.NewClusterClient(cluster)
	case options.MasterName != "":
		sentinel := options.Failover()
		sentinel.DialerRetries = 1
		return redis.NewFailoverClient(sentinel)
	}
	single := options.Simple()
	single.DialerRetries = 1
	return redis.NewClient(single)
}

// dial connects: every connection is guarded, and noted as long as it is open.
func (c *client) dial(ctx context.Context, network, where string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	plain, err := dialer.DialContext(ctx, network, where)
	if err != nil {
		return nil, err
	}
	noted := c.note(plain)
	if c.address.tls == nil {
		return &plainGuard{guard{Conn: noted}}, nil
	}
	secured, err := c.secure(ctx, noted, where)
	if err != nil {
		noted.Close()
		return nil, err
	}
	return &guard{Conn: secured}, nil
}

func (c *client) secure(ctx context.Context, plain net.Conn, where string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(where)
	if err != nil {
		return nil, err
	}
	config := c.address.tls.Clone()
	config.ServerName = host
	secured := tls.Client(plain, config)
	within, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return secured, secured.HandshakeContext(within)
}

// notedConnection tells when it ends, before its descriptor can become another's.
type notedConnection struct {
	net.Conn
	ended sync.Once
	end   func()
}

func (c *client) note(plain net.Conn) net.Conn {
	descriptor := -1
	if raw, err := plain.(syscall.Conn).SyscallConn(); err == nil {
		_ = raw.Control(func(number uintptr) { descriptor = int(number) })
	}
	if descriptor < 0 || c.settings.Connected == nil {
		return plain
	}
	c.settings.Connected(descriptor)
	return &notedConnection{Conn: plain, end: func() { c.settings.Disconnected(descriptor) }}
}

func (n *notedConnection) Close() error {
	n.ended.Do(n.end)
	return n.Conn.Close()
}

// SyscallConn lets the library look whether a connection is still alive before it uses it.
func (n *notedConnection) SyscallConn() (syscall.RawConn, error) {
	return n.Conn.(syscall.Conn).SyscallConn()
}

func (c *client) get(ctx context.Context, names []string, take bool) ([][]byte, error) {
	verb := "get"
	if take {
		verb = "getdel"
	}
	answers := make([]*redis.StringCmd, len(names))
	if len(names) == 1 {
		answers[0] = redis.NewStringCmd(ctx, verb, names[0])
		_ = (*c.commands.Load()).Process(ctx, answers[0])
		return recordsOf(answers)
	}
	all := make([]redis.Cmder, len(names))
	for i, name := range names {
		answers[i] = redis.NewStringCmd(ctx, verb, name)
		all[i] = answers[i]
	}
	c.process(ctx, all)
	return recordsOf(answers)
}

// process sends several commands at once. Each has its own error afterwards: where no connection can be
// had the library tells of it, but not always the commands.
func (c *client) process(ctx context.Context, all []redis.Cmder) {
	pipeline := (*c.commands.Load()).Pipeline()
	for _, command := range all {
		_ = pipeline.Process(ctx, command)
	}
	_, err := pipeline.Exec(ctx)
	if err == nil || slices.ContainsFunc(all, func(one redis.Cmder) bool { return one.Err() != nil }) {
		return
	}
	for _, command := range all {
		command.SetErr(err)
	}
}

// recordsOf gives what there is, or the error of one that could not be asked.
func recordsOf(answers []*redis.StringCmd) ([][]byte, error) {
	records := make([][]byte, len(answers))
	var failure error
	isAny := false
	for i, answer := range answers {
		record, err := answer.Bytes()
		switch {
		case err == nil:
			records[i], isAny = record, true
		case !errors.Is(err, redis.Nil):
			failure = err
		}
	}
	if isAny {
		failure = nil
	}
	return records, failure
}

func (c *client) write(ctx context.Context, operations []operation) []error {
	all := make([]redis.Cmder, len(operations))
	for i, o := range operations {
		all[i] = commandOf(ctx, o)
	}
	c.process(ctx, all)
	results := make([]error, len(operations))
	for i, command := range all {
		results[i] = command.Err()
	}
	return results
}

func commandOf(ctx context.Context, o operation) redis.Cmder {
	if o.isDeletion() {
		return redis.NewIntCmd(ctx, "del", o.name)
	}
	return redis.NewStatusCmd(ctx, "set", o.name, o.record, "px", o.life.Milliseconds())
}

func (c *client) ping(ctx context.Context) error {
	return (*c.commands.Load()).Process(ctx, redis.NewStatusCmd(ctx, "ping"))
}

// isRefusal: the server is well and said no, for want of memory or of permission.
func isRefusal(err error) bool {
	var refusal redis.Error
	return errors.As(err, &refusal)
}
