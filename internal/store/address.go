package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// address is where the server is and who we are to it, as the client library takes it.
type address struct {
	options redis.UniversalOptions
	tls     *tls.Config // nil: in the clear
}

const defaultPort = "6379"

// The schemes that we know, and whether they are over TLS.
var schemes = map[string]bool{"valkey": false, "redis": false, "valkeys": true, "rediss": true, unixScheme: false}

const unixScheme = "unix"

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
// with redis for valkey and rediss for valkeys. Nothing of the address is ever in an error: where a password has a
// letter that ends it, any part of the address may be one of the password.
func parseAddress(text string) (*address, error) {
	found, err := parseURL(text)
	if err != nil && isCutPassword(text) {
		return nil, fmt.Errorf("%w; a / ? # or @ in its password is written %%2F %%3F %%23 or %%40", err)
	}
	return found, err
}

// isCutPassword reports whether what stands before the host may have ended before its time.
func isCutPassword(text string) bool {
	_, behind, _ := strings.Cut(text, "://")
	at := strings.LastIndexByte(behind, '@')
	return at >= 0 && strings.ContainsAny(behind[:at], "/?#@")
}

func parseURL(text string) (*address, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("its address is not a URL")
	}
	isSecure, isKnown := schemes[parsed.Scheme]
	if !isKnown || parsed.Opaque != "" {
		return nil, errors.New("its address must begin with valkey://, valkeys://, redis://, rediss:// or unix://")
	}
	if parsed.Fragment != "" {
		return nil, errors.New("its address has a # in it")
	}
	parameters, err := readParameters(parsed.RawQuery)
	if err != nil {
		return nil, err
	}
	found := &address{options: redis.UniversalOptions{
		MasterName:       parameters.Get(masterParameter),
		SentinelUsername: parameters.Get(sentinelUserParameter),
		SentinelPassword: parameters.Get(sentinelPasswordParameter),
	}}
	found.options.Username = parsed.User.Username()
	found.options.Password, _ = parsed.User.Password()
	for _, read := range []func(*url.URL, url.Values) error{
		found.readServer, found.readDatabase, found.readKind, checkTLS,
	} {
		if err := read(parsed, parameters); err != nil {
			return nil, err
		}
	}
	if isSecure {
		found.tls, err = readTLS(parameters)
	}
	return found, err
}

func readParameters(query string) (url.Values, error) {
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the parameters of its address can't be read")
	}
	for name, values := range parameters {
		switch {
		case !slices.Contains(parametersKnown, name):
			return nil, errors.New("its address has a parameter that is none of " + strings.Join(parametersKnown, ", "))
		case name != addressParameter && len(values) > 1:
			return nil, fmt.Errorf("its address has %s twice", name)
		case slices.Contains(values, ""):
			return nil, fmt.Errorf("%s in its address is empty", name)
		}
	}
	return parameters, nil
}

func (a *address) readServer(parsed *url.URL, parameters url.Values) error {
	if parsed.Scheme == unixScheme {
		if parsed.Host != "" || strings.Trim(parsed.Path, "/") == "" {
			return errors.New("its address must have the path of a socket, as in unix:///run/valkey.sock")
		}
		a.options.Addrs = []string{parsed.Path}
		return nil
	}
	host, port := parsed.Hostname(), parsed.Port()
	if host == "" {
		return errors.New("its address has no host")
	}
	if port == "" {
		port = defaultPort
	}
	a.options.Addrs = append([]string{net.JoinHostPort(host, port)}, parameters[addressParameter]...)
	return nil
}

func (a *address) readDatabase(parsed *url.URL, parameters url.Values) error {
	text := parameters.Get(databaseParameter)
	if path := strings.Trim(parsed.Path, "/"); parsed.Scheme != unixScheme && path != "" {
		if text != "" {
			return errors.New("its address has two databases")
		}
		text = path
	}
	if text == "" {
		return nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 0 {
		return errors.New("the database in its address is not a number")
	}
	a.options.DB = number
	return nil
}

// readKind reads whether it is one server, a cluster or sentinels. An option that has no effect is an error: whoever
// wrote it takes it for one that has.
func (a *address) readKind(parsed *url.URL, parameters url.Values) error {
	switch parameters.Get(clusterParameter) {
	case "true":
		a.options.IsClusterMode = true
	case "", "false":
	default:
		return errors.New("cluster in its address is neither true nor false")
	}
	isSentinel := a.options.MasterName != ""
	isOne := !a.options.IsClusterMode && !isSentinel
	switch {
	case a.options.IsClusterMode && isSentinel:
		return errors.New("its address is that of a cluster or of sentinels, not both")
	case a.options.IsClusterMode && a.options.DB != 0:
		return errors.New("a cluster has no databases")
	case parsed.Scheme == unixScheme && !isOne:
		return errors.New("a socket is neither a cluster nor a sentinel")
	case isOne && parameters.Has(addressParameter):
		return errors.New("it has several addresses: cluster=true or master_name=NAME says what they are")
	case !isSentinel && (parameters.Has(sentinelUserParameter) || parameters.Has(sentinelPasswordParameter)):
		return errors.New("sentinel_username and sentinel_password need master_name=NAME in its address")
	case parameters.Has(sentinelUserParameter) && !parameters.Has(sentinelPasswordParameter):
		return errors.New("sentinel_username needs sentinel_password in its address")
	}
	return nil
}

func checkTLS(parsed *url.URL, parameters url.Values) error {
	for _, name := range []string{authorityParameter, certificateParameter, keyParameter} {
		if parameters.Has(name) && !schemes[parsed.Scheme] {
			return fmt.Errorf("%s in its address needs valkeys:// or rediss://: the connection would be in the clear", name)
		}
	}
	if parameters.Has(certificateParameter) != parameters.Has(keyParameter) {
		return errors.New("certificate and key in its address need each other")
	}
	return nil
}

// setPassword takes the password that is not in the address, "" for none. A user alone is nobody to the server.
func (a *address) setPassword(password string) error {
	switch {
	case password != "" && a.options.Password != "":
		return errors.New("its address has a password, and SSLCACHE_STORE_PASSWORD_FILE has another")
	case password != "":
		a.options.Password = password
	case a.options.Password == "" && a.options.Username != "":
		return errors.New("its address has a user and no password, and SSLCACHE_STORE_PASSWORD_FILE names none")
	}
	return nil
}

// readTLS: the certificate of the server is always verified.
func readTLS(parameters url.Values) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := parameters.Get(authorityParameter); file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("its ca: %w", withoutPath(err))
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, errors.New("its ca: no certificate in it")
		}
	}
	if file := parameters.Get(certificateParameter); file != "" {
		certificate, err := tls.LoadX509KeyPair(file, parameters.Get(keyParameter))
		if err != nil {
			return nil, fmt.Errorf("our certificate and key for it: %w", withoutPath(err))
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

func withoutPath(err error) error {
	var ofFile *fs.PathError
	if errors.As(err, &ofFile) {
		return ofFile.Err
	}
	return err
}
