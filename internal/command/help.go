package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// group is the heading under which help shows a flag.
type group string

// The groups, in the order of help.
const (
	groupBounds  group = "Bounds"
	groupRunning group = "Running"
	groupSetting group = "Settings"
	groupSharing group = "Sharing"
	groupOutput  group = "Output"
)

var groups = []group{groupBounds, groupRunning, groupSetting, groupSharing, groupOutput}

const annotation = "group"

// add puts flags into the group.
func (g group) add(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, annotation, []string{string(g)}); err != nil {
			panic(err) // there is no such flag
		}
	}
}

// groupOf is the group of a setting.
func groupOf(variable string) group {
	switch {
	case strings.HasPrefix(variable, "SSLCACHE_STORE"), variable == "SSLCACHE_APP":
		return groupSharing
	case variable == traceVariable:
		return groupOutput
	default:
		return groupSetting
	}
}

// usages shows the flags of a command by group. One without a group is among those that are left, at the end.
func usages(flags *pflag.FlagSet) string {
	sets := map[group]*pflag.FlagSet{}
	flags.VisitAll(func(flag *pflag.Flag) {
		var name group
		if of := flag.Annotations[annotation]; len(of) > 0 {
			name = group(of[0])
		}
		if sets[name] == nil {
			sets[name] = &pflag.FlagSet{SortFlags: false}
		}
		sets[name].AddFlag(flag)
	})
	var text strings.Builder
	for _, name := range append(slices.Clone(groups), "") {
		if sets[name] == nil {
			continue
		}
		heading := string(name)
		if heading == "" {
			heading = "Flags"
		}
		fmt.Fprintf(&text, "\n%s:\n%s", heading, sets[name].FlagUsages())
	}
	return text.String()
}

func init() { cobra.AddTemplateFunc("usages", usages) }

const usage = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
{{usages .LocalFlags}}{{end}}{{if .HasAvailableSubCommands}}
Use "{{.CommandPath}} [command] --help" for more about a command.
{{end}}`

// refuse says what is wrong with a flag in words of the command line.
func refuse(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	flag := invalid.GetFlag()
	return fmt.Errorf("--%s takes %s, not '%s'", flag.Name, kindOf(flag), invalid.GetValue())
}

func kindOf(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "uint64", "int":
		return "a whole number"
	case "duration":
		return "a time such as 500ms or 2s"
	case "bool":
		return "true or false"
	default:
		return flag.Value.Type()
	}
}
