package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The session family: what libssl names after sessions, but pre-shared keys, which have their own.
var (
	family        = regexp.MustCompile(`^SSL_(.*_)?(sess(ion|ions)?(_|$)|.*SESSION)|^[di]2[di]_SSL_SESSION|^PEM_.*_SSL_SESSION|^BIO_ssl_.*_session_`)
	notOfTheCache = regexp.MustCompile(`_psk_`)
)

// Functions that touch the cache and do not have it in their name.
var relatives = []string{
	"SSL_CTX_new", "SSL_CTX_new_ex", "SSL_CTX_free", "SSL_CTX_up_ref", "SSL_CTX_ctrl",
	"SSL_CTX_get_timeout", "SSL_CTX_set_timeout", "SSL_set_SSL_CTX", "SSL_dup", "SSL_clear",
	"SSL_accept", "SSL_set_ssl_method", "SSL_CTX_set_ssl_version", "SSL_CONF_cmd", "SSL_CTX_config",
	"SSL_set_shutdown", "SSL_set_quiet_shutdown", "SSL_CTX_set_quiet_shutdown",
	"SSL_set_num_tickets", "SSL_CTX_set_num_tickets",
}

// A macro over SSL_CTX_ctrl.
type macro struct {
	name, command string
	number        int
}

var macros = []macro{
	{"SSL_CTX_sess_number", "SSL_CTRL_SESS_NUMBER", 20},
	{"SSL_CTX_sess_connect", "SSL_CTRL_SESS_CONNECT", 21},
	{"SSL_CTX_sess_connect_good", "SSL_CTRL_SESS_CONNECT_GOOD", 22},
	{"SSL_CTX_sess_connect_renegotiate", "SSL_CTRL_SESS_CONNECT_RENEGOTIATE", 23},
	{"SSL_CTX_sess_accept", "SSL_CTRL_SESS_ACCEPT", 24},
	{"SSL_CTX_sess_accept_good", "SSL_CTRL_SESS_ACCEPT_GOOD", 25},
	{"SSL_CTX_sess_accept_renegotiate", "SSL_CTRL_SESS_ACCEPT_RENEGOTIATE", 26},
	{"SSL_CTX_sess_hits", "SSL_CTRL_SESS_HIT", 27},
	{"SSL_CTX_sess_cb_hits", "SSL_CTRL_SESS_CB_HIT", 28},
	{"SSL_CTX_sess_misses", "SSL_CTRL_SESS_MISSES", 29},
	{"SSL_CTX_sess_timeouts", "SSL_CTRL_SESS_TIMEOUTS", 30},
	{"SSL_CTX_sess_cache_full", "SSL_CTRL_SESS_CACHE_FULL", 31},
	{"SSL_CTX_sess_set_cache_size", "SSL_CTRL_SET_SESS_CACHE_SIZE", 42},
	{"SSL_CTX_sess_get_cache_size", "SSL_CTRL_GET_SESS_CACHE_SIZE", 43},
	{"SSL_CTX_set_session_cache_mode", "SSL_CTRL_SET_SESS_CACHE_MODE", 44},
	{"SSL_CTX_get_session_cache_mode", "SSL_CTRL_GET_SESS_CACHE_MODE", 45},
}

const (
	ours   = "ours"
	passes = "libssl"
	absent = "–"
)

func matrix(ctx context.Context, root string, functions []function, versions []version, imported imports) (string, error) {
	tests, err := readTests(root)
	if err != nil {
		return "", err
	}
	answered, err := answeredCommands(root)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(introduction)
	writeHead(&text, "function", versions, "test", "programs")
	names := familyNames(functions, versions)
	for _, name := range names {
		cells := functionCells(name, functions, versions)
		writeRow(&text, name, append(cells, tests.covering(name), strconv.Itoa(imported.count(name))))
	}
	text.WriteString(macroIntroduction)
	writeHead(&text, "macro", versions, "test")
	for _, macro := range macros {
		cells, err := macroCells(ctx, macro, answered, versions)
		if err != nil {
			return "", err
		}
		writeRow(&text, macro.name, append(cells, tests.covering(macro.name)))
	}
	isOurs := func(name string) bool { return isInterposed(functions, name) }
	writePrograms(&text, names, isOurs, imported, tests)
	text.WriteString(conclusion)
	return text.String(), nil
}

