// Command libssls fetches versions of libssl into build/libssl, all or those that are named, and says what
// came of it; with -headers a version a line, and the folder of its headers where that is not the system's.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"libsslcache/tests/libssls"
)

func main() {
	headers := flag.Bool("headers", false, "print the folders of the headers")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	failed := false
	versions := libssls.Versions
	if flag.NArg() > 0 {
		versions = flag.Args()
	}
	for _, version := range versions {
		libssl, err := libssls.Fetch(ctx, version)
		if err != nil {
			fmt.Fprintf(os.Stderr, "libssl %s: %v\n", version, err)
			failed = true
			continue
		}
		if *headers {
			fmt.Println(version, libssl.Headers)
			continue
		}
		fmt.Printf("libssl %s: %s\n", version, libssl.Package)
	}
	if failed {
		os.Exit(1)
	}
}
