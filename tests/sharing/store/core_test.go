package store

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// TestCoreOfAProgramHasNoSecret: neither of the keys, nor of a session that has left the process.
func TestCoreOfAProgramHasNoSecret(t *testing.T) {
	t.Parallel()
	kept := startKeeper(t)
	shared := share(t, kept.address())
	line := keyfile.Generate()
	shared.writeKeys(line)
	key, err := base64.StdEncoding.DecodeString(line)
	require.NoError(t, err)
	const word = "A_WORD=that is in the environment"
	alone := ready(t, harness.Program{Source: coreSource, Args: []string{"alone"}}.Command(t, harness.Libssl))
	process := ready(t, harness.Program{Source: coreSource, Env: append(shared.environment(), word)}.Command(t, harness.Ours))
	require.Contains(t, process.Stdout(), "other: done 1 resumed 1 1", "the session went to the store and came back")
	beforeSecret := func(one *harness.Server) string {
		said, _, isThere := strings.Cut(one.Stdout(), "secret ")
		require.True(t, isThere)
		return said
	}
	require.Contains(t, beforeSecret(alone), "added")
	require.Equal(t, beforeSecret(alone), beforeSecret(process), "a serialised session is wiped after use")
	secret, err := hex.DecodeString(regexp.MustCompile(`\nsecret ([0-9a-f]{96})\n`).FindStringSubmatch(process.Stdout())[1])
	require.NoError(t, err)

	file := filepath.Join(t.TempDir(), "core")
	said, err := exec.Command("gdb", "--nx", "--batch", "--readnever", "-p", fmt.Sprint(process.Pid),
		"-ex", "generate-core-file "+file).CombinedOutput()
	require.NoErrorf(t, err, "run make packages: %s", said)
	process.Stop(syscall.SIGKILL)
	core, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Contains(core, []byte(word)), "what is to be found in a core is found")
	secrets := map[string][]byte{"the line of the key file": []byte(line), "the key": key, "the master secret": secret}
	for _, use := range []string{"sslcache store: names", "sslcache store: seals"} {
		derived, err := hkdf.Key(sha256.New, key, nil, use, sha256.Size)
		require.NoError(t, err)
		secrets[use] = derived
		for _, pad := range []byte{0x36, 0x5c} {
			padded := bytes.Clone(derived)
			for i := range padded {
				padded[i] ^= pad
			}
			secrets[fmt.Sprintf("%s with %#x", use, pad)] = padded
		}
	}
	for name, secret := range secrets {
		require.Falsef(t, bytes.Contains(core, secret), "%s is in the core", name)
	}
}

var coreSource = filepath.Join("programs", "core.c")

// ready starts the program and waits until it has done its work.
func ready(t *testing.T, program harness.Command) *harness.Server {
	t.Helper()
	process := program.Start(t, 0)
	require.Eventually(t, func() bool { return strings.HasSuffix(process.Stdout(), "ready\n") }, patience, time.Millisecond,
		"%s%s", process.Stdout(), process.Stderr())
	return process
}
