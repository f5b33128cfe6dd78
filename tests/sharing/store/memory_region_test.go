package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/arena"
	"libsslcache/internal/store/keyfile"
	"libsslcache/tests/harness"
)

// opened is the region of a memory file, as somebody sees it who can write to it.
type opened struct {
	t     *testing.T
	bytes []byte
}

func (s *sharing) region() *opened {
	s.t.Helper()
	path := filepath.Join("/dev/shm", fmt.Sprintf("sslcache-%d", os.Geteuid()), strings.TrimPrefix(s.address, "memory:"))
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(s.t, err)
	defer file.Close()
	information, err := file.Stat()
	require.NoError(s.t, err)
	require.EqualValues(s.t, 0o600, information.Mode().Perm())
	bytes, err := syscall.Mmap(int(file.Fd()), 0, int(information.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = syscall.Munmap(bytes) })
	return &opened{s.t, bytes}
}

// hold makes a process the owner of every bucket.
func (o *opened) hold(owner uint64) {
	for at := arena.HeaderSize; at+arena.BucketSize <= len(o.bytes); at += arena.BucketSize {
		binary.LittleEndian.PutUint64(o.bytes[at:], owner)
	}
}

// held is how many buckets somebody holds.
func (o *opened) held() (number int) {
	for at := arena.HeaderSize; at+arena.BucketSize <= len(o.bytes); at += arena.BucketSize {
		if binary.LittleEndian.Uint64(o.bytes[at:]) != 0 {
			number++
		}
	}
	return number
}

// ownerWord is what cshim/share/owner.c makes of a process.
func ownerWord(t *testing.T, pid int) uint64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	start, err := strconv.ParseUint(fields[19], 10, 64)
	require.NoError(t, err)
	var space syscall.Stat_t
	require.NoError(t, syscall.Stat("/proc/self/ns/pid", &space))
	return uint64(pid)<<42 | (1+(space.Ino^space.Ino>>10)%0x3ff)<<32 | start&0xffffffff
}

// sleeper is a process that does nothing, and is not waited for when it ends.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	command := exec.Command("sleep", "1000")
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return command
}

// site of which each server begins with nothing in its own caches, and reports.
func visitFresh(t *testing.T, shared *sharing, everybody *clients, certificate, key string) (visits, time.Duration) {
	t.Helper()
	server, port := startSite(t, sites[0], shared, certificate, key)
	begun := time.Now()
	v := everybody.visit(port)
	took := time.Since(begun)
	server.Stop(siteStop(sites[0]))
	return v, took
}

func (s *sharing) newCounters() counters {
	s.t.Helper()
	c := s.counters()
	require.NoError(s.t, os.Truncate(s.report, 0))
	return c
}

// TestMemoryOwnerThatStops: others miss after a bounded wait. When it has died, they go on, and so they do when
// another process has its number.
func TestMemoryOwnerThatStops(t *testing.T) {
	harness.RequireRoot(t)
	const number = 40
	shared := memoryFile(t)
	shared.more = []string{"SSLCACHE_STORE_TIMEOUT=20ms"}
	certificate, key := harness.Certificate(t)
	everybody := newClients(t, "1.2", number)
	v, _ := visitFresh(t, shared, everybody, certificate, key)
	require.Equal(t, number, v.fresh)
	v, _ = visitFresh(t, shared, everybody, certificate, key)
	require.Equal(t, number, v.resumed)
	shared.newCounters()
	region := shared.region()

	stopped := sleeper(t)
	require.NoError(t, stopped.Process.Signal(syscall.SIGSTOP))
	region.hold(ownerWord(t, stopped.Process.Pid))
	v, took := visitFresh(t, shared, everybody, certificate, key)
	c := shared.newCounters()
	t.Logf("the owner is stopped: %+v in %v, %+v", v, took, c)
	require.Equal(t, number, v.refused)
	require.Equal(t, number, c.TimedOut)
	require.Equal(t, number, c.Dropped)
	require.Zero(t, c.Emptied)
	require.Less(t, took, 10*time.Second)
	require.Equal(t, (len(region.bytes)-arena.HeaderSize)/arena.BucketSize, region.held())

	require.NoError(t, stopped.Process.Kill()) // it is a zombie then
	v, _ = visitFresh(t, shared, everybody, certificate, key)
	c = shared.newCounters()
	t.Logf("the owner has died: %+v, %+v", v, c)
	require.Equal(t, number, v.refused, "what it held is empty")
	require.Zero(t, c.TimedOut)
	require.Positive(t, c.Emptied)
	require.LessOrEqual(t, c.Emptied, 2*number, "one where each session was, one where the new one goes")
	v, _ = visitFresh(t, shared, everybody, certificate, key)
	require.Equal(t, number, v.resumed)
	shared.newCounters()

	// The number is that of a process which began at another time.
	region.hold(ownerWord(t, sleeper(t).Process.Pid) + 1)
	visitFresh(t, shared, everybody, certificate, key)
	c = shared.newCounters()
	require.Zero(t, c.TimedOut)
	require.Positive(t, c.Emptied)
}

