package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

func checkAll(ctx context.Context, root string, functions []function, versions []version) error {
	var complaints []error
	for _, version := range versions {
		complaints = append(complaints, checkPresence(functions, version), checkTypes(ctx, root, functions, version))
	}
	return errors.Join(complaints...)
}

// checkPresence checks that a version exports what it should have, and nothing that is newer than it.
func checkPresence(functions []function, version version) error {
	var complaints []error
	for _, function := range functions {
		if expected := isSince(version.Version, function.since); version.exports[function.name] != expected {
			complaints = append(complaints, fmt.Errorf("libssl %s exports %s: %t; since %s by the table",
				version.Version, function.name, !expected, function.since))
		}
	}
	return errors.Join(complaints...)
}

// checkTypes compiles one assertion for each function, with the headers of the version.
func checkTypes(ctx context.Context, root string, functions []function, version version) error {
	flags := []string{"-std=c11", "-Wall", "-Wextra", "-Werror", "-I" + root, "-fsyntax-only", "-x", "c", "-"}
	if version.Headers != "" {
		flags = append([]string{"-I" + version.Headers}, flags...)
	}
	command := exec.CommandContext(ctx, "cc", flags...)
	command.Stdin = strings.NewReader(typeChecks(functions, version.Version))
	if complaints, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("headers of libssl %s: %w\n%s", version.Version, err, complaints)
	}
	return nil
}

// withoutConst is the one function whose type we give as the later versions have it: libssl 1.1.1 does not
// promise to leave the session as it is, and does.
var withoutConst = struct{ version, name string }{"1.1.1", "i2d_SSL_SESSION"}

func typeChecks(functions []function, version string) string {
	var source strings.Builder
	source.WriteString("#define OPENSSL_SUPPRESS_DEPRECATED\n#include \"cshim/libssl/libssl.h\"\n#include <openssl/err.h>\n#include <openssl/rand.h>\n")
	for _, function := range functions {
		if !isSince(version, function.since) {
			// A header that declares it after all makes this an error.
			fmt.Fprintf(&source, "extern struct too_new *%s[1];\n", function.name)
			continue
		}
		if version == withoutConst.version && function.name == withoutConst.name {
			continue
		}
		fmt.Fprintf(&source, "_Static_assert(__builtin_types_compatible_p(__typeof__(&%[1]s), "+
			"__typeof__(((struct libssl *)0)->%[1]s)), \"the type of %[1]s\");\n", function.name)
	}
	return source.String()
}
