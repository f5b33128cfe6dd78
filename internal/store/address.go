package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// address is where the server is and who we are to it, as the client library takes it.
type address struct {
	options redis.UniversalOptions
	tls     *tls.Config // nil: in the clear
}

// The schemes that we know, and what the client library calls them.
var schemes = map[string]string{
	"valkey": "redis", "redis": "redis", "valkeys": "rediss", "rediss": "rediss", "unix": "unix",
}

// The parameters that an address may have.
const (
	databaseParameter         = "db"
	clusterParameter          = "cluster"     // true: the server is one of a cluster
	masterParameter           = "master_name" // the servers are sentinels of this master
	addressParameter          = "addr"        // more nodes of the cluster, or more sentinels
	sentinelUserParameter     = "sentinel_username"
	sentinelPasswordParameter = "sentinel_password"
	authorityParameter        = "ca"          // a file of certificates that may sign the server's
	certificateParameter      = "certificate" // files, for a server that asks who we are
	keyParameter              = "key"
)

var parametersKnown = []string{
	databaseParameter, clusterParameter, masterParameter, addressParameter, sentinelUserParameter,
	sentinelPasswordParameter, authorityParameter, certificateParameter, keyParameter,
}

// parseAddress reads
//
//	valkey://[[user]:password@]host[:port][/database]             one server
//	valkey://host[:port]?cluster=true[&addr=host:port…]           a cluster, some of its nodes
//	valkey://host[:port]?master_name=NAME[&addr=host:port…]       sentinels of that master
//	valkeys://… [?ca=FILE][&certificate=FILE&key=FILE]            over TLS
//	unix://[[user]:password@]/path[?db=database]                  a socket of this machine
//
// with redis for valkey and rediss for valkeys. An error never has the address in it, which may have a
// password.
func parseAddress(text string) (*address, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("its address is not a URL")
	}
	scheme, isKnown := schemes[parsed.Scheme]
	if !isKnown {
		return nil, errors.New("its address must begin with valkey://, valkeys://, redis://, rediss:// or unix://")
	}
	parameters, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return nil, errors.New("the parameters of its address can't be read")
	}
	for name := range parameters {
		if !slices.Contains(parametersKnown, name) {
			return nil, fmt.Errorf("its address has no parameter %q", name)
		}
	}
	parsed.Scheme = scheme
	parsed.RawQuery = url.Values{databaseParameter: parameters[databaseParameter]}.Encode()
	server, err := redis.ParseURL(parsed.String())
	if err != nil {
		return nil, errors.New("its address: " + strings.TrimPrefix(err.Error(), "redis: "))
	}
	found := &address{options: redis.UniversalOptions{
		Addrs: append([]string{server.Addr}, parameters[addressParameter]...),
		DB:    server.DB, Username: server.Username, Password: server.Password,
		MasterName:       parameters.Get(masterParameter),
		SentinelUsername: parameters.Get(sentinelUserParameter),
		SentinelPassword: parameters.Get(sentinelPasswordParameter),
	}}
	if err := found.readCluster(parameters.Get(clusterParameter)); err != nil {
		return nil, err
	}
	if scheme == "rediss" {
		found.tls, err = readTLS(parameters)
	}
	return found, err
}

func (a *address) readCluster(value string) error {
	switch value {
	case "true":
		a.options.IsClusterMode = true
	case "", "false":
	default:
		return errors.New("cluster in its address is neither true nor false")
	}
	switch {
	case a.options.IsClusterMode && a.options.MasterName != "":
		return errors.New("its address is that of a cluster or of sentinels, not both")
	case a.options.IsClusterMode && a.options.DB != 0:
		return errors.New("a cluster has no databases")
	case len(a.options.Addrs) > 1 && !a.options.IsClusterMode && a.options.MasterName == "":
		return errors.New("it has several addresses: cluster=true or master_name=NAME says what they are")
	}
	return nil
}

// readTLS: the certificate of the server is always verified.
func readTLS(parameters url.Values) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := parameters.Get(authorityParameter); file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("its ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("its ca: no certificate in %s", file)
		}
	}
	if file := parameters.Get(certificateParameter); file != "" {
		certificate, err := tls.LoadX509KeyPair(file, parameters.Get(keyParameter))
		if err != nil {
			return nil, fmt.Errorf("our certificate for it: %w", err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}
