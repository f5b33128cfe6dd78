package command

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"libsslcache/internal/report"
)

func newRun() *cobra.Command {
	var started launch
	var output string
	var asJSON bool
	command := &cobra.Command{
		Use:   "run [flags] [--] PROGRAM [ARGUMENT...]",
		Short: "Run a program and report on its TLS sessions",
		Long: `Runs a program with libsslcache.so preloaded, and reports at its end on the TLS sessions of
all its processes: what was stored and found, what was resumed, and what looks wrong.

The program gets the terminal, the signals and the environment as they are, with another
LD_PRELOAD kept. Signals that a terminal sends to all processes of its foreground are left to
the terminal. Processes that the program leaves behind go on; the report is about what they
did until then, unless --wait is given: then it waits for them, or for SIGINT or SIGTERM.

Each setting is a flag, and a variable of the environment too.`,
		Example: `  sslcache run -- nginx -g 'daemon off;'
  sslcache run --tickets=off --fault=lookup=miss:1/3 -- python3 client.py
  sslcache run --trace trace.jsonl --size 100 -- ./server`,
		Args: needProgram,
		RunE: func(_ *cobra.Command, words []string) error {
			target, err := openOutput(output)
			if err != nil {
				return err
			}
			ended, err := started.run(words)
			if err != nil {
				return err
			}
			err = writeShort(target, ended.report, asJSON)
			complain("the report can't be written", err, target.Close())
			return endLike(ended.status)
		},
	}
	started.addFlags(command)
	command.Flags().StringVarP(&output, "output", "o", "", "write the report to this `FILE` (default: standard error)")
	command.Flags().BoolVar(&asJSON, "json", false, "report in JSON")
	return command
}

func needProgram(_ *cobra.Command, words []string) error {
	if len(words) == 0 {
		return fail(statusUsage, "there is no program to run: sslcache run [flags] -- PROGRAM [ARGUMENT...]")
	}
	return nil
}

// standard is standard error, which stays open.
type standard struct{ io.Writer }

func (standard) Close() error { return nil }

// openOutput opens the file of a report; "" is standard error.
func openOutput(path string) (io.WriteCloser, error) {
	if path == "" {
		return standard{os.Stderr}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fail(statusUsage, "the report can't be written: %v", err)
	}
	return file, nil
}

func writeShort(target io.Writer, made *report.Report, asJSON bool) error {
	switch {
	case made == nil:
		say(noTrace)
		return nil
	case asJSON:
		return made.WriteJSON(target)
	default:
		return made.WriteText(target)
	}
}