// nearly is what a region may have in it, but for the order.
func nearly() uint64 { return rand.Uint64() & 0x03ff_03ff_03ff_03ff }

// TestMemoryFullOfNonsense: bytes that are random, and bytes that change all the time, make full handshakes and no more.
func TestMemoryFullOfNonsense(t *testing.T) {
	harness.RequireRoot(t)
	const number = 50
	for name, one := range map[string]struct {
		word      func() uint64
		sanitized bool
	}{
		"random":            {word: rand.Uint64},
		"nearly":            {word: nearly},
		"random, sanitized": {word: rand.Uint64, sanitized: true},
		"nearly, sanitized": {word: nearly, sanitized: true},
	} {
		t.Run(name, func(t *testing.T) {
			word := one.word
			shared := memoryFile(t)
			shared.sanitized = one.sanitized
			shared.address += "?size=1m"
			shared.more = []string{"SSLCACHE_STORE_TIMEOUT=1ms"}
			certificate, key := harness.Certificate(t)
			everybody := newClients(t, "1.2", number)
			visitFresh(t, shared, everybody, certificate, key)
			shared.address = strings.TrimSuffix(shared.address, "?size=1m")
			region := shared.region()
			shared.address += "?size=1m"
			words := unsafe.Slice((*uint64)(unsafe.Pointer(&region.bytes[0])), len(region.bytes)/8)
			for i := arena.HeaderSize / 8; i < len(words); i++ {
				words[i] = word()
			}
			v, _ := visitFresh(t, shared, everybody, certificate, key)
			require.Equal(t, number, v.refused)

			stop := make(chan struct{})
			var writer sync.WaitGroup
			writer.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						for range 1000 {
							words[arena.HeaderSize/8+rand.IntN(len(words)-arena.HeaderSize/8)] = word()
						}
					}
				}
			})
			for range 5 {
				visitFresh(t, shared, everybody, certificate, key) // no handshake fails
			}
			close(stop)
			writer.Wait()
			t.Logf("%+v", shared.newCounters())
		})
	}
}

