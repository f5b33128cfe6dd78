// Command rooms checks which folders of the C code include which.
//
//	go run ./tools/rooms FOLDER 'ROOM: ROOM ...' ...
//
// Each argument behind the folder is a room, a folder in it, and the rooms that its files may include beside their own. The
// lowest room comes first and may name none but those before it, so the list has no circle. Files of FOLDER itself may
// include every room. Rooms outside of FOLDER, such as capi, are named like the others and need no line.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var included = regexp.MustCompile(`^\s*#\s*include\s+"([^"]+)"`)

// outside are the folders that belong to no room: contracts with what is not C, and with the program.
var outside = []string{"capi", "include"}

// A rule says which rooms a room may include.
type rule struct {
	room string
	may  []string
}

// parseRules reads the list, which must have no circle.
func parseRules(lines []string) ([]rule, error) {
	var rules []rule
	known := slices.Clone(outside)
	for _, line := range lines {
		room, names, found := strings.Cut(line, ":")
		if !found || room == "" || strings.ContainsAny(room, " \t/") {
			return nil, fmt.Errorf("%q is not of the form 'ROOM: ROOM ROOM'", line)
		}
		if slices.Contains(known, room) {
			return nil, fmt.Errorf("%s is in the list twice", room)
		}
		may := strings.Fields(names)
		for _, name := range may {
			if !slices.Contains(known, name) {
				return nil, fmt.Errorf("%s may include %s, which does not stand before it in the list", room, name)
			}
		}
		known = append(known, room)
		rules = append(rules, rule{room, may})
	}
	return rules, nil
}

// roomOf returns the room that an included path lies in, seen from a file of a room.
func roomOf(folder, room, path string) (string, error) {
	parts := strings.Split(path, "/")
	switch {
	case len(parts) == 1:
		return room, nil
	case parts[0] == filepath.Base(folder) && len(parts) == 3:
		return parts[1], nil
	case slices.Contains(outside, parts[0]):
		return parts[0], nil
	}
	return "", fmt.Errorf("%s is in no room", path)
}

// checkFile returns a line for each include of a file that the rule does not allow.
func checkFile(folder string, rule rule, path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var faults []string
	for number, line := range strings.Split(string(text), "\n") {
		match := included.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		room, err := roomOf(folder, rule.room, match[1])
		if err == nil && room != rule.room && !slices.Contains(rule.may, room) {
			err = fmt.Errorf("%s may not include %s: %s", rule.room, room, match[1])
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s:%d: %v", path, number+1, err))
		}
	}
	return faults, nil
}

// checkRoom returns a line for each include of a room that its rule does not allow.
func checkRoom(folder string, rule rule) ([]string, error) {
	var files, faults []string
	for _, pattern := range []string{"*.c", "*.h"} {
		found, err := filepath.Glob(filepath.Join(folder, rule.room, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return []string{fmt.Sprintf("%s is in the list and has no file in %s", rule.room, folder)}, nil
	}
	for _, file := range files {
		more, err := checkFile(folder, rule, file)
		if err != nil {
			return nil, err
		}
		faults = append(faults, more...)
	}
	return faults, nil
}

// unlisted returns a line for each folder that is no room of the list.
func unlisted(folder string, rules []rule) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, entry := range entries {
		isKnown := slices.ContainsFunc(rules, func(rule rule) bool { return rule.room == entry.Name() })
		if entry.IsDir() && !isKnown {
			faults = append(faults, fmt.Sprintf("%s is a folder and no room of the list", filepath.Join(folder, entry.Name())))
		}
	}
	return faults, nil
}

// check returns an error with a line for each fault.
func check(folder string, lines []string) error {
	rules, err := parseRules(lines)
	if err != nil {
		return err
	}
	faults, err := unlisted(folder, rules)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		more, err := checkRoom(folder, rule)
		if err != nil {
			return err
		}
		faults = append(faults, more...)
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: rooms FOLDER 'ROOM: ROOM ...' ...")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
