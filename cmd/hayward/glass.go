package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

func (c *cli) glassOpen() *cobra.Command {
	var reason string
	var length time.Duration
	cmd := &cobra.Command{Use: "break-glass TENANT --reason TEXT", Short: "Let a tenant go on although its record was changed (operators)", Args: cobra.ExactArgs(1),
		Long: "A tenant whose record was changed is refused everything, because nothing can be recorded where it belongs. While the glass is\n" +
			"broken, its entries go into a chain beside it, which begins with the reason. It gives nobody a right, and ends by itself.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			g, err := cl.BreakGlass(ctx, args[0], reason, length)
			if err != nil {
				return err
			}
			return c.print(g, func(w io.Writer) error { return say(w, "%s may go on until %s", args[0], moment(g.Until)) })
		})}
	cmd.Flags().StringVar(&reason, "reason", "", "why, in 10 characters at least; it is written into both records")
	cmd.Flags().DurationVar(&length, "for", time.Hour, "how long, 24h at most")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func (c *cli) glassClose() *cobra.Command {
	return &cobra.Command{Use: "close-glass TENANT", Short: "Close a tenant's break-glass before its time (operators)", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			g, err := cl.CloseGlass(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(g, func(w io.Writer) error { return say(w, "the break-glass of %s is closed", args[0]) })
		})}
}

func (c *cli) glassList() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{Use: "glasses", Short: "List the tenant's break-glasses, newest first", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Glasses(ctx, tenant)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, g := range list {
					state := "over"
					if g.Open {
						state = "open"
					}
					rows[i] = []string{g.ID, state, moment(g.OpenedAt), moment(g.Until), g.OpenedBy, g.Reason}
				}
				return tui.Table(w, []string{"GLASS", "STATE", "OPENED", "UNTIL", "BY", "WHY"}, rows)
			})
		})}
	cmd.Flags().StringVar(&tenant, "tenant", "", "operators: slug of the tenant")
	return cmd
}