// TestMemoryStaysOffAndSaysWhy: in one line, and the program goes on as without it.
func TestMemoryStaysOffAndSaysWhy(t *testing.T) {
	harness.RequireRoot(t)
	certificate, key := harness.Certificate(t)
	folder := harness.OpenFolder(t)
	keys := filepath.Join(folder, "keys")
	require.NoError(t, os.WriteFile(keys, []byte(keyfile.Generate()), 0o600))
	write := func(name string, content []byte, mode os.FileMode, owner int) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, content, mode))
		require.NoError(t, os.Chmod(path, mode))
		require.NoError(t, os.Chown(path, owner, owner))
		return path
	}
	nonsense := make([]byte, 1<<20)
	nonsense[0] = 1
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(folder, "link")))
	locked := write("locked", nil, 0o600, 0)
	file, err := os.Open(locked)
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, syscall.Flock(int(file.Fd()), syscall.LOCK_EX))
	for name, want := range map[string]struct{ address, complaint string }{
		"size":    {"memory?size=12", "the store stays off: its size is a number and k, m or g, from 1m to 1024g, as in memory?size=64m"},
		"small":   {"memory?size=1k", "its size is a number and k, m or g"},
		"huge":    {"memory?size=99999999999999999999g", "its size is a number and k, m or g"},
		"no name": {"memory:?size=1m", "the store stays off: its address is memory or memory:FILE, with ?size=64m behind it if you like"},
		"option":  {"memory?sice=1m", "its address is memory or memory:FILE"},
		"dots":    {"memory:..", "its file has no name"},
		"folder":  {"memory:a/b", "its file is a name, or a path that begins with /"},
		"missing": {"memory:/no/such", "the store stays off: the file /no/such can't be used: ENOENT"},
		"foreign": {"memory:" + write("foreign", nil, 0o600, 33), "can't be used: it belongs to another user"},
		"open":    {"memory:" + write("open", nil, 0o644, 0), "can't be used: others than its owner may use it"},
		"other":   {"memory:" + write("other", nonsense, 0o600, 0) + "?size=1m", "can't be used: it is no store, or one of another version"},
		"resized": {"memory:" + write("resized", nonsense, 0o600, 0), "can't be used: it has another size"},
		"link":    {"memory:" + filepath.Join(folder, "link"), "can't be used: it is a symbolic link"},
		"device":  {"memory:/dev/null", "can't be used: it is not a regular file"},
		"locked":  {"memory:" + locked, "can't be used: another process has it locked"},
		"full":    {"memory:/dev/shm/sslcache-full?size=1024g", "can't be used: there is no room for it"},
	} {
		t.Run(name, func(t *testing.T) {
			shared := share(t, want.address)
			server, port := sServer(t, shared, certificate, key)
			everybody := newClients(t, "1.3", 2)
			everybody.visit(port)
			require.Equal(t, 2, everybody.visit(port).resumed, "the process's own cache serves as ever")
			complaints := server.Stop(syscall.SIGTERM).Stderr
			require.Contains(t, complaints, want.complaint)
			require.Equal(t, 1, strings.Count(complaints, "sslcache:"), "one line: %s", complaints)
		})
	}
	os.Remove("/dev/shm/sslcache-full")
	t.Run("no key", func(t *testing.T) {
		shared := memoryFile(t)
		shared.keys = ""
		server, port := sServer(t, shared, certificate, key)
		newClients(t, "1.3", 2).visit(port)
		require.Contains(t, server.Stop(syscall.SIGTERM).Stderr, "the store stays off: SSLCACHE_STORE needs a key")
	})
	t.Run("limit", func(t *testing.T) {
		path := filepath.Join(folder, "limit")
		program := newClients(t, "1.3", 1).program
		result := harness.Command{
			Path: "/bin/sh", Args: []string{"-c", "ulimit -f 1000; exec " + program + " 1 1.3 1 /tmp"},
			Env: share(t, "memory:"+path).environment(), Preload: []string{harness.OurLibrary(t)},
		}.Run(t)
		require.Contains(t, result.Stderr, "it is larger than a file of this process may be (RLIMIT_FSIZE)")
	})
}

// TestMemoryIsInNoCoreDump: neither the sessions nor the keys.
func TestMemoryIsInNoCoreDump(t *testing.T) {
	certificate, key := harness.Certificate(t)
	for name, shared := range map[string]*sharing{"memory": share(t, "memory"), "file": memoryFile(t)} {
		t.Run(name, func(t *testing.T) {
			server, port := sServer(t, shared, certificate, key)
			newClients(t, "1.2", 2).visit(port)
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", server.Pid))
			require.NoError(t, err)
			sizes := map[string]int{}
			size := ""
			for line := range strings.Lines(string(text)) {
				fields := strings.Fields(line)
				if fields[0] == "Size:" {
					size = fields[1]
				}
				if fields[0] == "VmFlags:" && strings.Contains(line, " dd ") {
					sizes[size]++
				}
			}
			require.Equal(t, 1, sizes["65536"], "the region")
			require.Greater(t, len(sizes), 1, "the keys, which lie together: %v", sizes)
		})
	}
}