const introduction = `# The session functions of libssl, and who answers them

Written by ` + "`go run ./tools/matrix`" + ` from cshim/libssl/libssl.h, the headers and exports of each libssl, tests/, and the
packages of programs that tools/matrix/programs.go names. Do not edit.

- ` + ours + `: the call comes to us; where libssl keeps the sessions after all, we hand it on.
- ` + passes + `: the call goes to libssl, and we are not in its way.
- ` + absent + `: this version does not export it.

Then a test that uses it, below tests/, and how many of the programs below import it.

`

const macroIntroduction = `
## Macros over SSL_CTX_ctrl

SSL_CTX_ctrl is ours; here is who answers each of its commands.

`

const conclusion = `
## Types

The headers of every version declare the functions that we know with the very types of cshim/libssl/libssl.h, from
the version on that it says.
`

// familyNames returns all that any version exports and that belongs here, and every function that is ours.
func familyNames(functions []function, versions []version) []string {
	chosen := map[string]bool{}
	for _, version := range versions {
		for name := range version.exports {
			if slices.Contains(relatives, name) || family.MatchString(name) && !notOfTheCache.MatchString(name) {
				chosen[name] = true
			}
		}
	}
	for _, function := range functions {
		if function.interposed {
			chosen[function.name] = true
		}
	}
	var names []string
	for name := range chosen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func isInterposed(functions []function, name string) bool {
	return slices.ContainsFunc(functions, func(f function) bool { return f.name == name && f.interposed })
}

func functionCells(name string, functions []function, versions []version) []string {
	answer := passes
	if isInterposed(functions, name) {
		answer = ours
	}
	var cells []string
	for _, version := range versions {
		if version.exports[name] {
			cells = append(cells, answer)
		} else {
			cells = append(cells, absent)
		}
	}
	return cells
}

var (
	controlFunction = regexp.MustCompile(`(?ms)^long SSL_CTX_ctrl\(.*?^}`)
	controlCase     = regexp.MustCompile(`case (SSL_CTRL_\w+):`)
)

// answeredCommands are those commands of SSL_CTX_ctrl that cshim.c does not hand on.
func answeredCommands(root string) ([]string, error) {
	source, err := os.ReadFile(filepath.Join(root, "cshim.c"))
	if err != nil {
		return nil, err
	}
	var commands []string
	for _, match := range controlCase.FindAllSubmatch(controlFunction.Find(source), -1) {
		commands = append(commands, string(match[1]))
	}
	if len(commands) == 0 {
		return nil, errors.New("cshim.c has no SSL_CTX_ctrl that answers any command")
	}
	return commands, nil
}

func macroCells(ctx context.Context, macro macro, answered []string, versions []version) ([]string, error) {
	answer := passes
	if slices.Contains(answered, macro.command) {
		answer = ours
	}
	var cells []string
	for _, version := range versions {
		defined, err := macroDefined(ctx, macro, version)
		if err != nil {
			return nil, err
		}
		if defined {
			cells = append(cells, answer)
		} else {
			cells = append(cells, absent)
		}
	}
	return cells, nil
}

// macroDefined also fails where the version gives the command another number.
func macroDefined(ctx context.Context, macro macro, version version) (bool, error) {
	source := fmt.Sprintf("#include <openssl/ssl.h>\n#if %s != %d\n#error %s has another number\n#endif\n"+
		"#ifdef %s\n@defined\n#endif\n", macro.command, macro.number, macro.command, macro.name)
	var flags []string
	if version.Headers != "" {
		flags = append(flags, "-I"+version.Headers)
	}
	expanded, err := preprocess(ctx, source, flags...)
	return strings.Contains(expanded, "@defined"), err
}

func writeHead(text *strings.Builder, title string, versions []version, more ...string) {
	heads := []string{title}
	for _, version := range versions {
		heads = append(heads, version.Version)
	}
	heads = append(heads, more...)
	fmt.Fprintf(text, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat(" --- |", len(heads)))
}

func writeRow(text *strings.Builder, name string, cells []string) {
	fmt.Fprintf(text, "| `%s` | %s |\n", name, strings.Join(cells, " | "))
}

func firstDifference(committed, actual string) string {
	old, current := strings.Split(committed, "\n"), strings.Split(actual, "\n")
	for i := range min(len(old), len(current)) {
		if old[i] != current[i] {
			return fmt.Sprintf("line %d\n  committed: %s\n  now:       %s", i+1, old[i], current[i])
		}
	}
	return "one has more lines than the other"
}
