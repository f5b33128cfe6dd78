package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"libsslcache/tests/libssls"
)

// A program is what a user knows by one name: the packages of Debian that have its calls of libssl.
type program struct {
	name     string
	packages []string
}

// programSuite is the Debian whose packages are looked at: that of docs/programs.md.
const programSuite = "bookworm"

var programs = []program{
	{"Apache, mod_ssl", []string{"apache2-bin"}},
	{"BIND", []string{"bind9-libs"}},
	{"curl, libcurl", []string{"libcurl4"}},
	{"Dovecot", []string{"dovecot-core"}},
	{"Exim", []string{"exim4-daemon-light"}},
	{"FreeRADIUS", []string{"freeradius"}},
	{"h2o", []string{"h2o", "libh2o0.13"}},
	{"HAProxy", []string{"haproxy"}},
	{"Kamailio", []string{"kamailio-tls-modules"}},
	{"lighttpd", []string{"lighttpd-mod-openssl"}},
	{"MariaDB", []string{"mariadb-server-core", "libmariadb3"}},
	{"Mosquitto", []string{"mosquitto", "libmosquitto1"}},
	{"nginx", []string{"nginx"}},
	{"Node.js", []string{"libnode108"}},
	{"NRPE", []string{"nagios-nrpe-server"}},
	{"OpenSSL, the command", []string{"openssl"}},
	{"OpenVPN", []string{"openvpn"}},
	{"Perl, Net::SSLeay", []string{"libnet-ssleay-perl"}},
	{"PHP", []string{"php8.2-cli"}},
	{"Postfix", []string{"postfix"}},
	{"PostgreSQL", []string{"postgresql-15", "libpq5"}},
	{"ProFTPD", []string{"proftpd-mod-crypto"}},
	{"pure-ftpd", []string{"pure-ftpd"}},
	{"Python 3, ssl", []string{"libpython3.11-minimal"}},
	{"Redis", []string{"redis-tools"}},
	{"rsyslog", []string{"rsyslog-openssl"}},
	{"Ruby, openssl", []string{"libruby3.1"}},
	{"Squid", []string{"squid-openssl"}},
	{"stunnel", []string{"stunnel4"}},
	{"Unbound", []string{"unbound"}},
	{"uWSGI", []string{"uwsgi-core"}},
	{"vsftpd", []string{"vsftpd"}},
}

// imports has the functions of libssl that the files of a package import, by its name, in order.
type imports map[string][]string

// importsFile keeps what was found, so that the packages are fetched once.
const importsFile = "build/program-imports.json"

// programImports fetches the packages of all programs, unless that was done.
func programImports(ctx context.Context, root string) (imports, error) {
	file := filepath.Join(root, importsFile)
	if kept, err := readImports(file); err == nil && kept.complete() {
		return kept, nil
	}
	found, err := fetchImports(ctx, filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("the programs of %s are %w: %w", programSuite, errUnavailable, err)
	}
	text, err := json.Marshal(found)
	if err != nil {
		return nil, err
	}
	return found, os.WriteFile(file, text, 0o644)
}

func readImports(file string) (imports, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kept imports
	return kept, json.Unmarshal(text, &kept)
}

// complete reports whether every package of the list was looked at.
func (i imports) complete() bool {
	for _, program := range programs {
		for _, name := range program.packages {
			if _, present := i[name]; !present {
				return false
			}
		}
	}
	return true
}

// of returns what the packages of a program import, in order.
func (i imports) of(program program) []string {
	var names []string
	for _, name := range program.packages {
		names = append(names, i[name]...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func fetchImports(ctx context.Context, base string) (imports, error) {
	work, err := os.MkdirTemp(base, "programs.*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	var packages []string
	for _, program := range programs {
		packages = append(packages, program.packages...)
	}
	debs, err := libssls.Download(ctx, work, programSuite, "", packages)
	if err != nil {
		return nil, err
	}
	found := imports{}
	for _, deb := range debs {
		name, _, _ := strings.Cut(filepath.Base(deb), "_")
		folder := filepath.Join(work, name)
		if message, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, folder).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("dpkg-deb -x %s: %w\n%s", deb, err, message)
		}
		if found[name], err = folderImports(folder); err != nil {
			return nil, err
		}
		if err := os.RemoveAll(folder); err != nil {
			return nil, err
		}
	}
	if !found.complete() {
		return nil, errors.New("a package was not fetched")
	}
	return found, nil
}

// folderImports returns the functions of libssl that any ELF file below a folder imports, in order.
func folderImports(folder string) ([]string, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return addImports(names, path)
	})
	return slices.Sorted(maps.Keys(names)), err
}

// addImports adds what a file imports from libssl by the version of its symbols. A file that is not ELF imports nothing.
func addImports(names map[string]bool, path string) error {
	content, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := content.ReadAt(magic, 0); err != nil || string(magic) != elf.ELFMAG {
		return nil
	}
	file, err := elf.NewFile(content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	symbols, err := file.ImportedSymbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(symbol.Library, "libssl.so.") {
			names[symbol.Name] = true
		}
	}
	return nil
}

// count returns how many programs import a function.
func (i imports) count(name string) int {
	count := 0
	for _, program := range programs {
		if slices.Contains(i.of(program), name) {
			count++
		}
	}
	return count
}

// common returns those of the functions that every program imports that imports anything, in order.
func (i imports) common(functions []string) []string {
	users := 0
	for _, program := range programs {
		if len(i.of(program)) > 0 {
			users++
		}
	}
	return slices.DeleteFunc(slices.Clone(functions), func(name string) bool { return i.count(name) < users })
}

const programIntroduction = `
## Programs

Which of these functions the programs of Debian 12 import, by the dynamic symbols of all files of the packages: also those
of their clients and tools. What a program looks up by name itself does not show, and a macro shows as SSL_CTX_ctrl. What
else they import from libssl (reading, writing, certificates, ciphers) touches no session.

`

// writePrograms writes a row for each program, with those of the functions that it imports.
func writePrograms(text *strings.Builder, names []string, isOurs func(string) bool, imported imports, tests tests) {
	text.WriteString(programIntroduction)
	common := imported.common(names)
	fmt.Fprintf(text, "Each but those with none imports %s.\n\n", quoted(common))
	text.WriteString("| program | packages | ours, beside those | libssl |\n| --- | --- | --- | --- |\n")
	var untested []string
	for _, program := range programs {
		var own, passing []string
		for _, name := range imported.of(program) {
			switch {
			case !slices.Contains(names, name):
				continue
			case !isOurs(name):
				passing = append(passing, name)
			case !slices.Contains(common, name):
				own = append(own, name)
			}
			if tests.covering(name) == noTest {
				untested = append(untested, name)
			}
		}
		row := []string{program.name, strings.Join(program.packages, ", "), quoted(own), quoted(passing)}
		if len(imported.of(program)) == 0 {
			row[2] = "none: its TLS is another library's"
		}
		fmt.Fprintf(text, "| %s |\n", strings.Join(row, " | "))
	}
	slices.Sort(untested)
	fmt.Fprintf(text, "\nImported by one of them, and used by no C program below tests/ (tests/programs/apps runs many of them as they are): %s.\n", quoted(slices.Compact(untested)))
}

func quoted(names []string) string {
	if len(names) == 0 {
		return absent
	}
	return "`" + strings.Join(names, "`, `") + "`"
}
