package libssls

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// A program compiled for a version runs under that very version, with and without a preloaded library.
func TestEveryVersionRuns(t *testing.T) {
	for _, version := range append([]string{Debian11}, Versions...) {
		t.Run(version, func(t *testing.T) {
			libssl := Get(t, version)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			folder := t.TempDir()
			program := compile(t, libssl, folder, "program", `
				#include <gnu/libc-version.h>
				#include <openssl/ssl.h>
				#include <stdio.h>
				#include <stdlib.h>
				int main(void)
				{
					SSL_CTX *ctx = SSL_CTX_new(TLS_method());
					printf("%s|%s|%d|%s", OpenSSL_version(OPENSSL_VERSION), gnu_get_libc_version(),
						ctx != NULL, getenv("PRELOADED"));
					SSL_CTX_free(ctx);
					return 0;
				}`)
			preload := compile(t, libssl, folder, "preload", `
				#include <stdlib.h>
				__attribute__((constructor)) static void loaded(void) { setenv("PRELOADED", "yes", 1); }`,
				"-shared", "-fPIC")

			alone, err := libssl.Command(ctx, "", program).Output()
			require.NoError(t, err)
			under, err := libssl.Command(ctx, preload, program).Output()
			require.NoError(t, err)

			number, _, _ := strings.Cut(version, "-")
			assert.Regexp(t, "^OpenSSL "+regexp.QuoteMeta(number)+"[.a-z]", string(alone))
			if version == Debian11 {
				assert.Contains(t, string(alone), "|2.31|", "its own libc")
			}
			assert.True(t, strings.HasSuffix(string(alone), "|1|(null)"), "%s", alone)
			assert.True(t, strings.HasSuffix(string(under), "|1|yes"), "%s", under)
		})
	}
}

func compile(t *testing.T, libssl Libssl, folder, name, source string, flags ...string) string {
	t.Helper()
	file := filepath.Join(folder, name+".c")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	return harness.Program{Source: file, Flags: flags, Library: libssl.Harness()}.Compile(t, harness.Libssl)
}

func TestSourcesOfBothForms(t *testing.T) {
	assert.Equal(t,
		[]archive{{"http://mirror.example/debian", "bookworm", "/keys/archive.gpg"}},
		oneLine("# deb http://other.example bookworm main\n"+
			"deb-src http://mirror.example/debian bookworm main\n"+
			"deb [arch=amd64 signed-by=/keys/archive.gpg] http://mirror.example/debian bookworm main\n"))
	assert.Equal(t,
		[]archive{
			{"http://mirror.example/debian", "bookworm", "/keys/archive.gpg"},
			{"http://mirror.example/debian", "bookworm-updates", "/keys/archive.gpg"},
		},
		deb822("# URIs: http://other.example\nTypes: deb\nURIs: http://mirror.example/debian\n"+
			"Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/archive.gpg\n\n"+
			"Types: deb-src\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n"))
}
