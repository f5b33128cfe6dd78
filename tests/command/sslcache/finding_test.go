package sslcache

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/finding"
)

// Each kind of finding has a program in programs/ with that fault and no other.
func TestEachFaultIsFoundInItsProgram(t *testing.T) {
	t.Parallel()
	for _, kind := range finding.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			path := program(t, strings.ReplaceAll(kind.Name, "-", "_"))
			made := run(t, []string{path})
			require.Equal(t, []string{kind.Name}, names(made))
			require.Equal(t, filepath.Base(path), made.Findings[0].Program)
			require.Zero(t, made.Lost)
		})
	}
}

func TestACleanProgramHasNoFinding(t *testing.T) {
	t.Parallel()
	made := run(t, []string{program(t, "clean")})
	require.Empty(t, made.Findings)
	require.EqualValues(t, 20, made.Connections, "both ends of ten")
	require.EqualValues(t, 10, made.Resumed)
	require.EqualValues(t, 4, made.Contexts)
}

func TestALeakNamesTheFunctionThatTookTheReferences(t *testing.T) {
	t.Parallel()
	made := run(t, []string{program(t, "leaked_references")})
	require.Len(t, made.Findings, 1)
	require.EqualValues(t, 3, made.Findings[0].Count)
	place := made.Findings[0].Places[0]
	require.Equal(t, "SSL_get1_session", place.Function)
	require.EqualValues(t, 3, place.Count)
}

func TestAClientThatIsHelpedHasNoFindingAndIsInTheReport(t *testing.T) {
	t.Parallel()
	path := program(t, "client_could_resume")
	alone := run(t, []string{path})
	require.Equal(t, "3 full handshakes to hosts to which a connection was open (not asked: 3)", alone.Findings[0].Seen)
	helped := run(t, []string{path}, "--client=ftp")
	require.Empty(t, helped.Findings)
	require.Equal(t, map[string]uint64{"resumed": 3}, helped.Data)
	require.EqualValues(t, 6, helped.Resumed, "both ends")
}
