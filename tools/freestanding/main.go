// Command freestanding takes functions out of a Go binary that run without Go's runtime, and writes them as assembler
// that is linked into a C library.
//
// It reads the machine code: it follows every call from the functions that C calls, which are the exported ones of one
// package, and refuses what a process without a runtime could not run (see internal/direct for the rules). So what is
// linked is what was checked, on the toolchain that made it.
//
// usage: freestanding IMAGE OUTPUT
package main

import (
	"fmt"
	"os"
)

// project says what is taken, and from where.
var project = rules{
	from:     "libsslcache/internal/direct",
	prefix:   "direct_",
	packages: []string{"libsslcache/internal/direct", "libsslcache/internal/cache", "libsslcache/internal/arena", "libsslcache/internal/host"},
	calls:    hostCalls,
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: freestanding IMAGE OUTPUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "freestanding:", err)
		os.Exit(1)
	}
}

func run(path, output string) error {
	from, err := open(path)
	if err != nil {
		return err
	}
	taken, err := reach(from, project)
	if err != nil {
		return fmt.Errorf("%s code of %s can't run without Go's runtime: %w", from.arch.name, from.toolchain, err)
	}
	if err := os.WriteFile(output, write(taken), 0o644); err != nil {
		return err
	}
	fmt.Printf("freestanding: %s code of %s runs without Go's runtime: %d functions, %d bytes, at most %d bytes of stack\n",
		from.arch.name, from.toolchain, len(taken.functions), taken.size(), taken.depth)
	return nil
}
