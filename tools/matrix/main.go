// Command matrix checks the table of OpenSSL functions (LIBSSL_FUNCTIONS in cshim/libssl/libssl.h) against the headers
// and the exports of every libssl that Debian ships, and writes docs/matrix.md from them and from what the programs of
// Debian import.
//
// usage: go run ./tools/matrix [-check]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"libsslcache/tests/libssls"
)

const matrixFile = "docs/matrix.md"

func main() {
	check := flag.Bool("check", false, "compare with the committed file instead of writing it")
	flag.Parse()
	if err := run(context.Background(), ".", *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run works on the project whose folder is root.
func run(ctx context.Context, root string, check bool) error {
	functions, err := readTable(ctx, root)
	if err != nil {
		return err
	}
	if err := checkExports(root, functions); err != nil {
		return err
	}
	versions, err := fetchAll(ctx)
	if err != nil {
		return err
	}
	if err := checkAll(ctx, root, functions, versions); err != nil {
		return err
	}
	imported, err := programImports(ctx, root)
	if err != nil {
		return err
	}
	text, err := matrix(ctx, root, functions, versions, imported)
	if err != nil {
		return err
	}
	file := filepath.Join(root, matrixFile)
	if !check {
		return os.WriteFile(file, []byte(text), 0o644)
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if string(committed) != text {
		return fmt.Errorf("%s is out of date; to write it anew: go run ./tools/matrix\n%s", matrixFile, firstDifference(string(committed), text))
	}
	return nil
}

// errUnavailable says that a suite of Debian cannot be had here and now.
var errUnavailable = errors.New("not to be had here")

// version is one libssl: what it is and what it exports.
type version struct {
	libssls.Libssl
	exports map[string]bool
}

func fetchAll(ctx context.Context) ([]version, error) {
	var versions []version
	for _, name := range libssls.Versions {
		libssl, err := libssls.Fetch(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("libssl %s is %w: %w", name, errUnavailable, err)
		}
		exports := map[string]bool{}
		for _, library := range []string{"libssl.so", "libcrypto.so"} {
			if err := addExports(exports, filepath.Join(libssl.Library, library)); err != nil {
				return nil, err
			}
		}
		versions = append(versions, version{libssl, exports})
	}
	return versions, nil
}
