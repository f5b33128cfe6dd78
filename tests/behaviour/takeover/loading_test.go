package takeover

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// A process that only loads the library pays for each page that this touches. Go's data has some forty, which
// tools/defer keeps away from the dynamic linker.
func TestLoadingTouchesFewPages(t *testing.T) {
	plain := pagesTouched(t)
	preloaded := pagesTouched(t, "LD_PRELOAD="+harness.OurLibrary(t))
	assert.Greater(t, preloaded, plain, "the library was not loaded")
	assert.Less(t, preloaded, plain+30)
}

// pagesTouched is the least of a few runs, since the kernel may map more or fewer pages at once.
func pagesTouched(t *testing.T, environment ...string) int64 {
	t.Helper()
	var least int64
	for range 5 {
		command := exec.Command("/bin/true")
		command.Env = append([]string{}, environment...)
		require.NoError(t, command.Run())
		usage := command.ProcessState.SysUsage().(*syscall.Rusage)
		if least == 0 || usage.Minflt < least {
			least = usage.Minflt
		}
	}
	return least
}
