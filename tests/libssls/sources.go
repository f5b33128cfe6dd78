package libssls

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An archive is one line of apt's sources: where, and under whose key.
type archive struct {
	uri, suite, signedBy string
}

// Sources writes apt's sources for a suite, from those of the system: the same mirrors and keys, another suite.
// So no host is named here, and a mirror that the machine's owner chose is kept to. Experimental comes with sid,
// which it is built upon.
func Sources(suite string) (string, error) {
	archives, err := systemArchives()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	written := map[bool]bool{} // by whether it is of the security archive
	for _, archive := range archives {
		_, part, _ := strings.Cut(archive.suite, "-")
		security := part == "security" || strings.HasSuffix(archive.suite, "/updates")
		names := suiteNames(suite, security)
		if part != "" && !security || written[security] || len(names) == 0 {
			continue
		}
		written[security] = true
		fmt.Fprintf(&text, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", archive.uri, strings.Join(names, " "))
		if archive.signedBy != "" {
			fmt.Fprintf(&text, "Signed-By: %s\n", archive.signedBy)
		}
		text.WriteString("\n")
	}
	if !written[false] {
		return "", errors.New("apt's sources name no archive of this system")
	}
	return text.String(), nil
}

// suiteNames are the suites that make one, in the main archive and in that of security updates.
func suiteNames(suite string, security bool) []string {
	switch {
	case suite == "experimental" && !security:
		return []string{"sid", "experimental"}
	case suite == "sid" && !security:
		return []string{"sid"}
	case suite == "sid" || suite == "experimental":
		return nil
	case security:
		return []string{suite + "-security"}
	}
	return []string{suite}
}

// systemArchives reads both forms of apt's sources.
func systemArchives() ([]archive, error) {
	const folder = "/etc/apt"
	var archives []archive
	for _, form := range []struct {
		pattern string
		parse   func(string) []archive
	}{
		{"sources.list", oneLine},
		{"sources.list.d/*.list", oneLine},
		{"sources.list.d/*.sources", deb822},
	} {
		files, err := filepath.Glob(filepath.Join(folder, form.pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			archives = append(archives, form.parse(string(text))...)
		}
	}
	return archives, nil
}

// oneLine parses "deb [options] uri suite components".
func oneLine(text string) []archive {
	var archives []archive
	for line := range strings.Lines(text) {
		line, options := cutOptions(line)
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != "deb" {
			continue
		}
		found := archive{uri: fields[1], suite: fields[2]}
		for _, option := range strings.Fields(options) {
			if key, isKey := strings.CutPrefix(option, "signed-by="); isKey {
				found.signedBy = key
			}
		}
		archives = append(archives, found)
	}
	return archives
}

func cutOptions(line string) (rest, options string) {
	before, after, found := strings.Cut(line, "[")
	options, after, closed := strings.Cut(after, "]")
	if !found || !closed {
		return line, ""
	}
	return before + after, options
}

// deb822 parses stanzas of "Field: value".
func deb822(text string) []archive {
	var archives []archive
	for stanza := range strings.SplitSeq(text, "\n\n") {
		fields := map[string]string{}
		for line := range strings.Lines(stanza) {
			name, value, found := strings.Cut(line, ":")
			if found && !strings.HasPrefix(line, "#") {
				fields[strings.ToLower(name)] = strings.TrimSpace(value)
			}
		}
		if !slices.Contains(strings.Fields(fields["types"]), "deb") || fields["enabled"] == "no" {
			continue
		}
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, name := range strings.Fields(fields["suites"]) {
				archives = append(archives, archive{uri, name, fields["signed-by"]})
			}
		}
	}
	return archives
}
