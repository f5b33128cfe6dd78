package command

import (
	"github.com/spf13/cobra"

	"libsslcache/internal/command/program"
)

// running is one call of `run`.
type running struct {
	launch
	output
}

func newRun() *cobra.Command {
	runs := &running{}
	command := &cobra.Command{
		Use:   "run [flags] [--] PROGRAM [ARGUMENT...]",
		Short: "Run a program and report on its TLS sessions",
		Long: `Runs a program with libsslcache.so preloaded, and reports at its end on the TLS sessions of
all its processes: what was stored and found, what was resumed, and what looks wrong.

The program takes the place of sslcache: it has its process id, its parent, the terminal, every
signal and the environment as they are, with another LD_PRELOAD kept. A process beside it reads
the trace and makes the report, which is there when the program has ended; where the program
ends by a signal, by _exit(2) or without TLS, it comes a moment later. Processes that the
program leaves behind go on, and the report is about what they did until then.

With --wait sslcache stays, as the parent of the program: it hands signals on, and ends when the
report is written and nobody is left, or with SIGHUP, SIGINT, SIGQUIT or SIGTERM after the
program. A script that reads the report wants that.

Exit status: that of the program, 128 and the number of the signal that ended it under --wait;
125 if sslcache failed, 126 if the program can't be executed, 127 if it is not found.

Each setting is a flag, and a variable of the environment too.`,
		Example: `  sslcache run -- nginx -g 'daemon off;'
  sslcache run --wait -o report.txt -- ./service start
  sslcache run --tickets=off --fault=lookup=miss:1/3 -- python3 client.py
  sslcache run --store valkey://localhost --store-key keys -- ./server
  sslcache run --trace trace.jsonl --json -o report.json -- ./server`,
		Args: needProgram,
		RunE: func(_ *cobra.Command, words []string) error { return runs.run(words) },
	}
	runs.addFlags(command)
	runs.addReportFlags(command)
	return command
}

// addReportFlags gives a command the flags that say where its report goes.
func (o *output) addReportFlags(command *cobra.Command) {
	command.Flags().StringVarP(&o.path, "output", "o", "", "write the report to this `FILE` (default: standard error)")
	command.Flags().BoolVar(&o.asJSON, "json", false, "report in JSON")
	groupOutput.add(command.Flags(), "output", "json")
}

func (r *running) run(words []string) error {
	if r.wait {
		return r.runAsChild(words)
	}
	ready, err := r.prepare(words)
	if err != nil {
		return err
	}
	target, err := r.output.open()
	if err != nil {
		return err
	}
	fifo, failed, err := follow(r.output, target, ready.copy)
	if err != nil {
		return notCollected(err)
	}
	ready.traceTo(fifo)
	err = program.Replace(ready.path, ready.words, ready.environment)
	failed()
	return err
}

// runAsChild runs the program as a child.
func (r *running) runAsChild(words []string) error {
	target, err := r.output.open()
	if err != nil {
		return err
	}
	ended, err := r.launch.run(words)
	if err != nil {
		return err
	}
	complain(r.output.write(target, ended.report))
	return silentFailure(ended.status.Code())
}

func needProgram(command *cobra.Command, words []string) error {
	if len(words) == 0 {
		return fail(program.StatusOwn, "there is no program to run: sslcache %s [flags] -- PROGRAM [ARGUMENT...]", command.Name())
	}
	return nil
}
