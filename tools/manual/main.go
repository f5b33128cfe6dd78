// The command manual writes the manual pages of sslcache, which are made from its own help.
//
// usage: go run ./tools/manual VERSION FOLDER
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra/doc"

	"libsslcache/internal/command"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: manual VERSION FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "manual: %v\n", err)
		os.Exit(1)
	}
}

// write makes a page for the command and for each of its own commands. They bear the date of today, or
// that of SOURCE_DATE_EPOCH.
func write(version, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return doc.GenManTree(command.New(version), &doc.GenManHeader{
		Section: "1", Source: "libsslcache " + version, Manual: "libsslcache",
	}, folder)
}
