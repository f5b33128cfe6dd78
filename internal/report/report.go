// Package report shows what is in a trace: as a few lines of text, as JSON, and as a page of HTML.
package report

import (
	"encoding/json"
	"errors"
	"io"

	"libsslcache/internal/finding"
	"libsslcache/internal/summary"
	"libsslcache/internal/trace"
)

// Report is all that there is to show of a trace.
type Report struct {
	*summary.Summary
	Findings []finding.Finding `json:"findings"`
}

// Read reads a whole trace. Where the trace can't be read to its end, the report is of what comes before,
// and the error says where and why; there is no report of a trace that can't be read at all.
func Read(source io.Reader) (*Report, error) {
	reader := trace.NewReader(source)
	collector, watcher := summary.NewCollector(), finding.NewWatcher()
	var event trace.Event
	var err error
	for err = reader.Next(&event); err == nil; err = reader.Next(&event) {
		collector.Observe(&event)
		watcher.Observe(&event)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	summed := collector.Summary()
	if summed.Events == 0 {
		return nil, err
	}
	return &Report{Summary: summed, Findings: watcher.Findings()}, err
}

// WriteJSON writes the report for another program to read.
func (r *Report) WriteJSON(target io.Writer) error {
	encoder := json.NewEncoder(target)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
