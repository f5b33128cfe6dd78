package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddress(t *testing.T) {
	for text, want := range map[string]struct {
		addresses              []string
		user, password, master string
		database               int
		cluster, tls           bool
	}{
		"valkey://host":                        {addresses: []string{"host:6379"}},
		"redis://:secret@host:7000/2":          {addresses: []string{"host:7000"}, password: "secret", database: 2},
		"rediss://me:secret@host":              {addresses: []string{"host:6379"}, user: "me", password: "secret", tls: true},
		"valkeys://host:1":                     {addresses: []string{"host:1"}, tls: true},
		"unix:///run/valkey.sock?db=3":         {addresses: []string{"/run/valkey.sock"}, database: 3},
		"valkey://[::1]:7000":                  {addresses: []string{"[::1]:7000"}},
		"valkey://a:1?cluster=true&addr=b:2":   {addresses: []string{"a:1", "b:2"}, cluster: true},
		"redis://a:1?master_name=m&addr=b:2":   {addresses: []string{"a:1", "b:2"}, master: "m"},
		"valkey://me:a%2Fb@host?cluster=false": {addresses: []string{"host:6379"}, user: "me", password: "a/b"},
	} {
		found, err := parseAddress(text)
		require.NoError(t, err, text)
		o := found.options
		require.Equal(t, want.addresses, o.Addrs, text)
		require.Equal(t, []any{want.user, want.password, want.database, want.master, want.cluster},
			[]any{o.Username, o.Password, o.DB, o.MasterName, o.IsClusterMode}, text)
		require.Equal(t, want.tls, found.tls != nil, text)
	}
}

func TestAddressThatIsNone(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for text, complaint := range map[string]string{
		"":                                        "must begin with valkey://",
		"host:6379":                               "must begin with valkey://",
		"http://:hunter2@host":                    "must begin with valkey://",
		"redis://:hunter2@host:port":              "is not a URL",
		"redis://:hunter2@host/%zz":               "is not a URL",
		"redis://:hunter2@host/x":                 "invalid database number",
		"redis://:hunter2@host?db=x":              "invalid database number",
		"redis://:hunter2@host?max_retries=7":     `no parameter "max_retries"`,
		"redis://:hunter2@a?addr=b":               "several addresses",
		"redis://:hunter2@a?cluster=yes":          "neither true nor false",
		"redis://:hunter2@a?cluster=true&db=1":    "a cluster has no databases",
		"redis://a?cluster=true&master_name=m":    "not both",
		"unix://":                                 "empty unix socket path",
		"rediss://:hunter2@a?ca=/no/such":         "no such file",
		"rediss://:hunter2@a?ca=" + empty:         "no certificate in",
		"rediss://:hunter2@a?certificate=/no/c":   "no such file",
		"redis://:hunter2@a?sentinel_password=%g": "parameters of its address can't be read",
	} {
		_, err := parseAddress(text)
		require.ErrorContains(t, err, complaint, text)
		require.NotContains(t, err.Error(), "hunter2", text)
	}
}
