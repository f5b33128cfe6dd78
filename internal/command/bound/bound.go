// Package bound holds a run of a program to bounds on its TLS sessions.
package bound

import (
	"fmt"
	"strconv"
	"strings"

	"libsslcache/internal/command/finding"
	"libsslcache/internal/command/report"
	"libsslcache/internal/command/summary"
)

// Bound is one thing that must hold of a run.
type Bound struct {
	Name  string // as one asks for it: --min-resumed=90%
	judge func(*report.Report) (broken bool, says string)
}

// Verdict is what became of a bound.
type Verdict struct {
	Name   string
	Broken bool
	Says   string // what was seen instead, or as asked for
}

// String is the verdict as one line.
func (v Verdict) String() string {
	word := "held"
	if v.Broken {
		word = "broken"
	}
	return fmt.Sprintf("%s: %s: %s", word, v.Name, v.Says)
}

// Judge holds a run to the bounds. Of a run that no process reported of, nil, no bound holds, and none of a trace
// that can't be read to its end.
func Judge(bounds []Bound, result *report.Report) []Verdict {
	verdicts := []Verdict{}
	for _, bound := range bounds {
		verdict := Verdict{Name: bound.Name, Broken: true}
		switch {
		case result == nil:
			verdict.Says = "libsslcache.so saw no TLS in the program"
		case result.Incomplete != "":
			verdict.Says = "it can't be told, since the trace can't be read to its end: " + result.Incomplete
		default:
			verdict.Broken, verdict.Says = bound.judge(result)
		}
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}

// Broken counts the bounds that did not hold.
func Broken(verdicts []Verdict) int {
	count := 0
	for _, verdict := range verdicts {
		if verdict.Broken {
			count++
		}
	}
	return count
}

// mostDecimals is how many of them a part may have.
const mostDecimals = 9

// ParsePart reads a part of a whole: 90%, 0.9.
func ParsePart(text string) (summary.Part, error) {
	digits, percent := strings.CutSuffix(text, "%")
	whole, decimals, _ := strings.Cut(digits, ".")
	part := summary.Part{Of: 1}
	for range decimals {
		part.Of *= 10
	}
	var err error
	if part.Number, err = strconv.ParseUint(whole+decimals, 10, 64); percent {
		part.Of *= 100
	}
	if err != nil || whole == "" || len(decimals) > mostDecimals || part.Number > part.Of {
		return part, fmt.Errorf("must be a part such as 90%% or 0.9, not '%s'", text)
	}
	return part, nil
}

// MinResumed asks that at least a part of all handshakes resumed a session: the part, and as it was asked for.
func MinResumed(part summary.Part, text string) Bound {
	return Bound{
		Name: "--min-resumed=" + text,
		judge: func(result *report.Report) (bool, string) {
			rate, known := result.Rate()
			if !known {
				return true, "no handshake was completed"
			}
			return rate.Below(part), fmt.Sprintf("%s of %d handshakes", rate, result.Connections)
		},
	}
}

// AtMost asks that a counter does not exceed a number.
func AtMost(name, noun string, most uint64, count func(*report.Report) uint64) Bound {
	return Bound{
		Name: fmt.Sprintf("--%s=%d", name, most),
		judge: func(result *report.Report) (bool, string) {
			return count(result) > most, fmt.Sprintf("%d %s", count(result), noun)
		},
	}
}

// NoLeaks asks that the program gave back every reference to a session that it took.
func NoLeaks() Bound {
	return without("--no-leaks", func(found finding.Finding) bool { return found.Name == finding.LeakedReferences.Name })
}

// NoFindings asks that nothing looks wrong. A note does not.
func NoFindings() Bound {
	return without("--no-findings", func(found finding.Finding) bool { return found.Severity != finding.Note })
}

func without(name string, unwanted func(finding.Finding) bool) Bound {
	return Bound{
		Name: name,
		judge: func(result *report.Report) (bool, string) {
			var seen []string
			for _, found := range result.Findings {
				if unwanted(found) {
					seen = append(seen, line(found))
				}
			}
			switch {
			case len(seen) > 0:
				return true, strings.Join(seen, "; ")
			case result.Lost > 0:
				return true, fmt.Sprintf("it can't be told, since %d events were lost", result.Lost)
			default:
				return false, "none"
			}
		},
	}
}

// line is a finding with the first of its places.
func line(found finding.Finding) string {
	text := fmt.Sprintf("%s in %s: %s", found.Name, found.Program, found.Seen)
	if len(found.Places) > 0 {
		text += fmt.Sprintf(" (%s)", found.Places[0])
	}
	return text
}
