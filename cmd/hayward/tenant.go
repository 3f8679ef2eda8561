package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

func (c *cli) tenantCommand() *cobra.Command {
	cmd := noun("tenant", "Create, list and suspend tenants (operators)", c.tenantCreate(), c.tenantList(), c.tenantSuspend(true), c.tenantSuspend(false))
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) tenantCreate() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "create SLUG", Short: "Create a tenant", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			t, err := cl.CreateTenant(ctx, args[0], name)
			if err != nil {
				return err
			}
			return c.print(t, func(w io.Writer) error { return say(w, "tenant %s created (%s)", t.Slug, t.ID) })
		})}
	cmd.Flags().StringVar(&name, "name", "", "name for people (default: the slug)")
	return cmd
}

func (c *cli) tenantList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the tenants", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Tenants(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, t := range list {
					rows[i] = []string{t.Slug, t.Name, state(t.Suspended, "suspended"), moment(t.CreatedAt), t.ID}
				}
				return tui.Table(w, []string{"SLUG", "NAME", "STATE", "CREATED", "ID"}, rows)
			})
		})}
}

func (c *cli) tenantSuspend(suspended bool) *cobra.Command {
	use, short, done := "suspend SLUG", "Suspend a tenant: its users can do nothing", "suspended"
	if !suspended {
		use, short, done = "resume SLUG", "Let a suspended tenant go on", "goes on"
	}
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.SuspendTenant(ctx, args[0], suspended); err != nil {
				return err
			}
			return c.print(map[string]any{"slug": args[0], "suspended": suspended}, func(w io.Writer) error {
				return say(w, "tenant %s %s", args[0], done)
			})
		})}
}

// say writes one line; what stands in it is cleaned.
func say(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintln(w, tui.Clean(fmt.Sprintf(format, args...)))
	return err
}

func state(is bool, word string) string {
	if is {
		return word
	}
	return "active"
}
