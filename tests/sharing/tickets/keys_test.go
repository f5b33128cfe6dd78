package tickets

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// offer lets one process make tickets, and another open them; it gives what the other printed.
func (b *bench) offer(first, second []string, change func()) harness.Result {
	b.t.Helper()
	sessions := filepath.Join(b.t.TempDir(), "sessions")
	saving := b.command(harness.Ours, "save", sessions)
	saving.Env = append(saving.Env, append([]string{asked, "SSLCACHE_STORE_KEY=" + b.keys}, first...)...)
	saved := saving.Run(b.t)
	require.Empty(b.t, saved.Stderr)
	require.Zero(b.t, saved.Exit)
	if change != nil {
		change()
	}
	offering := b.command(harness.Ours, "offer", sessions)
	offering.Env = append(offering.Env, append([]string{asked, "SSLCACHE_STORE_KEY=" + b.keys}, second...)...)
	result := offering.Run(b.t)
	require.Zero(b.t, result.Exit)
	return result
}

const (
	opened  = "1.2: 1\n1.3: 1\n"
	refused = "1.2: 0\n1.3: 0\n"
)

func TestAnotherProcessOpensThem(t *testing.T) {
	forEachLibssl(t, func(t *testing.T, b *bench) {
		require.Equal(t, harness.Result{Stdout: opened}, b.offer(nil, nil, nil))
	})
}

func TestAnotherApplicationDoesNot(t *testing.T) {
	b := newBench(t)
	require.Equal(t, harness.Result{Stdout: refused}, b.offer([]string{"SSLCACHE_APP=one"}, []string{"SSLCACHE_APP=other"}, nil))
	require.Equal(t, harness.Result{Stdout: opened}, b.offer([]string{"SSLCACHE_APP=one"}, []string{"SSLCACHE_APP=one"}, nil))
}

// TestKeysAreRotatedInThreeSteps: what was sealed at each step opens at the step before and at the one after.
func TestKeysAreRotatedInThreeSteps(t *testing.T) {
	b := newBench(t)
	old, next := keyfile.Generate(), keyfile.Generate()
	steps := [][]string{{old}, {old, next}, {next, old}, {next}}
	for i := range len(steps) - 1 {
		for _, order := range [][2]int{{i, i + 1}, {i + 1, i}} {
			b.writeKeys(steps[order[0]]...)
			result := b.offer(nil, nil, func() { b.writeKeys(steps[order[1]]...) })
			require.Equal(t, harness.Result{Stdout: opened}, result, "sealed at step %d, opened at %d", order[0], order[1])
		}
	}
	b.writeKeys(old)
	require.Equal(t, harness.Result{Stdout: refused}, b.offer(nil, nil, func() { b.writeKeys(next) }))
}

// TestAFileThatCannotBeUsedLeavesTheProgramAsItWas says why in one line, without a byte of it.
func TestAFileThatCannotBeUsedLeavesTheProgramAsItWas(t *testing.T) {
	b := newBench(t)
	secret := strings.Repeat("A", 40)
	for _, one := range []struct {
		change func()
		why    string
	}{
		{func() { require.NoError(t, os.Remove(b.keys)) }, "ENOENT"},
		{func() { b.writeKeys(secret) }, "line 1: not a key, which is 32 bytes in base64 or hexadecimal"},
		{func() { b.writeKeys("# none") }, "no key in it"},
		{func() { b.writeKeys(strings.Repeat("# long\n", 5000)) }, "it is too large"},
		{func() { require.NoError(t, os.Chmod(b.keys, 0o640)) }, "others than its owner may use it (chmod 600)"},
		{func() { require.NoError(t, os.Chown(b.keys, 1, -1)) }, "it belongs to another user"},
		{func() { require.NoError(t, os.Remove(b.keys)); require.NoError(t, os.Mkdir(b.keys, 0o700)) }, "it is not a regular file"},
	} {
		result := b.offer(nil, nil, one.change)
		require.Equal(t, refused, result.Stdout, one.why)
		require.Equal(t, fmt.Sprintf("sslcache: tickets are not shared: the keys in %s can't be used: %s\n", b.keys, one.why), result.Stderr)
		require.NotContains(t, result.Stderr, secret)
		require.NoError(t, os.RemoveAll(b.keys))
		b.writeKeys(keyfile.Generate())
	}
}

