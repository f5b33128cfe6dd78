package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A test is a file below tests/ and the words in it.
type test struct {
	path  string
	words map[string]bool
}

type tests []test

// noTest stands in the table where no test uses a function.
const noTest = "none"

// The kinds of test, those first that ask most of a function.
var kinds = []string{"behaviour/api/programs", "behaviour/differential", "behaviour/matrix", "process/legacy", "behaviour/takeover", "behaviour/settings", "command/trace", "process/stress", "sharing/clients", "behaviour/api/linked", "include"}

var word = regexp.MustCompile(`\w+`)

func readTests(root string) (tests, error) {
	var tests tests
	for _, kind := range kinds {
		folder := filepath.Join(root, "tests", kind)
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if extension := filepath.Ext(path); extension != ".c" && extension != ".h" {
				return nil
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(filepath.Join(root, "tests"), path)
			tests = append(tests, test{name, wordsOf(content)})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return tests, nil
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)

func wordsOf(source []byte) map[string]bool {
	words := map[string]bool{}
	for _, word := range word.FindAll(comment.ReplaceAll(source, nil), -1) {
		words[string(word)] = true
	}
	return words
}

// covering names the first test that uses a function or macro.
func (t tests) covering(name string) string {
	for _, test := range t {
		if test.words[name] {
			return strings.TrimSuffix(test.path, ".c")
		}
	}
	return noTest
}
