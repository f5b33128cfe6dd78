package arena

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// guarded returns memory between pages that end the process when they are touched.
func guarded(t testing.TB, size int) []byte {
	t.Helper()
	const page = 4096
	whole := (size + page - 1) / page * page
	mapping, err := syscall.Mmap(-1, 0, whole+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	require.NoError(t, err)
	require.NoError(t, syscall.Mprotect(mapping[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(mapping[page+whole:], syscall.PROT_NONE))
	t.Cleanup(func() { _ = syscall.Munmap(mapping) })
	return mapping[page+whole-size : page+whole]
}

// useAll does each operation on a region of any bytes: what it finds may be nonsense, that it ends is not.
func useAll(region, room []byte, random *rand.Rand) {
	for range 20 {
		c := &Call{Region: unsafe.Pointer(&region[0]), Size: uint64(len(region)), Me: 7, Now: 1000, Expiry: int64(random.IntN(2000))}
		c.Operation = Operation(random.IntN(int(Spoil) + 2))
		c.Name = Name{random.Uint64N(4), random.Uint64N(2), random.Uint64N(2)}
		c.Record, c.Length = unsafe.Pointer(&room[0]), uint64(len(room))
		if status := Run(c); status == Busy {
			c.Operation = TakeOver
			Run(c)
		} else if status == Done && (c.Operation == Find || c.Operation == Take) && c.Length > uint64(len(room)) {
			panic("longer than its room")
		}
	}
}

func FuzzRegionOfAnyBytes(f *testing.F) {
	region := guarded(f, HeaderSize+BucketSize)
	room := guarded(f, MaxRecord)
	f.Add(uint64(1), []byte{1, 0, 1, 0})
	f.Add(uint64(2), []byte{0xff, 0xff, 0x4b, 0x03, 0x98, 0x06})
	f.Fuzz(func(_ *testing.T, seed uint64, with []byte) {
		random := rand.New(rand.NewPCG(seed, 1))
		clear(region)
		useAll(region, room, random) // something real first
		for start := 0; start+2 <= len(with); start += 2 {
			at := HeaderSize + random.IntN(BucketSize/2)&^1
			if random.IntN(2) == 0 { // the header, the heads and the first entries decide most
				at = HeaderSize + random.IntN(4096)&^1
			}
			binary.LittleEndian.PutUint16(region[at:], binary.LittleEndian.Uint16(with[start:]))
		}
		useAll(region, room, random)
	})
}

func TestRegionOfRandomBytes(t *testing.T) {
	region, room := guarded(t, HeaderSize+BucketSize), guarded(t, MaxRecord)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		for at := 0; at < len(region); at += 8 {
			word := random.Uint64()
			if round%2 == 0 { // numbers that are nearly right
				word &= 0x03ff_03ff_03ff_03ff
			}
			binary.LittleEndian.PutUint64(region[at:], word)
		}
		useAll(region, room, random)
	}
}

// The bytes change while they are read.
func TestRegionThatAnotherKeepsChanging(t *testing.T) {
	if raceEnabled {
		t.Skip("it is a race")
	}
	region, room := guarded(t, HeaderSize+BucketSize), guarded(t, MaxRecord)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		random := rand.New(rand.NewPCG(3, 4))
		for {
			select {
			case <-stop:
				return
			default:
			}
			for range 1000 {
				at := HeaderSize + random.IntN(BucketSize/8)*8
				if random.IntN(2) == 0 {
					at = HeaderSize + random.IntN(512)*8
				}
				*(*uint64)(unsafe.Pointer(&region[at])) = random.Uint64() & 0x03ff_03ff_03ff_03ff
			}
		}
	})
	random := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		useAll(region, room, random)
	}
	close(stop)
	writer.Wait()
}