func TestWithoutAFileTicketsAreNotShared(t *testing.T) {
	b := newBench(t)
	result := b.offer(nil, []string{"SSLCACHE_STORE_KEY="}, nil)
	require.Equal(t, refused, result.Stdout)
	require.Equal(t, "sslcache: tickets are not shared: SSLCACHE_TICKETS=shared needs a key, and SSLCACHE_STORE_KEY names no file of one\n", result.Stderr)
}

// parsed is what the library's parser makes of each file, in the words of the other one.
// Processes that have the memory store in common need no file.
func TestAFamilyHasARoot(t *testing.T) {
	family := harness.Program{Source: filepath.Join("programs", "family.c")}
	assert.Zero(t, strings.Count(family.Run(t, harness.Libssl).Stdout, "resumed 1 1"))
	family.Env = []string{"SSLCACHE_TICKETS=shared", "SSLCACHE_STORE=memory"}
	ours := family.Run(t, harness.Ours)
	assert.Empty(t, ours.Stderr)
	assert.Equal(t, 2, strings.Count(ours.Stdout, "second: done 1 resumed 1 1"), ours.Stdout)
	family.Env = family.Env[:1]
	assert.Contains(t, family.Run(t, harness.Ours).Stderr, "tickets are not shared")
}

func parsed(t *testing.T, texts []string) []string {
	t.Helper()
	folder, paths := t.TempDir(), []string{}
	for i, text := range texts {
		paths = append(paths, filepath.Join(folder, fmt.Sprint(i)))
		require.NoError(t, os.WriteFile(paths[i], []byte(text), 0o600))
	}
	result := harness.Program{Source: filepath.Join("programs", "key_file.c"), Args: paths}.Run(t, harness.Libssl)
	require.Zero(t, result.Exit)
	all := strings.Split(result.Stdout, "--\n")
	return all[:len(all)-1]
}

func parsedByStore(text string) string {
	keys, err := keyfile.Parse([]byte(text))
	if err != nil {
		return err.Error() + "\n"
	}
	var lines strings.Builder
	for _, key := range keys {
		lines.WriteString(hex.EncodeToString(key[:]) + "\n")
	}
	return lines.String()
}

// TestTheKeyFileIsTheOneOfTheStore: two parsers, one in C and one in Go, take the same files and refuse the same.
func TestTheKeyFileIsTheOneOfTheStore(t *testing.T) {
	key := make([]byte, keyfile.Size)
	for i := range key {
		key[i] = byte(i * 37)
	}
	base64Key, hexKey := base64.StdEncoding.EncodeToString(key), hex.EncodeToString(key)
	many := ""
	for range keyfile.Most + 1 {
		many += keyfile.Generate() + "\n"
	}
	files := []string{
		"", "\n\n", "#\n", base64Key, base64Key + "\n", hexKey, strings.ToUpper(hexKey), " \t" + base64Key + "\v\f\r\n",
		"# first\n" + base64Key + "\n\n" + keyfile.Generate(), base64Key + "\n" + hexKey, many, base64Key[:43], base64Key + "=",
		base64Key[:42] + "B=", base64Key[:42] + "==", strings.Repeat("A", 44), strings.Repeat("A", 43) + "=", strings.Repeat("!", 44),
		hexKey[:63], hexKey[:63] + "g", base64Key[:20] + "\r" + base64Key[21:], base64Key[:20] + "\x00" + base64Key[21:],
		"\u00a0" + base64Key, "\xef\xbb\xbf" + base64Key, base64Key + "#", base64Key + " # mine",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := []byte(files[random.IntN(len(files))] + "\n" + keyfile.Generate() + "\n" + hexKey)
		for range 1 + random.IntN(3) {
			text[random.IntN(len(text))] = byte("\n\r\t =#AaZz09+/-_\xff"[random.IntN(17)])
		}
		files = append(files, string(text))
	}
	for i, made := range parsed(t, files) {
		require.Equalf(t, parsedByStore(files[i]), made, "%q", files[i])
	}
}
