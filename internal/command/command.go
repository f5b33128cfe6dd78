// Package command is the command line of sslcache.
package command

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"libsslcache/internal/command/printable"
	"libsslcache/internal/command/program"
)

// The exit statuses of sslcache itself. A command that runs a program hands on that of the program, and
// program.StatusOwn and its kin say that there is none.
const (
	statusFailed = 1
	statusUsage  = 2
)

// failure is an error with the exit status that it leads to. One without a message has been told.
type failure struct {
	status  int
	message string
}

func (f *failure) Error() string { return f.message }

func fail(status int, format string, values ...any) error {
	return &failure{status: status, message: fmt.Sprintf(format, values...)}
}

// silentFailure returns the end with a status that needs no further word.
func silentFailure(status int) error {
	if status == 0 {
		return nil
	}
	return &failure{status: status}
}

// Run runs sslcache with these arguments and returns its exit status.
func Run(version string, arguments []string) int {
	root := New(version)
	root.SetArgs(arguments)
	command, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	if err.Error() != "" {
		say(err.Error())
	}
	return statusOf(err, command)
}

func statusOf(err error, command *cobra.Command) int {
	var own *failure
	var notStarted *program.Error
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &notStarted):
		return notStarted.Status
	case runsProgram(command):
		return program.StatusOwn
	default:
		return statusUsage
	}
}

// runsProgram reports whether the exit status of a command is that of a program.
func runsProgram(command *cobra.Command) bool {
	return command.Name() == "run" || command.Name() == "check"
}

// say writes one line of ours to standard error.
func say(message string) { fmt.Fprintf(os.Stderr, "sslcache: %s\n", printable.Line(message)) }

// New returns the whole command line.
func New(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "sslcache",
		Short: "See, limit, disturb and check the TLS sessions of a program",
		Long: `sslcache runs a program with libsslcache.so preloaded, which keeps the TLS sessions of
OpenSSL in a cache of its own. The program stays as it is, and its sessions can be
watched, limited, made to fail, and checked.`,
		Version:           version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return command.Help()
		},
	}
	root.SetVersionTemplate("sslcache {{.Version}}\n")
	root.AddCommand(newRun(), newCheck(), newReport(), newTop(), newKeygen(), newCollect())
	root.SetFlagErrorFunc(refuse)
	root.SetUsageTemplate(usage)
	return root
}
