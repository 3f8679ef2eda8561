package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
)

func (c *cli) userCommand() *cobra.Command {
	cmd := noun("user", "Create, list and change users", c.userCreate(), c.userList(), c.userPassword(), c.userDisable(true), c.userDisable(false), c.userRoles())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) userCreate() *cobra.Command {
	var n client.NewUser
	var pw passwordFlags
	cmd := &cobra.Command{Use: "create NAME", Short: "Create a user", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			n.Username = args[0]
			var err error
			if n.Password, err = pw.read(ctx, c.in, c.err, "Password of "+n.Username, true); err != nil {
				return err
			}
			u, err := cl.CreateUser(ctx, n)
			if err != nil {
				return err
			}
			return c.print(u, func(w io.Writer) error { return say(w, "user %s created (%s)", u.Username, u.ID) })
		})}
	f := cmd.Flags()
	f.StringVar(&n.Tenant, "tenant", "", "slug of the tenant (default: your own)")
	f.StringSliceVar(&n.Roles, "role", nil, "viewer, runner, editor or admin; may be repeated")
	f.BoolVar(&n.Operator, "operator", false, "an operator, outside every tenant")
	f.StringVar(&n.FullName, "full-name", "", "name for people")
	f.StringVar(&n.Email, "email", "", "address")
	pw.add(f, "password")
	return cmd
}

func (c *cli) userList() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{Use: "list", Short: "List a tenant's users", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Users(ctx, tenant)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, u := range list {
					rows[i] = []string{u.Username, strings.Join(u.Roles, ", "), state(u.Disabled, "disabled"), u.FullName, u.Email, moment(u.CreatedAt)}
				}
				return tui.Table(w, []string{"USER", "ROLES", "STATE", "NAME", "EMAIL", "CREATED"}, rows)
			})
		})}
	cmd.Flags().StringVar(&tenant, "tenant", "", "slug of the tenant (default: your own)")
	return cmd
}

func (c *cli) userPassword() *cobra.Command {
	var pw passwordFlags
	cmd := &cobra.Command{Use: "set-password NAME", Short: "Give a user a new password", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			password, err := pw.read(ctx, c.in, c.err, "New password of "+args[0], true)
			if err != nil {
				return err
			}
			if err := cl.SetPassword(ctx, args[0], password); err != nil {
				return err
			}
			return c.print(map[string]any{"username": args[0]}, func(w io.Writer) error { return say(w, "the password of %s is changed", args[0]) })
		})}
	pw.add(cmd.Flags(), "password")
	return cmd
}

func (c *cli) userDisable(disabled bool) *cobra.Command {
	use, short, done := "disable NAME", "Disable a user: nobody can log in with the name, and tokens end", "disabled"
	if !disabled {
		use, short, done = "enable NAME", "Let a disabled user log in again", "enabled"
	}
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.DisableUser(ctx, args[0], disabled); err != nil {
				return err
			}
			return c.print(map[string]any{"username": args[0], "disabled": disabled}, func(w io.Writer) error { return say(w, "user %s %s", args[0], done) })
		})}
}

func (c *cli) userRoles() *cobra.Command {
	var tenant string
	var roles []string
	cmd := &cobra.Command{Use: "set-roles NAME --role ROLE", Short: "Replace a user's roles in a tenant", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if len(roles) == 0 {
				return fault.New(fault.Invalid, "no role is given").WithHint("--role viewer, runner, editor or admin")
			}
			if err := cl.SetRoles(ctx, args[0], tenant, roles); err != nil {
				return err
			}
			return c.print(map[string]any{"username": args[0], "roles": roles}, func(w io.Writer) error {
				return say(w, "user %s is %s", args[0], strings.Join(roles, ", "))
			})
		})}
	cmd.Flags().StringVar(&tenant, "tenant", "", "slug of the tenant (default: your own)")
	cmd.Flags().StringSliceVar(&roles, "role", nil, "viewer, runner, editor or admin; may be repeated")
	return cmd
}

// moment writes a time for a table; "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
