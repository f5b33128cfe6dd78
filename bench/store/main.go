// Command store measures what a shared store costs a handshake, and what one process asks of it, and
// writes docs/performance-store.md with the growth worked out from those figures. Run it from the root of
// the project, after make; it starts a redis-server of its own and ends it.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each case runs")
	count := flag.Int("count", 3000, "handshakes of a case")
	most := flag.Int("records", 1_000_000, "the most records of a shared cache that is measured; 0 measures none")
	output := flag.String("output", "docs/performance-store.md", "the `file` to write; \"none\" writes nothing")
	flag.Parse()
	if err := run(*rounds, *count, *most, *output); err != nil {
		log.Fatal(err)
	}
}

func run(rounds, count, most int, output string) error {
	folder, err := os.MkdirTemp("", "sslcache-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	server, err := startServer(folder)
	if err != nil {
		return err
	}
	defer server.stop()
	handshakes, err := build(folder, "handshakes")
	if err != nil {
		return err
	}
	lookups, err := build(folder, "lookups")
	if err != nil {
		return err
	}
	measured, err := measure(server, handshakes, rounds, count)
	if err != nil {
		return err
	}
	if measured.shared, err = share(server, lookups, rounds, most); err != nil {
		return err
	}
	text := document(measured)
	fmt.Print(text)
	if output == "none" {
		return nil
	}
	return os.WriteFile(output, []byte(text), 0o644)
}
