package apps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Times, process ids, addresses, ids of sessions and Dovecot's own names of connections.
var figures = regexp.MustCompile(`session=<[^>]*>|0x[0-9a-f]+|[0-9a-f]{64}|[0-9]+`)

// normalise returns the lines of a log without the run's own folder and port, and without figures
// unless they are the same in every run.
func normalise(log string, s *site, exact bool) []string {
	var lines []string
	for line := range strings.Lines(log) {
		line = strings.ReplaceAll(strings.TrimSpace(line), s.folder, "FOLDER")
		if exact {
			line = strings.ReplaceAll(line, fmt.Sprint(s.port), "PORT")
		} else {
			line = figures.ReplaceAllString(line, "N")
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// differences says, in words, in what ours is not as libssl alone. None is what we want.
func differences(how comparison, alone, ours outcome) []string {
	var found []string
	complain := func(when bool, format string, arguments ...any) {
		if when {
			found = append(found, fmt.Sprintf(format, arguments...))
		}
	}
	complain(alone.failed > 0, "%d connections failed alone", alone.failed)
	complain(ours.failed > 0, "%d connections failed under ours", ours.failed)
	switch {
	case how.byWorker:
		// Chance decides which worker accepts, so each connection is judged by itself.
		complain(alone.misplaced > 0, "%d resumptions against the worker's own sessions alone", alone.misplaced)
		complain(ours.misplaced > 0, "%d resumptions against the worker's own sessions under ours", ours.misplaced)
		complain(alone.resumed == 0 || ours.resumed == 0, "no resumption to compare")
	case how.byChance:
		complain(ours.connections() != alone.connections(), "%d connections alone, %d under ours", alone.connections(), ours.connections())
	case how.timed:
		complain(ours.resumed == 0, "no resumption to compare")
		complain(ours.refused != alone.refused, "%d refused alone, %d under ours", alone.refused, ours.refused)
	default:
		complain(ours.resumed != alone.resumed, "%d resumed alone, %d under ours", alone.resumed, ours.resumed)
		complain(ours.refused != alone.refused, "%d refused alone, %d under ours", alone.refused, ours.refused)
	}
	complain(ours.fresh != alone.fresh, "%d without a session alone, %d under ours", alone.fresh, ours.fresh)
	complain(ours.exit != alone.exit, "it ended with %d alone, with %d under ours", alone.exit, ours.exit)
	complain(len(alone.left) > 0, "alone it left %v", alone.left)
	complain(len(ours.left) > 0, "under ours it left %v", ours.left)
	complain(len(alone.with) > 0, "alone has our library: %v", alone.with)
	complain(len(ours.with) == 0, "no process with libssl has our library")
	complain(how.stored && ours.counters.Stored == 0, "our cache stored nothing")
	complain(len(ours.without) > 0, "libssl without our library: %v", ours.without)
	for name, threads := range ours.threads {
		complain(alone.threads[name] == 1 && threads > 1, "%s has one thread alone, %d under ours", name, threads)
	}
	for _, line := range newLines(alone.log, ours.log) {
		complain(true, "new in the log: %s", line)
	}
	if how.exactOutput {
		for _, line := range newLines(ours.log, alone.log) {
			complain(true, "missing in the log: %s", line)
		}
	}
	return found
}

// newLines are those of the second log that the first has not, each once.
func newLines(first, second []string) []string {
	var lines []string
	for _, line := range second {
		if !slices.Contains(first, line) && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
