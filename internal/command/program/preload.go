package program

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Library is the name of the file to preload. The one without a number is for the linker, and need not be there.
const Library = "libsslcache.so.1"

// multiarch is how Debian calls the folder of this machine's libraries.
var multiarch = map[string]string{
	"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "386": "i386-linux-gnu",
	"arm": "arm-linux-gnueabihf", "ppc64le": "powerpc64le-linux-gnu", "riscv64": "riscv64-linux-gnu", "s390x": "s390x-linux-gnu",
}[runtime.GOARCH]

// FindLibrary returns the absolute path of the library: the one that was asked for, or, with "", the one that
// belongs to this command.
func FindLibrary(asked string) (string, error) {
	if asked != "" {
		return check(asked)
	}
	executable, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("%s is not found: this command does not know where it is itself (%w); say --lib FILE", Library, err)
	}
	return findFrom(filepath.Dir(executable))
}

// findFrom looks where an installation or a build has the library of a command in this folder.
func findFrom(folder string) (string, error) {
	places := []string{folder, filepath.Join(folder, "../lib"), filepath.Join(folder, "../lib", multiarch)}
	for _, place := range places {
		path := filepath.Join(place, Library)
		if _, err := os.Stat(path); err == nil {
			return check(path)
		}
	}
	return "", fmt.Errorf("%s is in none of %s: say --lib FILE", Library, strings.Join(places, ", "))
}

func check(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	found, err := os.Stat(absolute)
	switch {
	case err != nil:
		return "", fmt.Errorf("the library %s can't be used: %w", path, Cause(err))
	case !found.Mode().IsRegular():
		return "", fmt.Errorf("the library %s can't be used: it is no file", path)
	case strings.ContainsAny(absolute, " :"):
		return "", fmt.Errorf("the library %s can't be preloaded: LD_PRELOAD allows no blank and no colon in a path", path)
	default:
		return absolute, nil
	}
}

const preload = "LD_PRELOAD="

// Preload returns the environment with the library preloaded, after those that are already.
func Preload(environment []string, library string) []string {
	value := library
	for _, line := range environment {
		before, found := strings.CutPrefix(line, preload)
		if found && before != "" {
			value = before + ":" + library
		}
	}
	return Set(environment, "LD_PRELOAD", value)
}

// Set returns the environment with a variable set anew.
func Set(environment []string, variable, value string) []string {
	rest := slices.DeleteFunc(slices.Clone(environment), func(line string) bool {
		return strings.HasPrefix(line, variable+"=")
	})
	return append(rest, variable+"="+value)
}
