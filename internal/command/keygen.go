package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"libsslcache/internal/store/keyfile"
)

func newKeygen() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen",
		Short: "Print a new key for the shared store",
		Long: `Prints a new line for the file that SSLCACHE_STORE_KEY names: a key that seals the sessions
in the shared store. The first key of the file seals, all of them open, so a new one goes on
top, and an old one stays below until the sessions that it has sealed have expired. The file
must be readable by its owner only.`,
		Example: `  (umask 077; sslcache keygen > keys)`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(command.OutOrStdout(), keyfile.Generate())
			return err
		},
	}
}
