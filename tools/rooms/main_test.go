package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// write makes a folder "shim" with these files and returns its path.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "shim")
	for name, text := range files {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return folder
}

var twoRooms = map[string]string{
	"face.c":      `#include "shim/high/door.h"` + "\n",
	"low/floor.h": `#include <stdio.h>` + "\n" + `#include "capi/core.h"` + "\n",
	"low/floor.c": `#include "floor.h"` + "\n",
	"high/door.h": `#include "shim/low/floor.h"` + "\n",
}

func TestAllowedIncludesAreNoFault(t *testing.T) {
	require.NoError(t, check(write(t, twoRooms), []string{"low: capi", "high: low"}))
}

func TestWhatIsNotAllowedIsAFault(t *testing.T) {
	for _, test := range []struct {
		name, file, text, fault string
		rules                   []string
	}{
		{
			name: "a higher room", file: "low/floor.c", text: "\n" + `  # include "shim/high/door.h"`,
			fault: "low/floor.c:2: low may not include high: shim/high/door.h",
		},
		{
			name: "a room that the list does not name", rules: []string{"low: capi", "high:"},
			fault: "high/door.h:1: high may not include low: shim/low/floor.h",
		},
		{
			name: "an interface that the list does not name", rules: []string{"low:", "high: low"},
			fault: "low may not include capi",
		},
		{
			name: "another folder", file: "low/floor.c", text: `#include "elsewhere/any.h"`,
			fault: "low/floor.c:1: elsewhere/any.h is in no room",
		},
		{
			name: "the folder of the face", file: "low/floor.c", text: `#include "shim/face.h"`,
			fault: "shim/face.h is in no room",
		},
		{
			name: "a folder that is not in the list", file: "attic/box.c", text: "",
			fault: "attic is a folder and no room of the list",
		},
		{
			name: "a room without a folder", rules: []string{"low: capi", "high: low", "roof: high"},
			fault: "roof is in the list and has no file",
		},
		{
			name: "a circle", rules: []string{"low: capi high", "high: low"},
			fault: "low may include high, which does not stand before it in the list",
		},
		{
			name: "itself", rules: []string{"low: low", "high: low"},
			fault: "low may include low, which does not stand before it",
		},
		{name: "twice", rules: []string{"low: capi", "high: low", "low: high"}, fault: "low is in the list twice"},
		{name: "no list", rules: []string{"low high"}, fault: `"low high" is not of the form`},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			for name, text := range twoRooms {
				files[name] = text
			}
			if test.file != "" {
				files[test.file] = test.text
			}
			rules := test.rules
			if rules == nil {
				rules = []string{"low: capi", "high: low"}
			}
			require.ErrorContains(t, check(write(t, files), rules), test.fault)
		})
	}
}
