// The command sslcache: in front of a program it shows, limits, disturbs and checks its TLS sessions.
package main

import (
	"os"

	"libsslcache/internal/command"
)

// version is set by the build.
var version = "unknown"

func main() {
	os.Exit(command.Run(version, os.Args[1:]))
}
