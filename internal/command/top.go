package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"libsslcache/internal/command/live"
	"libsslcache/internal/command/printable"
	"libsslcache/internal/command/program"
	"libsslcache/internal/command/settings"
)

// watching is one call of `top`.
type watching struct {
	folder   string
	interval time.Duration
	once     bool
	asJSON   bool
	metrics  bool
	process  int // 0: all
}

const runFolderVariable = "SSLCACHE_RUN_FOLDER"

func newTop() *cobra.Command {
	var asked watching
	command := &cobra.Command{
		Use:   "top [flags] [PID]",
		Short: "Watch running programs",
		Long: `Shows what the caches of running processes hold and do, on a screen that refreshes, or, where
there is no terminal, once. With a
PID it shows that process, a line for each of its contexts. Only processes that were started
with --live (SSLCACHE_LIVE=1), by this user, are seen. What is a forked child's own is counted, and
not what it has inherited.

Sockets that dead processes left in the run folder are taken away. A run folder that is not of
this user alone is not believed.`,
		Example: `  sslcache run --live -- nginx -g 'daemon off;' & sslcache top
  sslcache top --once --json | jq .
  sslcache top --metrics > /var/lib/node_exporter/sslcache.prom`,
		Args: func(_ *cobra.Command, words []string) error { return asked.take(words) },
		RunE: func(*cobra.Command, []string) error { return asked.run(os.Stdout) },
	}
	flags := command.Flags()
	flags.StringVar(&asked.folder, "run-folder", "", "the `FOLDER` of the sockets [SSLCACHE_RUN_FOLDER]")
	flags.DurationVar(&asked.interval, "interval", time.Second, "the `TIME` between two looks")
	flags.BoolVar(&asked.once, "once", false, "print the table once")
	flags.BoolVar(&asked.asJSON, "json", false, "print what the processes answer as JSON, once")
	flags.BoolVar(&asked.metrics, "metrics", false, "print the counters in the Prometheus text format, once")
	command.MarkFlagsMutuallyExclusive("json", "metrics")
	return command
}

// take reads the arguments.
func (w *watching) take(words []string) error {
	if len(words) > 1 {
		return fail(statusUsage, "top takes one PID, not %d", len(words))
	}
	if len(words) == 0 {
		return nil
	}
	number, err := strconv.Atoi(words[0])
	if err != nil || number < 1 {
		return fail(statusUsage, "top takes the id of a process, not '%s'", words[0])
	}
	w.process = number
	return nil
}

func (w *watching) run(target io.Writer) error {
	if w.interval <= 0 {
		return fail(statusUsage, "--interval must be a time above 0, not '%s'", w.interval)
	}
	folder, err := w.runFolder()
	if err != nil {
		return err
	}
	source := w.source(folder)
	if !w.once && !w.asJSON && !w.metrics && isTerminal(os.Stdin) && isTerminal(os.Stdout) {
		return live.ShowScreen(source, w.interval, w.process != 0, os.Stdin, os.Stdout)
	}
	processes, problems := source()
	for _, problem := range problems {
		say(problem.Error())
	}
	if len(problems) > 0 && len(processes) == 0 {
		return silentFailure(statusFailed)
	}
	if err := w.print(target, processes); err != nil {
		return err
	}
	return silentFailure(min(len(problems), statusFailed))
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

// runFolder lets the library's parser judge the folder, as that of a run.
func (w *watching) runFolder() (string, error) {
	environment := os.Environ()
	if w.folder != "" {
		environment = program.Set(environment, runFolderVariable, w.folder)
	}
	read, err := settings.Read(environment)
	if err != nil {
		return "", fail(statusUsage, "%v", err)
	}
	return live.Folder(read.RunFolder), nil
}

func (w *watching) source(folder string) live.Source {
	if w.process == 0 {
		return func() ([]*live.Process, []error) { return live.List(folder) }
	}
	return func() ([]*live.Process, []error) {
		process, err := live.Ask(folder, w.process)
		if err != nil {
			return nil, []error{fmt.Errorf("process %d does not serve its counters in %s: %w", w.process, folder, program.Cause(err))}
		}
		return []*live.Process{process}, nil
	}
}

func (w *watching) print(target io.Writer, processes []*live.Process) error {
	switch {
	case w.metrics:
		return live.WriteMetrics(target, processes)
	case w.asJSON:
		return printJSON(target, processes)
	default:
		return live.View{Processes: processes}.WriteTable(target, w.process != 0)
	}
}

// printJSON prints all that the processes answered, also what this command does not know.
func printJSON(target io.Writer, processes []*live.Process) error {
	documents := []json.RawMessage{}
	for _, process := range processes {
		documents = append(documents, process.Document)
	}
	encoder := json.NewEncoder(printable.JSON(target))
	encoder.SetIndent("", "  ")
	return encoder.Encode(documents)
}
