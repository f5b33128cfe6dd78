// Command libssls fetches every version of libssl into build/libssl and says what came of it.
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
	for _, version := range libssls.Versions {
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
