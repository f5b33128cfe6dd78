package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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
	folder := t.TempDir()
	empty := filepath.Join(folder, "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	const hint = "a / ? # or @ in its password is written %2F %3F %23 or %40"
	for text, complaint := range map[string]string{
		"":                                        "must begin with valkey://",
		"host:6379":                               "must begin with valkey://",
		"valkey:host":                             "must begin with valkey://",
		"http://:hunter2@host":                    "must begin with valkey://",
		"redis://:hunter2@host:port":              "is not a URL",
		"redis://:hunter2@host/%zz":               "is not a URL",
		"redis://:hunter2@":                       "has no host",
		"redis://:hunter2@:6379":                  "has no host",
		"redis://:hunter2@host/x":                 "database in its address is not a number",
		"redis://:hunter2@host/-1":                "database in its address is not a number",
		"redis://:hunter2@host?db=x":              "database in its address is not a number",
		"redis://:hunter2@host/1?db=1":            "has two databases",
		"redis://:hunter2@host?db=1&db=2":         "has db twice",
		"redis://:hunter2@host?db=":               "db in its address is empty",
		"redis://:hunter2@host#x":                 "has a # in it",
		"redis://:hunter2@host?max_retries=7":     "has a parameter that is none of db, cluster, ",
		"redis://:hunter2@a?addr=b":               "several addresses",
		"redis://:hunter2@a?cluster=yes":          "neither true nor false",
		"redis://:hunter2@a?cluster=true&db=1":    "a cluster has no databases",
		"redis://a?cluster=true&master_name=m":    "not both",
		"unix://":                                 "must have the path of a socket",
		"unix://run/socket":                       "must have the path of a socket",
		"unix:///s?cluster=true":                  "a socket is neither",
		"unix:///s?master_name=m":                 "a socket is neither",
		"redis://:hunter2@a?sentinel_password=%g": "parameters of its address can't be read",

		// An option that has no effect is one that somebody counts on.
		"valkey://:hunter2@a?ca=" + empty:              "ca in its address needs valkeys://",
		"unix:///s?ca=" + empty:                        "ca in its address needs valkeys://",
		"valkey://a?certificate=/c&key=/k":             "certificate in its address needs valkeys://",
		"valkey://a?key=/k":                            "key in its address needs valkeys://",
		"rediss://:hunter2@a?certificate=/no/c":        "certificate and key in its address need each other",
		"rediss://:hunter2@a?key=/no/c":                "certificate and key in its address need each other",
		"valkey://a?sentinel_username=u":               "need master_name=NAME",
		"valkey://a?sentinel_password=hunter2":         "need master_name=NAME",
		"valkey://a?master_name=m&sentinel_username=u": "sentinel_username needs sentinel_password",

		// What a file can't be read for, and not its name.
		"rediss://:hunter2@a?ca=/no/hunter2":                         "its ca: no such file or directory",
		"rediss://:hunter2@a?ca=" + empty:                            "its ca: no certificate in it",
		"rediss://:hunter2@a?certificate=/no/hunter2&key=" + empty:   "our certificate and key for it: no such file",
		"rediss://:hunter2@a?key=/no/hunter2&certificate=" + empty:   "our certificate and key for it: no such file",
		"rediss://:hunter2@a?certificate=" + empty + "&key=" + empty: "our certificate and key for it: tls: ",

		// A password with a letter in it that ends it.
		"valkey://app:/hunter2@host":           hint,
		"valkey://app:/hun@ter2/hunter2@host":  hint,
		"valkey://app:?hunter2@host":           hint,
		"valkey://app:x?ca=/hunter2@host":      hint,
		"valkey://app:#hunter2@host":           hint,
		"valkey://app:12/hunter2@host":         hint,
		"valkey://app:12?hunter2=1&b@host":     hint,
		"valkeys://app:12?ca=hunter2@host/3":   hint,
		"valkeys://app:12?key=hunter2@host/3":  hint,
		"unix://app:/hunter2@/run/socket?db=x": hint,
	} {
		_, err := parseAddress(text)
		require.ErrorContains(t, err, complaint, text)
		require.NotContains(t, err.Error(), "hunter2", text)
		require.NotContains(t, err.Error(), folder, text)
		if complaint != hint {
			require.NotContains(t, err.Error(), hint, text)
		}
	}
}

func TestPasswordBesideTheAddress(t *testing.T) {
	for address, want := range map[string]struct{ user, password, complaint string }{
		"valkey://host":             {password: "sesame"},
		"valkey://app@host":         {user: "app", password: "sesame"},
		"valkey://app:hunter2@host": {complaint: "its address has a password, and SSLCACHE_STORE_PASSWORD_FILE has another"},
	} {
		c, err := newClient(Settings{Address: address, Password: "sesame"})
		if want.complaint != "" {
			require.EqualError(t, err, want.complaint)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []string{want.user, want.password}, []string{c.address.options.Username, c.address.options.Password})
		c.close()
	}
	_, err := newClient(Settings{Address: "valkey://app@host"})
	require.EqualError(t, err, "its address has a user and no password, and SSLCACHE_STORE_PASSWORD_FILE names none")
	_, err = Open(Settings{Address: "valkey://host"})
	require.EqualError(t, err, "its timeout must be above 0")
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for wrong, settings := range map[string]Settings{
		"must begin with valkey://": {Address: "localhost", Timeout: time.Second},
		"must be above 0":           {Address: "valkey://localhost"},
	} {
		s, err := Open(settings)
		require.ErrorContains(t, err, wrong)
		require.Nil(t, s)
	}
}
