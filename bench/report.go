package main

import (
	_ "embed"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed report.md.tmpl
var reportTemplate string

// line is one row of a table of what was measured.
type line struct {
	title  string
	libssl float64
	ours   float64
	unit   unit
}

func (l line) measured() bool { return !math.IsNaN(l.libssl) || !math.IsNaN(l.ours) }

// table is one group of lines.
type table struct {
	Title string
	lines []line
}

// report is what the template writes.
type report struct {
	Goals    string
	Tables   []renderedTable
	Machine  machine
	Date     string
	Duration time.Duration
	Rounds   int
	Profile  string // instructions of an operation; empty if this run is not a whole one
	results  results
}

type renderedTable struct {
	Title string
	Text  string
}

func newReport(r results, started time.Time, rounds int) report {
	result := report{
		Goals:    goalsTable(r.goals()),
		Machine:  readMachine(),
		Date:     started.UTC().Format("2006-01-02"),
		Duration: time.Since(started).Round(time.Second),
		Rounds:   rounds,
		results:  r,
	}
	for _, t := range r.tables() {
		if text := linesTable(t.lines); text != "" {
			result.Tables = append(result.Tables, renderedTable{t.Title, text})
		}
	}
	return result
}

func goalsTable(goals []goal) string {
	rows := [][]string{{"what", "libssl", "ours", "measured", "goal", "verdict"}}
	for _, g := range goals {
		rows = append(rows, []string{
			g.what, g.compared.write(g.libssl), g.compared.write(g.ours), g.number(), g.target(), g.verdict(),
		})
	}
	return markdown(rows)
}

// linesTable leaves out what this run did not measure.
func linesTable(lines []line) string {
	rows := [][]string{{"case", "libssl", "ours", "ours ÷ libssl"}}
	for _, l := range lines {
		if l.measured() {
			rows = append(rows, []string{
				l.title, l.unit.write(l.libssl), l.unit.write(l.ours), unit(ratios).write(l.ours / l.libssl),
			})
		}
	}
	if len(rows) == 1 {
		return ""
	}
	return markdown(rows)
}

// markdown aligns the columns, so that the table can be read on a terminal too.
func markdown(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var text strings.Builder
	for i, row := range rows {
		writeRow(&text, row, widths)
		if i == 0 {
			writeRule(&text, widths)
		}
	}
	return text.String()
}

func writeRow(text *strings.Builder, row []string, widths []int) {
	for i, cell := range row {
		text.WriteString("| " + cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+1))
	}
	text.WriteString("|\n")
}

func writeRule(text *strings.Builder, widths []int) {
	for _, width := range widths {
		text.WriteString("|" + strings.Repeat("-", width+2))
	}
	text.WriteString("|\n")
}

// print writes the tables alone.
func (r report) print(out io.Writer) error {
	text := "\n" + r.Goals
	for _, t := range r.Tables {
		text += "\n" + t.Title + "\n\n" + t.Text
	}
	_, err := io.WriteString(out, text)
	return err
}

// write makes performance.md and its pictures.
func (r report) write(folder string) error {
	page, err := template.New("report").Parse(reportTemplate)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := page.Execute(&text, r); err != nil {
		return err
	}
	if err := drawPlots(r.results, folder); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "performance.md"), []byte(text.String()), 0o644)
}
