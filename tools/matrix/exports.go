package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	mapFile     = "cshim/libsslcache.map"
	libraryFile = "build/libsslcache.so"
)

// What the library exports beside the interposed functions of OpenSSL.
var ownFunctions = []string{"SSL_add_session", "SSL_remove_session", "sslcache_get_stats", "sslcache_version"}

// checkExports checks that the map says what we mean to export, and the library exports what the map says.
func checkExports(root string, functions []function) error {
	expected := slices.Clone(ownFunctions)
	for _, function := range functions {
		if function.interposed {
			expected = append(expected, function.name)
		}
	}
	mapped, err := readMap(filepath.Join(root, mapFile))
	if err != nil {
		return err
	}
	exports := map[string]bool{}
	if err := addExports(exports, filepath.Join(root, libraryFile)); err != nil {
		return fmt.Errorf("run make first: %w", err)
	}
	var exported []string
	for name := range exports {
		exported = append(exported, name)
	}
	return errors.Join(
		compareNames(mapFile+" against the table", mapped, expected),
		compareNames(libraryFile+" against "+mapFile, exported, mapped))
}

var mapped = regexp.MustCompile(`(?s)global:(.*)local:`)

// readMap returns the names in the global part of the version script.
func readMap(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	global := mapped.FindSubmatch(text)
	if global == nil {
		return nil, fmt.Errorf("%s has no global part", path)
	}
	return strings.FieldsFunc(string(global[1]), func(r rune) bool { return strings.ContainsRune("; \t\n", r) }), nil
}

// addExports adds the symbols that a shared object defines for others.
func addExports(exports map[string]bool, path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, symbol := range symbols {
		if symbol.Section != elf.SHN_UNDEF && symbol.Section != elf.SHN_ABS && elf.ST_BIND(symbol.Info) != elf.STB_LOCAL {
			exports[symbol.Name] = true
		}
	}
	return nil
}

func compareNames(title string, actual, expected []string) error {
	var complaints []error
	for _, name := range actual {
		if !slices.Contains(expected, name) {
			complaints = append(complaints, fmt.Errorf("%s: %s is too much", title, name))
		}
	}
	for _, name := range expected {
		if !slices.Contains(actual, name) {
			complaints = append(complaints, fmt.Errorf("%s: %s is missing", title, name))
		}
	}
	return errors.Join(complaints...)
}
