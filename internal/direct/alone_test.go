//go:build !race

// The programs of C are the same with and without the race detector, so they run once.

package direct

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

func run(t *testing.T, environment []string, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	require.NoErrorf(t, err, "%s %v: %s", name, arguments, output)
	return string(output)
}

// buildAlone compiles a program of C that is linked with the functions of this package and nothing else of ours.
func buildAlone(t *testing.T, goarch, compiler string, tags string) string {
	t.Helper()
	folder := t.TempDir()
	image, assembler, program := filepath.Join(folder, "image"), filepath.Join(folder, "core.s"), filepath.Join(folder, "alone")
	run(t, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + goarch},
		"go", "build", "-buildmode=pie", "-trimpath", "-tags", tags, "-o", image, "./image")
	t.Log(run(t, []string{"CGO_ENABLED=0"}, "go", "run", root+"/tools/freestanding", image, assembler))
	run(t, nil, compiler, "-static", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-I"+root, "-o", program,
		"testdata/alone.c", assembler, "-lpthread")
	return program
}

var cases = []string{"contract", "million", "threads", "forks", "no memory", "many caches", "little stack"}

// In a process of C there is one thread, no runtime, and all that capi/core.h promises.
func TestCacheWithoutARuntime(t *testing.T) {
	for _, tags := range []string{"", "debug"} {
		program := buildAlone(t, "amd64", "cc", tags)
		for _, name := range cases {
			t.Run(name+tags, func(t *testing.T) { t.Log(run(t, nil, program, name)) })
		}
	}
}

func TestCacheWithoutARuntimeOnARM64(t *testing.T) {
	for _, needed := range []string{"aarch64-linux-gnu-gcc", "qemu-aarch64"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(needed + " is not installed")
		}
	}
	program := buildAlone(t, "arm64", "aarch64-linux-gnu-gcc", "")
	for _, name := range cases {
		t.Run(name, func(t *testing.T) { t.Log(run(t, nil, "qemu-aarch64", program, name)) })
	}
}
