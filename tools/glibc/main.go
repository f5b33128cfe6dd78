// Command glibc makes stand-ins of glibc's libraries for the linker: shared objects without code that have this
// machine's symbols as an older glibc has them. What is linked with them needs nothing newer, whichever glibc it is
// built on, and a function that the older one has not is an undefined reference at once.
//
// usage: glibc -newest 2.17 -cc CC FOLDER
package main

import (
	"cmp"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	newest := flag.String("newest", "2.17", "the newest version of glibc whose symbols are there")
	compiler := flag.String("cc", "cc", "the compiler, which knows where glibc is and makes the libraries")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*compiler, flag.Arg(0), *newest); err != nil {
		fmt.Fprintln(os.Stderr, "tools/glibc:", err)
		os.Exit(1)
	}
}

func run(compiler, folder, newest string) error {
	limit, err := parseVersion("GLIBC_" + newest)
	if err != nil {
		return err
	}
	libraries, err := standIns(compiler, limit)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, symbols := range libraries {
		if err := build(compiler, folder, name, symbols); err != nil {
			return err
		}
	}
	return nil
}

// version is that of glibc: 2.2.5 is {2, 2, 5}.
type version []int

func parseVersion(name string) (version, error) {
	text, found := strings.CutPrefix(name, "GLIBC_")
	if !found {
		return nil, fmt.Errorf("%s is no version of glibc", name)
	}
	var parsed version
	for part := range strings.SplitSeq(text, ".") {
		number, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("%s is no version of glibc", name)
		}
		parsed = append(parsed, number)
	}
	return parsed, nil
}

// symbol is one that a program may be linked with, at the version it had in the older glibc.
type symbol struct {
	name    string
	version string
	kind    elf.SymType
	size    uint64
}

// standIns returns the symbols of each library, by the library's name.
func standIns(compiler string, limit version) (map[string][]symbol, error) {
	libraries := map[string][]symbol{}
	for _, pattern := range []string{"libc.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"} {
		path, err := find(compiler, pattern)
		if err != nil {
			return nil, err
		}
		if path == "" {
			continue
		}
		found, err := readSymbols(path)
		if err != nil {
			return nil, err
		}
		for name, versions := range found {
			if symbol, offered := choose(versions, limit); offered {
				home := homeOf(pattern, name, versions, limit)
				libraries[home] = append(libraries[home], symbol)
			}
		}
	}
	if len(libraries["libc.so.6"]) == 0 {
		return nil, errors.New("the compiler knows no libc.so.6")
	}
	return libraries, nil
}

// find asks the compiler for a library; empty where this machine has none of that name.
func find(compiler, name string) (string, error) {
	words := strings.Fields(compiler)
	output, err := exec.Command(words[0], append(words[1:], "-print-file-name="+name)...).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for %s: %w", compiler, name, err)
	}
	path := strings.TrimSpace(string(output))
	if !filepath.IsAbs(path) {
		return "", nil
	}
	return path, nil
}

// readSymbols returns all versions of each symbol that a library defines.
func readSymbols(path string) (map[string][]symbol, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	defined, err := file.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("symbols of %s: %w", path, err)
	}
	found := map[string][]symbol{}
	for _, entry := range defined {
		if entry.Section == elf.SHN_UNDEF || entry.Section == elf.SHN_ABS || elf.ST_BIND(entry.Info) == elf.STB_LOCAL {
			continue
		}
		if _, err := parseVersion(entry.Version); err != nil {
			continue // GLIBC_PRIVATE, and the marks of the binary interface
		}
		kind := elf.ST_TYPE(entry.Info)
		if kind == elf.STT_TLS {
			continue
		}
		found[entry.Name] = append(found[entry.Name], symbol{entry.Name, entry.Version, kind, entry.Size})
	}
	return found, nil
}

// choose returns the newest version that is not newer than the limit.
func choose(versions []symbol, limit version) (symbol, bool) {
	old := slices.DeleteFunc(slices.Clone(versions), func(symbol symbol) bool { return isNewer(symbol, limit) })
	if len(old) == 0 {
		return symbol{}, false
	}
	return slices.MaxFunc(old, func(a, b symbol) int { return slices.Compare(number(a), number(b)) }), true
}

func number(symbol symbol) version {
	parsed, _ := parseVersion(symbol.version) // readSymbols has kept no other
	return parsed
}

func isNewer(symbol symbol, limit version) bool { return slices.Compare(number(symbol), limit) > 0 }

// homeOf returns the library that had a symbol in the older glibc. From 2.32 on the C library has taken in the threads
// and the dynamic linker's functions, each under a newer version beside its old one.
func homeOf(library, name string, versions []symbol, limit version) string {
	moved := library == "libc.so.6" && slices.ContainsFunc(versions, func(symbol symbol) bool { return isNewer(symbol, limit) })
	switch {
	case moved && strings.HasPrefix(name, "dl"):
		return "libdl.so.2"
	case moved && (strings.HasPrefix(strings.TrimLeft(name, "_"), "pthread_") || strings.HasPrefix(name, "sem_")):
		return "libpthread.so.0"
	}
	return library
}

// build assembles and links one library.
func build(compiler, folder, name string, symbols []symbol) error {
	slices.SortFunc(symbols, func(a, b symbol) int {
		return cmp.Or(slices.Compare(number(a), number(b)), strings.Compare(a.name, b.name))
	})
	source, script := filepath.Join(folder, name+".s"), filepath.Join(folder, name+".map")
	if err := errors.Join(
		os.WriteFile(source, []byte(assembly(symbols)), 0o644),
		os.WriteFile(script, []byte(versionScript(symbols)), 0o644),
	); err != nil {
		return err
	}
	words := append(strings.Fields(compiler), "-shared", "-nostdlib", "-Wl,-soname,"+name,
		"-Wl,--version-script="+script, "-o", filepath.Join(folder, name), source)
	if output, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, output)
	}
	return nil
}

func assembly(symbols []symbol) string {
	var text strings.Builder
	section := map[bool]string{true: "\t.data\n", false: "\t.text\n"}
	for _, symbol := range symbols {
		object := symbol.kind == elf.STT_OBJECT
		kind := "function"
		if object {
			kind = "object"
		}
		fmt.Fprintf(&text, "%s\t.globl %[2]s\n\t.type %[2]s, %%%[3]s\n\t.size %[2]s, %[4]d\n%[2]s:\n\t.skip %[4]d\n",
			section[object], symbol.name, kind, max(symbol.size, 1))
	}
	return text.String() + "\t.section .note.GNU-stack,\"\",%progbits\n"
}

// versionScript expects the symbols in the order of their versions.
func versionScript(symbols []symbol) string {
	var text strings.Builder
	for start := 0; start < len(symbols); {
		end := start
		fmt.Fprintf(&text, "%s {\n", symbols[start].version)
		for ; end < len(symbols) && symbols[end].version == symbols[start].version; end++ {
			fmt.Fprintf(&text, "    %s;\n", symbols[end].name)
		}
		text.WriteString("};\n")
		start = end
	}
	return text.String()
}
