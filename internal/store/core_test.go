package store

import (
	"bufio"
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/store/keyfile"
)

// childVariable makes TestUseForACore the process that a core is made of.
const childVariable = "SSLCACHE_TEST_OF_A_CORE"

const secretSize = 48 // a master secret

// TestUseForACore keeps what it is told, and what it finds, in memory that no core has: what is in the core then was
// left there by the store. It reads a line of a key file, a session, and a word that may well be in the core.
func TestUseForACore(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("of use to TestCoreHasNoSecret only")
	}
	secrets, err := mapSecret(2*keyfile.Size + secretSize)
	require.NoError(t, err)
	_, err = io.ReadFull(os.Stdin, secrets)
	require.NoError(t, err)
	word := make([]byte, secretSize)
	_, err = io.ReadFull(os.Stdin, word)
	require.NoError(t, err)

	s := open(Settings{Application: "test", Timeout: time.Minute}, newFake())
	require.NoError(t, s.SetKeys(secrets[:2*keyfile.Size]))
	session := secrets[2*keyfile.Size:]
	room, err := mapSecret(len(session))
	require.NoError(t, err)
	var users sync.WaitGroup
	for i := range 4 {
		users.Go(func() {
			for range 50 {
				s.Put(coreIdentity, session, time.Hour, false)
				if i == 0 {
					s.Get(coreIdentity, false, room)
				}
				runtime.Gosched()
			}
		})
	}
	users.Wait()
	require.Eventually(t, func() bool { return s.Get(coreIdentity, false, room) > 0 }, time.Minute, time.Millisecond)
	require.True(t, bytes.Equal(session, room), "the session")
	unmapSecret(secrets)
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	runtime.KeepAlive(word)
	runtime.KeepAlive(s)
}

var coreIdentity = Identity{Context: []byte("site"), Version: 0x304, ID: []byte("the id of a session, 32 bytes...")}

// TestCoreHasNoSecret makes a core of a process that uses the store.
func TestCoreHasNoSecret(t *testing.T) {
	t.Parallel()
	var secret keyfile.Key
	session, word := make([]byte, secretSize), make([]byte, secretSize)
	for _, value := range [][]byte{secret[:], session, word} {
		_, _ = rand.Read(value)
	}
	core := coreOf(t, []byte(hex.EncodeToString(secret[:])), session, word)
	require.True(t, bytes.Contains(core, word), "what is to be found in a core is found")
	for name, secret := range secretsOf(t, secret[:], session) {
		require.Falsef(t, bytes.Contains(core, secret), "%s is in the core", name)
	}
}

// coreOf starts the process, tells it that, and makes a core of it when it has done its work.
func coreOf(t *testing.T, told ...[]byte) []byte {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestUseForACore$")
	child.Env = append(os.Environ(), childVariable+"=1")
	input, err := child.StdinPipe()
	require.NoError(t, err)
	output, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer func() {
		input.Close()
		_ = child.Wait()
	}()
	_, err = input.Write(bytes.Join(told, nil))
	require.NoError(t, err)
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	file := filepath.Join(t.TempDir(), "core")
	// As gcore does, but without reading what is known of the program for a debugger, which takes long.
	message, err := exec.Command("gdb", "--nx", "--batch", "--readnever", "-p", fmt.Sprint(child.Process.Pid),
		"-ex", "generate-core-file "+file).CombinedOutput()
	require.NoErrorf(t, err, "run make packages: %s", message)
	return mapFile(t, file)
}

// mapFile maps a file of some gigabytes: reading it into memory takes most of the test's time under the race detector.
func mapFile(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	status, err := file.Stat()
	require.NoError(t, err)
	content, err := syscall.Mmap(int(file.Fd()), 0, int(status.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(content)) })
	return content
}

// secretsOf are all that must not be there, with the forms in which HMAC and AES use them.
func secretsOf(t *testing.T, secret, session []byte) map[string][]byte {
	t.Helper()
	secrets := map[string][]byte{
		"the key": secret, "the line of the key file": []byte(hex.EncodeToString(secret)), "the session": session,
	}
	extracted, err := hkdf.Extract(sha256.New, secret, nil)
	require.NoError(t, err)
	secrets["what HKDF extracts"] = extracted
	place := (&Store{application: "test"}).place(coreIdentity)
	for part, use := range map[string]string{"naming": "sslcache store: names", "sealing": "sslcache store: seals"} {
		derived, err := hkdf.Expand(sha256.New, extracted, use, sha256.Size)
		require.NoError(t, err)
		secrets["the "+part+" key"] = derived
		hash := hmac.New(sha256.New, derived)
		hash.Write(place)
		if part == "sealing" {
			secrets["the key of a record"] = hash.Sum(nil)
		}
	}
	for name, secret := range maps.Clone(secrets) {
		if !strings.Contains(name, "key") && !strings.Contains(name, "HKDF") || len(secret) != sha256.Size {
			continue
		}
		for _, pad := range []byte{0x36, 0x5c} {
			padded := make([]byte, sha256.BlockSize)
			copy(padded, secret)
			for i := range padded {
				padded[i] ^= pad
			}
			secrets[fmt.Sprintf("%s with %#x", name, pad)] = padded[:sha256.Size]
			secrets[fmt.Sprintf("the state after %s with %#x", name, pad)] = stateAfter(t, padded)
		}
	}
	return secrets
}

// stateAfter is what a hash remembers of a block, as it has it in memory: as good as the key for a MAC.
func stateAfter(t *testing.T, block []byte) []byte {
	t.Helper()
	hash := sha256.New()
	hash.Write(block)
	marshaled, err := hash.(encoding.BinaryMarshaler).MarshalBinary()
	require.NoError(t, err)
	state := marshaled[len("sha\x03"):][:sha256.Size]
	for word := range slices.Chunk(state, 4) {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	return state
}
