package main

import (
	"path"
	"path/filepath"
	"strings"
)

// A room is a part of the code with the tests that are meant to notice a fault in it, those first that take little time.
type room struct {
	below string   // the beginning of its files' names; the longest that fits counts
	make  []string // the targets that are made before the tests
	tests []string // the arguments of go test
}

var (
	library = []string{"build/libsslcache.so", "build/libsslcache-go.so.1", "build/sslcache", "asan"}
	command = []string{"build/sslcache"}
)

const (
	sameOutput = "./tests/behaviour/api -run OutputIsThatOfLibssl"
	// Those left out take minutes, and ask how the client of a Valkey copes, which is Go.
	store = "./tests/sharing/store -skip Sentinel|Cluster|AddressesOfOneServer|Milliseconds|TooFarAway|FarServer|MidLoad|HundredThousand"
)

// A package of Go that has tests of its own need not be here: they are the first.
var rooms = []room{
	{"cshim", library, []string{sameOutput, "./tests/behaviour/takeover", "./tests/behaviour/matrix", "./tests/behaviour/api -run EveryOther", "./tests/process/hazards", "./tests/process/legacy"}},
	{"cshim/process/", library, []string{sameOutput, "./tests/behaviour/takeover", "./tests/command/trace", "./tests/process/hazards", "./tests/process/legacy", store}},
	{"cshim/share/", library, []string{sameOutput, "./tests/sharing/tickets", "./tests/sharing/clients", store}},
	{"cshim/settings/", library, []string{"./internal/command/settings", "./tests/behaviour/settings", "./tests/behaviour/fault"}},
	{"cshim/trace/", library, []string{sameOutput, "./tests/command/trace", "./tests/command/live"}},
	{"cshim/report/", library, []string{sameOutput, "./tests/command/trace", "./tests/command/live"}},
	{"capi/library/", library, []string{store}},
	{"internal/cache/", nil, []string{"./internal/direct"}},
	{"internal/host/", nil, []string{"./internal/cache", "./internal/direct"}},
	{"internal/command/", command, []string{"./tests/command/sslcache"}},
}

// roomOf returns the room of a file, with the tests of its own package before those of the room.
func roomOf(file string) room {
	var found room
	for _, room := range rooms {
		if strings.HasPrefix(file, room.below) && len(room.below) > len(found.below) {
			found = room
		}
	}
	folder := path.Dir(file)
	if own, _ := filepath.Glob(folder + "/*_test.go"); len(own) > 0 {
		found.tests = append([]string{"./" + folder}, found.tests...)
	}
	return found
}
