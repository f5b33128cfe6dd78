package settings_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/settings"
)

func TestTheListIsThatOfTheLibrary(t *testing.T) {
	flags := map[string]string{}
	for _, setting := range settings.List() {
		flags[setting.Variable] = setting.Flag
		require.NotEmpty(t, setting.Value, setting.Variable)
		require.NotEmpty(t, setting.Help, setting.Variable)
	}
	require.Equal(t, "size", flags["SSLCACHE_SIZE"])
	require.Equal(t, "run-folder", flags["SSLCACHE_RUN_FOLDER"])
	require.Equal(t, "fault", flags["SSLCACHE_FAULT"])
}

func TestAnEnvironmentIsRead(t *testing.T) {
	read, err := settings.Read([]string{
		"HOME=/root", "SSLCACHE_SIZE=10", "SSLCACHE_TIMEOUT=5m", "SSLCACHE_RUN_FOLDER=/run/x",
		"SSLCACHE_FAULT=lookup=miss:1/3,add=fail", "SSLCACHE_MODE=",
	})
	require.NoError(t, err)
	require.Equal(t, settings.Settings{RunFolder: "/run/x"}, read)
	_, err = settings.Read(nil)
	require.NoError(t, err)
}

func TestWhatTheLibraryWouldNotTakeIsSaid(t *testing.T) {
	for line, problem := range map[string]string{
		"SSLCACHE_SIZ=10":       "SSLCACHE_SIZ is not a setting; did you mean SSLCACHE_SIZE?",
		"SSLCACHE_SIZE=many":    "SSLCACHE_SIZE",
		"SSLCACHE_TIMEOUT=0":    "SSLCACHE_TIMEOUT",
		"SSLCACHE_MODE=maybe":   "SSLCACHE_MODE",
		"SSLCACHE_FAULT=reboot": "SSLCACHE_FAULT",
	} {
		_, err := settings.Read([]string{"SSLCACHE_SEED=7", line})
		require.ErrorContains(t, err, problem)
		require.NotContains(t, err.Error(), "\n")
	}
}
