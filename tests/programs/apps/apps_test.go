package apps

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"libsslcache/tests/harness"
)

// sizeVariable is "all" for every program and 200 connections; without it only the quick ones run.
const sizeVariable = "SSLCACHE_APPS"

const (
	allConnections   = 200
	quickConnections = 40
)

// TestPrograms asks: is a real program under our library what it is under libssl alone?
func TestPrograms(t *testing.T) {
	require.Zero(t, os.Geteuid(), "servers change their user and their root: run the test as root")
	all := os.Getenv(sizeVariable) == "all"
	connections := quickConnections
	if all {
		connections = allConnections
	}
	var rows []row
	wanted := 0
	for _, p := range slices.Concat(webServers(), mailAndDatabases(), radiusServers(), telephony(), languages(), clients()) {
		if all || p.quick {
			wanted += len(p.variants)
			t.Run(p.name, func(t *testing.T) { rows = append(rows, compareProgram(t, p, connections)...) })
		}
	}
	written := table(rows)
	t.Logf("\n%s", written)
	// A run of some of them is not what the document says that it is.
	if all && len(rows) == wanted {
		path := filepath.Join(harness.Root(t), "docs", "programs.md")
		require.NoError(t, os.WriteFile(path, []byte(document(t, written)), 0o644))
	}
}

func compareProgram(t *testing.T, p program, connections int) []row {
	var rows []row
	for _, v := range p.variants {
		t.Run(v.String(), func(t *testing.T) {
			alone, how := p.measure(t, v, connections, false)
			ours, _ := p.measure(t, v, connections, true)
			found := differences(how, alone, ours)
			rows = append(rows, newRow(t, p, v, alone, ours, found))
			assert.Emptyf(t, found, "alone it wrote\n%s\nunder ours\n%s",
				strings.Join(alone.log, "\n"), strings.Join(ours.log, "\n"))
		})
	}
	return rows
}
