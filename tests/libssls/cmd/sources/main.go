// Command sources prints apt's sources for a suite of Debian, by the mirrors and keys of this machine.
package main

import (
	"fmt"
	"os"

	"libsslcache/tests/libssls"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sources SUITE")
		os.Exit(2)
	}
	sources, err := libssls.Sources(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(sources)
}
