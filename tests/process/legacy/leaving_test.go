package legacy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

func TestLeaveWithThreadsInside(t *testing.T) {
	for how, exit := range map[string]int{
		"exit": 3, "return": 4, "exit in a thread": 5, "_exit": 6, "quick_exit": 7, "exec": 8, "abort": -1, "kill": -1,
	} {
		t.Run(how, func(t *testing.T) {
			alone := program("leave_exit", how).Run(t, harness.Libssl)
			require.Equal(t, exit, alone.Exit, alone.Stderr)
			for _, mode := range []harness.Mode{harness.Ours, harness.OursLinked} {
				assert.Equal(t, alone, program("leave_exit", how).Run(t, mode), mode)
			}
		})
	}
}

func TestLeaveWithContextsFreedAtExit(t *testing.T) {
	harness.RunBoth(t, program("leave_atexit"))
	harness.RunBoth(t, program("leave_atexit", "fork"))
}

func TestLeaveByCancel(t *testing.T) {
	harness.RunBoth(t, program("leave_cancel"))
}

func TestLeaveCallbackByJump(t *testing.T) {
	harness.RunBoth(t, program("leave_jump"))
}
