package store

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	connectionsMax   = 8 // to one node, of one process
	connectionsAhead = 2 // of these, set up at once: a look-up and a write do not wait for each other
	dialTimeout      = 2 * time.Second
	bufferSize       = 8 << 10
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
	commands atomic.Pointer[libraryClient]
	setups   atomic.Int32 // connections that are being set up
}

// libraryClient is a client of the library; in a cluster it has the other field too.
type libraryClient struct {
	commands
	cluster *redis.ClusterClient // or nil
	isMet   atomic.Bool          // the cluster has told of its nodes
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
	if old := c.commands.Swap(c.make()); old != nil {
		_ = old.Close()
	}
}

func (c *client) close() { _ = c.commands.Load().Close() }

// make sets what a program under us needs: answers on the thread that asked, so that a panic stays
// there; few retries, for the deadline is short; nothing from the server but what we ask for; and
// connections that stay.
func (c *client) make() *libraryClient {
	options := c.address.options
	options.Dialer = c.dial
	options.Protocol, options.DisableIdentity = 2, true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	options.ContextTimeoutEnabled, options.DialTimeout = true, dialTimeout
	options.ReadTimeout = max(writeTimeout, connectTimeout, c.settings.Timeout)
	options.MaxRetries, options.MinRetryBackoff, options.MaxRetryBackoff = 1, -1, -1
	options.PoolSize, options.ReadBufferSize, options.WriteBufferSize = connectionsMax, bufferSize, bufferSize
	options.ConnMaxIdleTime = -1
	switch {
	case options.IsClusterMode:
		cluster := options.Cluster()
		cluster.DialerRetries = 1
		clusterClient := redis.NewClusterClient(cluster)
		clusterClient.OnNewNode(func(node *redis.Client) { node.AddHook(greetings{&c.setups}) })
		return &libraryClient{commands: clusterClient, cluster: clusterClient}
	case options.MasterName != "":
		sentinel := options.Failover()
		sentinel.DialerRetries = 1
		return &libraryClient{commands: c.noting(redis.NewFailoverClient(sentinel))}
	}
	single := options.Simple()
	single.DialerRetries = 1
	return &libraryClient{commands: c.noting(redis.NewClient(single))}
}

func (c *client) noting(node *redis.Client) *redis.Client {
	node.AddHook(greetings{&c.setups})
	return node
}

// greetings counts the connections that are being set up after they were dialled: what the library sends on a new
// one before it is of use comes here like any other command.
type greetings struct{ count *atomic.Int32 }

func isGreeting(command redis.Cmder) bool {
	return slices.Contains([]string{"hello", "auth", "select"}, command.Name())
}

func (g greetings) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g greetings) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if isGreeting(command) {
			g.count.Add(1)
			defer g.count.Add(-1)
		}
		return next(ctx, command)
	}
}

func (g greetings) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if len(commands) > 0 && isGreeting(commands[0]) {
			g.count.Add(1)
			defer g.count.Add(-1)
		}
		return next(ctx, commands)
	}
}

func (c *client) isConnecting() bool { return c.setups.Load() > 0 }

// connect sets up connections to each node, and asks a cluster which there are.
func (c *client) connect(ctx context.Context) error {
	library := c.commands.Load()
	if library.cluster == nil {
		return connectAhead(ctx, library)
	}
	if err := c.meet(ctx, library); err != nil {
		return err
	}
	// A node that is not there has its own breaker for that.
	_ = library.cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		return connectAhead(ctx, node)
	})
	return nil
}

// connectAhead asks for signs of life at once: each needs a connection.
func connectAhead(ctx context.Context, node commands) error {
	errs := make([]error, connectionsAhead)
	var asked sync.WaitGroup
	for i := range errs {
		asked.Go(func() {
			defer func() {
				if recover() != nil {
					errs[i] = errPanic
				}
			}()
			errs[i] = node.Process(ctx, redis.NewStatusCmd(ctx, "ping"))
		})
	}
	asked.Wait()
	return errors.Join(errs[:1]...)
}

// meet lets the library learn the nodes of the cluster.
func (c *client) meet(ctx context.Context, library *libraryClient) error {
	_, err := library.cluster.MasterForKey(ctx, namePrefix)
	if err == nil {
		library.isMet.Store(true)
	}
	return err
}

// node: once a cluster has told of its nodes the library knows them, and learns the news beside us.
func (c *client) node(name string) string {
	library := c.commands.Load()
	if library.cluster == nil || !library.isMet.Load() {
		return ""
	}
	keeper, err := library.cluster.MasterForKey(context.Background(), name)
	if err != nil {
		return ""
	}
	return keeper.Options().Addr
}

func (c *client) ping(ctx context.Context, name string) error {
	library := c.commands.Load()
	var asked commands = library
	if library.cluster != nil {
		if err := c.meet(ctx, library); err != nil {
			return err
		}
		keeper, err := library.cluster.MasterForKey(ctx, name)
		if err != nil {
			return err
		}
		asked = keeper
	}
	return asked.Process(ctx, redis.NewStatusCmd(ctx, "ping"))
}

// dial connects: every connection is guarded.
func (c *client) dial(ctx context.Context, network, where string) (net.Conn, error) {
	c.setups.Add(1)
	defer c.setups.Add(-1)
	dialer := net.Dialer{Timeout: dialTimeout}
	plain, err := dialer.DialContext(ctx, network, where)
	if err != nil {
		return nil, err
	}
	if c.address.tls == nil {
		return &plainGuard{guard{Conn: plain}}, nil
	}
	secured, err := c.secure(ctx, plain, where)
	if err != nil {
		plain.Close()
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

func (c *client) get(ctx context.Context, names []string, take bool) ([][]byte, []error) {
	verb := "get"
	if take {
		verb = "getdel"
	}
	answers := make([]*redis.StringCmd, len(names))
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
	library := c.commands.Load()
	if len(all) == 1 {
		if err := library.Process(ctx, all[0]); err != nil {
			all[0].SetErr(err)
		}
		return
	}
	pipeline := library.Pipeline()
	for _, command := range all {
		_ = pipeline.Process(ctx, command)
	}
	_, err := pipeline.Exec(ctx)
	if err == nil || slices.ContainsFunc(all, func(command redis.Cmder) bool { return command.Err() != nil }) {
		return
	}
	for _, command := range all {
		command.SetErr(err)
	}
}

func recordsOf(answers []*redis.StringCmd) ([][]byte, []error) {
	records, errs := make([][]byte, len(answers)), make([]error, len(answers))
	for i, answer := range answers {
		record, err := answer.Bytes()
		switch {
		case err == nil:
			records[i] = record
		case !errors.Is(err, redis.Nil):
			errs[i] = err
		}
	}
	return records, errs
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
