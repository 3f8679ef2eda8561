package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/fault"
)

func (c *cli) backupCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "backup FILE", Short: "Write an encrypted backup of the data while the server serves (operators)", Args: cobra.ExactArgs(1),
		Long: "Writes all data into one new file, encrypted. It holds no keys: back those up apart, with 'key export'. Destroying a tenant's\n" +
			"keys reaches every backup there is.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := toFile(args[0], func(w io.Writer) error { return cl.Backup(ctx, w) }); err != nil {
				return err
			}
			return c.print(map[string]string{"file": args[0]}, func(w io.Writer) error { return say(w, "the data is in %s", args[0]) })
		})}
	c.addServer(cmd.Flags())
	return cmd
}

func (c *cli) restoreCommand() *cobra.Command {
	var d dataFlags
	var keys string
	cmd := &cobra.Command{Use: "restore FILE --keys FILE", Short: "Put a backup into an empty database", Args: cobra.ExactArgs(1),
		Long: "Puts a backup of the data, and the key backup that belongs to it, into an empty data directory (or, with --database-url, an\n" +
			"empty PostgreSQL database), which no server may be using. The root key must be the one that was in use when the keys were\n" +
			"backed up. The whole file is checked before anything is written. The record goes on in a new epoch.",
		RunE: c.do(func(cmd *cobra.Command, args []string) error {
			s, err := d.settings()
			if err != nil {
				return err
			}
			var keyFile []byte
			if keys != "" {
				text, err := readSmall(keys, "key backup")
				if err != nil {
					return err
				}
				keyFile = []byte(text)
			}
			f, err := os.Open(args[0])
			if err != nil {
				return fault.Wrap(fault.Invalid, err, "the backup cannot be read")
			}
			defer f.Close()
			sum, err := app.Restore(cmd.Context(), s, f, keyFile)
			if err != nil {
				return err
			}
			return c.print(sum, func(w io.Writer) error {
				return say(w, "%s restored, as they were at %s", plural(int(sum.Rows), "row"), moment(sum.CreatedAt))
			})
		})}
	d.add(cmd.Flags())
	cmd.Flags().StringVar(&keys, "keys", "", "the key backup; leave it out where the keys are in place already")
	return cmd
}
