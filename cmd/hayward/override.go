package main

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

func (c *cli) overrideCommand() *cobra.Command {
	cmd := noun("override", "Keep the tenant's own values of config keys", c.overrideList(), c.overrideGet(), c.configSet(true), c.configDelete(true))
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) overrideList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the tenant's own values", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Overrides(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return overrideTable(w, list) })
		})}
}

func (c *cli) overrideGet() *cobra.Command {
	return &cobra.Command{Use: "get KEY", Short: "Read the tenant's own value of a key", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			o, err := cl.Override(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(o, func(w io.Writer) error { return overrideTable(w, []client.Override{o}) })
		})}
}

func overrideTable(w io.Writer, list []client.Override) error {
	rows := make([][]string, len(list))
	for i, o := range list {
		rows[i] = []string{o.Key, short(string(o.Value)), strconv.FormatInt(o.Version, 10), moment(o.UpdatedAt)}
	}
	return tui.Table(w, []string{"KEY", "VALUE", "VERSION", "SET"}, rows)
}
