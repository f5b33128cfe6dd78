// Command libssls fetches versions of libssl into build/libssl, all or those that are named, and says what
// came of it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"libsslcache/tests/libssls"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	failed := false
	versions := libssls.Versions
	if len(os.Args) > 1 {
		versions = os.Args[1:]
	}
	for _, version := range versions {
		libssl, err := libssls.Fetch(ctx, version)
		if err != nil {
			fmt.Fprintf(os.Stderr, "libssl %s: %v\n", version, err)
			failed = true
			continue
		}
		fmt.Printf("libssl %s: %s\n", version, libssl.Package)
	}
	if failed {
		os.Exit(1)
	}
}
