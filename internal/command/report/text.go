package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"libsslcache/internal/command/finding"
	"libsslcache/internal/command/printable"
)

// WriteText writes the report in a few lines for a person.
func (r *Report) WriteText(target io.Writer) error {
	var text strings.Builder
	text.WriteString(r.headline())
	row := func(name, format string, values ...any) {
		fmt.Fprintf(&text, "  %-12s "+format+"\n", append([]any{name}, values...)...)
	}
	row("connections", "%s", r.connections())
	row("sessions", "%d stored, %s, %d missed, %d replaced, %d expired, %d evicted, %d removed%s, %d cleared",
		r.Stored, r.found(), r.Missed, r.Replaced, r.Expired, r.Evicted, r.Removed, r.removals(), r.Cleared)
	if r.Opened+r.Unopened > 0 {
		row("tickets", "%d opened, %d refused (%d of them of a key that is not here)", r.Opened, r.Unopened, r.Unknown)
	}
	row("held", "at most %d at one time%s", r.Peak, r.lives())
	if tried := r.Data["resumed"] + r.Data["refused"] + r.Data["failed"]; tried > 0 {
		row("clients", "%s resumed, %d refused, %d broken off", number(r.Data["resumed"], "data connection", "data connections"),
			r.Data["refused"], r.Data["failed"])
	}
	for _, fallback := range r.Fallbacks {
		row("fall-back", "libssl keeps the sessions itself, %s: %s", times(fallback.Count), fallback.Cause)
	}
	if r.Incomplete != "" {
		row("incomplete", "the trace can't be read to its end: %s", r.Incomplete)
	}
	if r.Lost > 0 {
		row("lost", "%s, for which there was no room: what is counted here is too little", number(r.Lost, "event", "events"))
	}
	writeFindings(&text, r.Findings)
	_, err := io.WriteString(target, printable.Text(text.String()))
	return err
}

func (r *Report) headline() string {
	programs := strings.Join(r.Programs, ", ")
	if programs == "" {
		programs = "a program"
	}
	return fmt.Sprintf("%s: %s, %s (%s), %s\n", programs, Seconds(r.End-r.Begin),
		number(uint64(r.Processes), "process", "processes"), number(uint64(r.Forks), "fork", "forks"),
		number(r.Contexts, "context", "contexts"))
}

func (r *Report) connections() string {
	rate, known := r.Rate()
	if !known {
		return "none completed"
	}
	return fmt.Sprintf("%d, %d resumed (%s)", r.Connections, r.Resumed, rate)
}

// found says who found sessions: the cache, the shared store, or the program by a callback of its own.
func (r *Report) found() string {
	text := fmt.Sprintf("%d found", r.Found)
	if r.FoundInStore > 0 {
		text += fmt.Sprintf(", %d found in the store", r.FoundInStore)
	}
	if r.FoundByProgram > 0 {
		text += fmt.Sprintf(", %d found by the program itself", r.FoundByProgram)
	}
	return text
}

// removals says by what sessions were removed.
func (r *Report) removals() string {
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(r.RemovedBy)) {
		parts = append(parts, fmt.Sprintf("%d by %s", r.RemovedBy[cause], spaced(string(cause))))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func (r *Report) lives() string {
	if r.Life.Count == 0 {
		return ""
	}
	return fmt.Sprintf("; in the cache for %s in the middle, %s at most", Seconds(r.Life.Median), Seconds(r.Life.Greatest))
}

func writeFindings(text *strings.Builder, findings []finding.Finding) {
	if len(findings) == 0 {
		text.WriteString("  findings     none\n")
		return
	}
	for _, found := range findings {
		fmt.Fprintf(text, "\n%s: %s in %s: %s\n", found.Severity, found.Name, found.Program, found.Seen)
		for _, place := range found.Places {
			fmt.Fprintf(text, "    %s: %s\n", place, times(place.Count))
		}
		fmt.Fprintf(text, "    %s\n    What to do: %s\n", found.Meaning, found.Advice)
	}
}

// spaced returns a word of the trace with spaces.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

func number(count uint64, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}

func times(count uint64) string {
	if count == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", count)
}

// Seconds writes a time in the unit that suits it.
func Seconds(seconds float64) string {
	switch {
	case seconds < 1e-6:
		return fmt.Sprintf("%.0f ns", seconds*1e9)
	case seconds < 1e-3:
		return fmt.Sprintf("%.1f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.1f ms", seconds*1e3)
	case seconds < 120:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%.1f min", seconds/60)
	default:
		return fmt.Sprintf("%.1f h", seconds/3600)
	}
}
