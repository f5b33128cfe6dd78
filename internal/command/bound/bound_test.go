package bound_test

import (
	"encoding/xml"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"libsslcache/internal/command/bound"
	"libsslcache/internal/command/finding"
	"libsslcache/internal/command/report"
	"libsslcache/internal/command/summary"
)

func reportOf(totals summary.Totals, findings ...finding.Finding) *report.Report {
	return &report.Report{Summary: &summary.Summary{Totals: totals}, Findings: findings}
}

func judge(limit bound.Bound, result *report.Report) bound.Verdict {
	return bound.Judge([]bound.Bound{limit}, result)[0]
}

func evicted(result *report.Report) uint64 { return result.Evicted }

var leak = finding.Finding{
	Kind: finding.LeakedReferences, Program: "demo", Seen: "3 references",
	Places: []finding.Place{{Function: "SSL_get1_session", Symbol: "serve"}},
}

func TestTheEdgeOfABoundIsInside(t *testing.T) {
	rate := minResumed(t, "90%")
	require.Equal(t, "held: --min-resumed=90%: 90% of 10 handshakes",
		judge(rate, reportOf(summary.Totals{Connections: 10, Resumed: 9})).String())
	require.Equal(t, "broken: --min-resumed=90%: 89.9% of 1000 handshakes",
		judge(rate, reportOf(summary.Totals{Connections: 1000, Resumed: 899})).String())
	most := bound.AtMost("max-evicted", "sessions evicted", 2, evicted)
	require.False(t, judge(most, reportOf(summary.Totals{Evicted: 2})).Broken)
	require.Equal(t, "broken: --max-evicted=2: 3 sessions evicted",
		judge(most, reportOf(summary.Totals{Evicted: 3})).String())
}

func TestABoundWithoutEvidenceIsBroken(t *testing.T) {
	require.True(t, judge(minResumed(t, "0"), reportOf(summary.Totals{})).Broken, "no handshake")
	require.True(t, judge(bound.NoLeaks(), nil).Broken, "no process with the library")
	lossy := reportOf(summary.Totals{})
	lossy.Lost = 4
	require.Equal(t, "broken: --no-leaks: it can't be told, since 4 events were lost", judge(bound.NoLeaks(), lossy).String())
}

func TestFindingsBreakTheirBounds(t *testing.T) {
	leaky := reportOf(summary.Totals{}, leak)
	noted := reportOf(summary.Totals{}, finding.Finding{Kind: finding.CacheNeverAsked})
	twice := reportOf(summary.Totals{}, finding.Finding{Kind: finding.AddedTwice})
	require.Equal(t, "broken: --no-leaks: leaked-references in demo: 3 references (SSL_get1_session called by serve)",
		judge(bound.NoLeaks(), leaky).String())
	require.True(t, judge(bound.NoFindings(), leaky).Broken)
	require.False(t, judge(bound.NoLeaks(), twice).Broken)
	require.True(t, judge(bound.NoFindings(), twice).Broken)
	require.False(t, judge(bound.NoFindings(), noted).Broken)
}

func minResumed(t *testing.T, text string) bound.Bound {
	t.Helper()
	part, err := bound.ParsePart(text)
	require.NoError(t, err)
	return bound.MinResumed(part, text)
}

func TestAPartIsReadAsPercentOrFraction(t *testing.T) {
	for text, part := range map[string]summary.Part{
		"90%": {Number: 90, Of: 100}, "0.9": {Number: 9, Of: 10}, "0": {Of: 1}, "100%": {Number: 100, Of: 100},
		"1": {Number: 1, Of: 1}, "99.95%": {Number: 9995, Of: 10000}, "1.0": {Number: 10, Of: 10},
	} {
		read, err := bound.ParsePart(text)
		require.NoError(t, err, text)
		require.Equal(t, part, read, text)
	}
	for _, text := range []string{"", "%", "90", "-1%", "101%", "NaN", "many", "1.1", ".", ".5", "0.+5", "0.12345678901", "1e-1"} {
		_, err := bound.ParsePart(text)
		require.ErrorContains(t, err, "must be a part such as 90% or 0.9", text)
	}
}

// What a part is of need not be a number that a computer has.
func TestTheEdgeOfAPartIsExact(t *testing.T) {
	for _, test := range []struct {
		text        string
		resumed, of uint64
		broken      bool
	}{
		{"99.9%", 999, 1000, false},
		{"99.9%", 998, 999, true},
		{"58%", 58, 100, false},
		{"0.58", 57, 100, true},
		{"33.3%", 1, 3, false},
		{"33.4%", 1, 3, true},
		{"100%", 10, 10, false},
	} {
		verdict := judge(minResumed(t, test.text), reportOf(summary.Totals{Connections: test.of, Resumed: test.resumed}))
		require.Equal(t, test.broken, verdict.Broken, "%v", test)
	}
}

func TestNoBoundHoldsOfATraceThatIsBroken(t *testing.T) {
	broken := reportOf(summary.Totals{Connections: 1, Resumed: 1})
	broken.Incomplete = "line 7: not an event"
	require.Equal(t, "broken: --min-resumed=0: it can't be told, since the trace can't be read to its end: line 7: not an event",
		judge(minResumed(t, "0"), broken).String())
}

func TestJUnitHasATestForEachVerdict(t *testing.T) {
	var text strings.Builder
	require.NoError(t, bound.WriteJUnit(&text, "a<b", 1.5, []bound.Verdict{
		{Name: "--no-leaks", Says: "none"}, {Name: "--max-evicted=0", Broken: true, Says: `3 "sessions"`},
	}))
	var read struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Class   string `xml:"classname,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text.String()), &read))
	require.Equal(t, 2, read.Tests)
	require.Equal(t, 1, read.Failures)
	require.Equal(t, "a<b", read.Cases[0].Class)
	require.Nil(t, read.Cases[0].Failure)
	require.Equal(t, `3 "sessions"`, read.Cases[1].Failure.Message)
}

// full is a device that has room for a few bytes more.
type full struct{ room int }

func (f *full) Write(text []byte) (int, error) {
	written := min(f.room, len(text))
	f.room -= written
	if written < len(text) {
		return written, syscall.ENOSPC
	}
	return written, nil
}

func TestJUnitThatCannotBeWrittenToItsEnd(t *testing.T) {
	var text strings.Builder
	require.NoError(t, bound.WriteJUnit(&text, "a", 1.5, nil))
	for room := range text.Len() {
		require.ErrorIs(t, bound.WriteJUnit(&full{room}, "a", 1.5, nil), syscall.ENOSPC, room)
	}
	require.NoError(t, bound.WriteJUnit(&full{text.Len()}, "a", 1.5, nil))
}
