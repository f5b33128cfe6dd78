package command

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"libsslcache/internal/command/program"
	"libsslcache/internal/command/report"
	"libsslcache/internal/command/trace"
)

// reporting is one call of `report`.
type reporting struct {
	output string
	asJSON bool
	asText bool
}

func newReport() *cobra.Command {
	var asked reporting
	command := &cobra.Command{
		Use:   "report [flags] TRACE",
		Short: "Show a trace as a page, as text, or as JSON",
		Long: `Shows the trace of a run ("sslcache run --trace", or SSLCACHE_TRACE) as one HTML file that
needs no network: sessions and resumption over time, latency, the life of a session, who
called, and what looks wrong. With --text or --json it shows the same figures otherwise.
TRACE may be - for standard input.

A trace that breaks off in its last line is shown up to there, with a line that says so and
exit status 1. What is no trace is not shown.`,
		Example: `  sslcache report trace.jsonl -o report.html
  sslcache report trace.jsonl --json | jq .findings`,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) != 1 {
				return fail(statusUsage, "report takes one TRACE, not %d", len(words))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, words []string) error { return asked.run(words[0]) },
	}
	command.Flags().StringVarP(&asked.output, "output", "o", "", "write to this `FILE` (default: standard output)")
	command.Flags().BoolVar(&asked.asJSON, "json", false, "write JSON")
	command.Flags().BoolVar(&asked.asText, "text", false, "write a few lines of text")
	command.MarkFlagsMutuallyExclusive("json", "text")
	return command
}

func (r *reporting) run(path string) error {
	source, err := openSource(path)
	if err != nil {
		return err
	}
	defer source.Close()
	result, incomplete := report.Read(source)
	if incomplete != nil && !errors.Is(incomplete, trace.ErrTruncated) {
		return fail(statusFailed, "%s, %v", path, incomplete)
	}
	if err := r.write(result); err != nil {
		return fail(statusFailed, "the report can't be written: %v", program.Cause(err))
	}
	if incomplete != nil {
		return fail(statusFailed, "%s, %v: the report is about what comes before", path, incomplete)
	}
	return nil
}

func openSource(path string) (io.ReadCloser, error) {
	if path == "-" {
		return os.Stdin, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fail(statusFailed, "the trace can't be read from %s: %v", path, program.Cause(err))
	}
	return file, nil
}

func (r *reporting) write(result *report.Report) error {
	target := os.Stdout
	if r.output != "" {
		file, err := os.Create(r.output)
		if err != nil {
			return err
		}
		target = file
	}
	return firstOf(r.format(target, result), target.Close())
}

func (r *reporting) format(target io.Writer, result *report.Report) error {
	switch {
	case r.asJSON:
		return result.WriteJSON(target)
	case r.asText:
		return result.WriteText(target)
	default:
		return result.WriteHTML(target)
	}
}
