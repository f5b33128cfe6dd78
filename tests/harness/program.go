package harness

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Mode says how our library comes to a program.
type Mode string

const (
	Libssl     Mode = "libssl"    // not at all: libssl alone
	Ours       Mode = "preloaded" // by LD_PRELOAD
	OursLinked Mode = "linked"    // linked before libssl
)

// Library is a build of OpenSSL. The zero Library is the one of this machine.
type Library struct {
	Name    string
	Path    string // the folder of its shared objects, and of the libc they need
	Headers string // the folder that holds its openssl/ssl.h
	Loader  string // the dynamic loader that belongs to its libc
	Sysroot string // the folder of that libc's own headers and files for the linker, where programs are linked with it
	Release bool   // our library is that of `make release`, since its libc is too old for the one of `make`
}

// Program is a C program and the way to run it.
type Program struct {
	Source    string
	Flags     []string // for the compiler, after our own
	Libraries []string // for the linker, after libssl
	Args      []string
	Env       []string // beside the few variables that every program gets
	Timeout   time.Duration
	Library   Library
	Sanitized bool // under AddressSanitizer, LeakSanitizer and UBSan
}

// Run compiles the program and runs it.
func (p Program) Run(t testing.TB, mode Mode) Result {
	t.Helper()
	return p.Command(t, mode).Run(t)
}

// Command compiles the program and says how to run it.
func (p Program) Command(t testing.TB, mode Mode) Command {
	t.Helper()
	command := Command{
		Path: p.Compile(t, mode), Args: p.Args, Env: slices.Clone(p.Env),
		Timeout: p.Timeout, Library: p.Library,
	}
	if mode == Ours {
		command.Preload = append(command.Preload, p.ourLibrary(t))
	}
	if p.Sanitized {
		// The sanitizer refuses to start behind another preloaded library.
		command.Preload = append([]string{SanitizerRuntime(t, "asan")}, command.Preload...)
		command.Env = append(command.Env, SanitizerOptions...)
	}
	return command
}

// SanitizerOptions is the environment of a program that runs under a sanitizer.
var SanitizerOptions = []string{
	"ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0",
	"UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1",
}

// SanitizerRuntime is the library of the compiler that a sanitizer needs: asan or tsan.
func SanitizerRuntime(t testing.TB, sanitizer string) string {
	t.Helper()
	output, err := exec.Command("cc", "-print-file-name=lib"+sanitizer+".so").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(output))
}

func (p Program) ourLibrary(t testing.TB) string {
	t.Helper()
	if p.Sanitized {
		return OurSanitizedLibrary(t)
	}
	if p.Library.Release {
		return OurReleasedLibrary(t)
	}
	return OurLibrary(t)
}

// Compile returns the path of the executable. Programs that did not change are not compiled again.
func (p Program) Compile(t testing.TB, mode Mode) string {
	t.Helper()
	arguments := p.compilerArguments(t, mode)
	folder := filepath.Join(Root(t), "build", "tests")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	name := strings.TrimSuffix(filepath.Base(p.Source), ".c")
	executable := filepath.Join(folder, name+"-"+p.digest(t, arguments))
	if _, err := os.Stat(executable); err == nil {
		return executable
	}
	// Other test processes may be compiling the same program: each writes a file of its own.
	partial, err := os.CreateTemp(folder, name)
	require.NoError(t, err)
	defer os.Remove(partial.Name())
	require.NoError(t, partial.Close())
	output, err := exec.Command("cc", append(arguments, "-o", partial.Name())...).CombinedOutput()
	require.NoErrorf(t, err, "cc %s\n%s", strings.Join(arguments, " "), output)
	require.NoError(t, os.Chmod(partial.Name(), 0o755))
	require.NoError(t, os.Rename(partial.Name(), executable))
	return executable
}

func (p Program) compilerArguments(t testing.TB, mode Mode) []string {
	t.Helper()
	root := Root(t)
	arguments := []string{
		"-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g",
		"-I" + filepath.Join(root, "tests", "include"), "-I" + filepath.Join(root, "include"),
	}
	if p.Sanitized {
		arguments = append(arguments, "-fsanitize=address,undefined", "-fno-omit-frame-pointer")
	}
	if p.Library.Sysroot != "" {
		arguments = append(arguments, "--sysroot="+p.Library.Sysroot)
	}
	if p.Library.Headers != "" {
		arguments = append(arguments, "-I"+p.Library.Headers)
	}
	arguments = append(arguments, p.Flags...)
	arguments = append(arguments, p.Source)
	if mode == OursLinked {
		folder := filepath.Dir(p.ourLibrary(t))
		arguments = append(arguments, "-L"+folder, "-Wl,-rpath,"+folder, "-lsslcache")
	}
	if p.Library.Path != "" {
		// Its libc may be newer than the one that we link with.
		arguments = append(arguments, "-L"+p.Library.Path, "-Wl,--allow-shlib-undefined")
	}
	return append(append(arguments, "-lssl", "-lcrypto", "-lpthread"), p.Libraries...)
}

// digest changes with all that the executable is made of, but the system's own headers.
func (p Program) digest(t testing.TB, arguments []string) string {
	t.Helper()
	root := Root(t)
	files := []string{p.Source}
	for _, folder := range []string{filepath.Dir(p.Source), filepath.Join(root, "tests", "include"), filepath.Join(root, "include")} {
		headers, err := filepath.Glob(filepath.Join(folder, "*.h"))
		require.NoError(t, err)
		files = append(files, headers...)
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%q", arguments)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		fmt.Fprintf(hash, "%s %d ", file, len(content))
		hash.Write(content)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)[:8])
}
