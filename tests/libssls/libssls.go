// Package libssls gets every libssl that Debian ships, beside the system's own, so that one program can
// be run under each of them. Nothing is installed: the packages are unpacked below build/libssl.
package libssls

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"libsslcache/tests/harness"
)

// Versions are the versions of libssl that there are, oldest first.
var Versions = []string{"1.1.1", "3.0", "3.5", "3.6", "4.0"}

// ARM64 is the system's libssl as it is on arm64, with its libc and the openssl program. It needs an emulator here.
func ARM64() string { return System() + onARM64 }

const onARM64 = "-arm64"

// Debian11 is the libssl of Debian 11 with the libc of Debian 11, which a program is linked with too. The library
// for it is that of `make release`.
const Debian11 = "1.1.1-debian11"

// fetchLimit bounds one fetch, other processes' fetches that it waits for included.
const fetchLimit = 4 * time.Minute

// Libssl is one version of libssl, ready to compile against and to run under.
type Libssl struct {
	Version string // as in Versions
	Package string // the Debian version of the package, "3.5.7-1" for example
	Headers string // the folder for the compiler's -I; none for the system's own
	Library string // the folder with libssl.so and libcrypto.so
	Root    string // the folder in which the packages are unpacked; none for the system's own
	loader  string // the suite's own dynamic loader, where its libssl came with its libc
	sysroot string // where a program is linked with that libc too
	system  bool
}

// IsSenseless reports where a program of tests/behaviour/api asks a libssl for something that means nothing.
func IsSenseless(version, program string) bool {
	version, _, _ = strings.Cut(version, "-")
	switch program {
	case "extreme_times":
		return version != "3.0" // from 3.3 on times are nanoseconds in 64 bits, and the extremes wrap round
	case "context_free", "free_order", "remove_callback":
		return version == "1.1.1" // its flush follows the order of its hash table
	}
	return false
}

// Get returns a version of libssl, fetched if need be. Where it cannot be had, the test is skipped and says why.
func Get(t testing.TB, version string) Libssl {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), fetchLimit)
	defer cancel()
	libssl, err := Fetch(ctx, version)
	if err != nil {
		t.Skipf("libssl %s is not to be had here: %v", version, err)
	}
	return libssl
}

// Fetch returns a version of libssl, fetched if need be.
func Fetch(ctx context.Context, version string) (Libssl, error) {
	if version == System() {
		return systemLibssl(ctx)
	}
	origin, err := of(version)
	if err != nil {
		return Libssl{}, err
	}
	folder, err := unpacked(ctx, version, origin)
	if err != nil {
		return Libssl{}, err
	}
	return open(version, folder, origin)
}

// Harness is this version for the programs of the harness.
func (l Libssl) Harness() harness.Library {
	if l.system {
		return harness.Library{Name: l.Version}
	}
	return harness.Library{Name: l.Version, Path: l.Library, Headers: l.Headers, Loader: l.loader, Sysroot: l.sysroot, Release: l.sysroot != ""}
}

// Command runs a program under this version, with preload (a path, or empty) loaded before it.
func (l Libssl) Command(ctx context.Context, preload, program string, arguments ...string) *exec.Cmd {
	if l.loader != "" {
		program, arguments = l.loader, append([]string{"--library-path", l.Library, program}, arguments...)
	}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = command.Environ()
	if l.loader == "" && !l.system {
		command.Env = append(command.Env, "LD_LIBRARY_PATH="+l.Library)
	}
	if preload != "" {
		command.Env = append(command.Env, "LD_PRELOAD="+preload)
	}
	command.Env = append(command.Env, "OPENSSL_CONF="+os.DevNull)
	return command
}

// open describes what lies unpacked in folder, and fails unless a program can be run under it.
func open(version, folder string, origin origin) (Libssl, error) {
	name, err := os.ReadFile(filepath.Join(folder, packageFile))
	if err != nil {
		return Libssl{}, err
	}
	library, err := only(folder, "usr/lib/*/libssl.so")
	if err != nil {
		return Libssl{}, err
	}
	headers, err := only(folder, "usr/include/openssl/ssl.h")
	if err != nil {
		return Libssl{}, err
	}
	libssl := Libssl{
		Version: version,
		Package: strings.TrimSpace(string(name)),
		Headers: parent(parent(headers)),
		Library: parent(library),
		Root:    folder,
	}
	if slices.Contains(origin.packages, "libc6") {
		libssl.loader, err = only(folder, "usr/lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*")
	}
	if slices.Contains(origin.packages, "libc6-dev") {
		libssl.sysroot = folder
	}
	return libssl, err
}

// only returns the file that matches the first pattern that anything matches.
func only(folder string, patterns ...string) (string, error) {
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%s has nothing like %s", folder, strings.Join(patterns, " or "))
}

func parent(path string) string { return filepath.Dir(path) }

// System is the version of Versions that this machine has itself, by its libssl-dev; empty where it has none of them.
var System = sync.OnceValue(func() string {
	answer, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", "libssl-dev").Output()
	if err != nil {
		return ""
	}
	for _, version := range Versions {
		if rest, found := strings.CutPrefix(string(answer), version); found && strings.IndexAny(rest, "0123456789") != 0 {
			return version
		}
	}
	return ""
})

func systemLibssl(ctx context.Context) (Libssl, error) {
	answer, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Version}", "libssl-dev").Output()
	if err != nil {
		return Libssl{}, fmt.Errorf("libssl-dev is not installed: %w", err)
	}
	version := string(answer)
	answer, err = exec.CommandContext(ctx, "gcc", "-print-file-name=libssl.so").Output()
	if err != nil {
		return Libssl{}, fmt.Errorf("ask the compiler for libssl: %w", err)
	}
	library := strings.TrimSpace(string(answer))
	if !filepath.IsAbs(library) {
		return Libssl{}, errors.New("the compiler finds no libssl.so")
	}
	return Libssl{Version: System(), Package: version, Library: filepath.Dir(filepath.Clean(library)), system: true}, nil
}
