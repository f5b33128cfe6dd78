//go:build !race

package cache

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where the kernel maps no more, nothing is added, and all goes on.
func TestAddWithoutMemory(t *testing.T) {
	var unlimited syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_AS, &unlimited))
	c := newCache(libssl["3.0"], 1)
	defer c.Free()
	fill(c, 0, 1000, timeouts["mixed"])
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 1, Max: unlimited.Max}))
	added, refused := 0, 0
	for i := 1000; i < 100_000; i++ {
		if c.Add(number(i), Session(i+1), 100, 0).New {
			added++
		} else {
			refused++
		}
	}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_AS, &unlimited))
	assert.Positive(t, refused)
	assert.EqualValues(t, 1000+added, c.Number())
	requireSound(t, c)
	assert.True(t, c.Add(number(100_000), 1, 100, 0).New, "there is memory again")
}
