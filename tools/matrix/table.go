package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A function of the table, as cshim/libssl/libssl.h has it.
type function struct {
	name       string
	interposed bool   // we stand before it; else we only call it
	since      string // the first version that has it, "3.4" for example
}

const listSource = `
#include "cshim/libssl/libssl.h"
#define X(role, since, result, name, arguments) @function(#role, #since, #name)
LIBSSL_FUNCTIONS(X)
`

var listed = regexp.MustCompile(`@function\("(\w+)", "(\w+)", "(\w+)"\)`)

// readTable lets the C preprocessor read the list, so that cshim/libssl/libssl.h stays its only source.
func readTable(ctx context.Context, root string) ([]function, error) {
	expanded, err := preprocess(ctx, listSource, "-I"+root)
	if err != nil {
		return nil, err
	}
	var functions []function
	for _, match := range listed.FindAllStringSubmatch(expanded, -1) {
		role, since, name := match[1], match[2], match[3]
		if role != "INTERPOSED" && role != "BOUND" {
			return nil, fmt.Errorf("%s has the unknown role %s", name, role)
		}
		functions = append(functions, function{name, role == "INTERPOSED", strings.ReplaceAll(since, "_", ".")})
	}
	if len(functions) == 0 {
		return nil, errors.New("LIBSSL_FUNCTIONS gave no function")
	}
	return functions, nil
}

func preprocess(ctx context.Context, source string, flags ...string) (string, error) {
	command := exec.CommandContext(ctx, "cc", append(flags, "-E", "-P", "-x", "c", "-")...)
	command.Stdin = strings.NewReader(source)
	var complaints strings.Builder
	command.Stderr = &complaints
	expanded, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("cc -E: %w\n%s", err, &complaints)
	}
	return string(expanded), nil
}

// isSince reports whether a version is the first one or a later one.
func isSince(version, first string) bool {
	return slices.Compare(numbers(version), numbers(first)) >= 0
}

func numbers(version string) []int {
	var numbers []int
	for part := range strings.SplitSeq(version, ".") {
		number, _ := strconv.Atoi(part)
		numbers = append(numbers, number)
	}
	return numbers
}
