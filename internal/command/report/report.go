// Package report shows what is in a trace: as a few lines of text, as JSON, and as a page of HTML.
package report

import (
	"encoding/json"
	"errors"
	"io"

	"libsslcache/internal/command/finding"
	"libsslcache/internal/command/printable"
	"libsslcache/internal/command/registry"
	"libsslcache/internal/command/summary"
	"libsslcache/internal/command/trace"
)

// Report is all that there is to show of a trace.
type Report struct {
	*summary.Summary
	Findings   []finding.Finding `json:"findings"`
	Incomplete string            `json:"incomplete,omitempty"` // where the trace can't be read on, and why
}

// Read reads a whole trace. Where the trace can't be read to its end, the report is of what comes before,
// and the error says where and why; there is no report of a trace that can't be read at all.
func Read(source io.Reader) (*Report, error) {
	return ReadEach(source, func(*trace.Event) {})
}

// ReadEach reads a trace as Read does, and hands on each event.
func ReadEach(source io.Reader, use func(*trace.Event)) (*Report, error) {
	reader := trace.NewReader(source)
	collector, watcher := summary.NewCollector(), finding.NewWatcher()
	processes := registry.New(collector, watcher)
	var event trace.Event
	var err error
	for err = reader.Next(&event); err == nil; err = reader.Next(&event) {
		processes.Observe(&event)
		use(&event)
	}
	processes.Conclude()
	report := &Report{Summary: collector.Summary(), Findings: watcher.Findings()}
	if errors.Is(err, io.EOF) {
		return report, nil
	}
	if report.Events == 0 {
		return nil, err
	}
	report.Incomplete = err.Error()
	return report, err
}

// WriteJSON writes the report for another program to read.
func (r *Report) WriteJSON(target io.Writer) error {
	encoder := json.NewEncoder(printable.JSON(target))
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
