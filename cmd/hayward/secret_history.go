package main

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
)

// sharedFlag says that a command is about what the operator shares.
func sharedFlag(cmd *cobra.Command, shared *bool) {
	cmd.Flags().BoolVar(shared, "shared", false, "operators: the entry shared with every tenant")
}

// named is "" for everything, or the versions a command was about.
func named(versions []int64) string {
	if len(versions) == 0 {
		return ""
	}
	texts := make([]string, len(versions))
	for i, v := range versions {
		texts[i] = strconv.FormatInt(v, 10)
	}
	return ": version " + strings.Join(texts, ", ")
}

func (c *cli) secretHistory() *cobra.Command {
	var shared bool
	cmd := &cobra.Command{Use: "history NAME", Short: "List a secret's versions and what became of them, without values", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			h, err := cl.SecretHistory(ctx, args[0], shared)
			if err != nil {
				return err
			}
			return c.print(h, func(w io.Writer) error { return historyTable(w, h) })
		})}
	sharedFlag(cmd, &shared)
	return cmd
}

func historyTable(w io.Writer, h client.SecretHistory) error {
	rows := make([][]string, len(h.Versions))
	for i, v := range h.Versions {
		note := ""
		switch {
		case v.DestroyedAt != nil:
			note = "destroyed " + moment(*v.DestroyedAt)
		case v.RecoverBy != nil:
			note = "can be brought back until " + moment(*v.RecoverBy)
		case v.ExpiresAt != nil:
			note = "expires " + moment(*v.ExpiresAt)
		}
		rows[i] = []string{strconv.FormatInt(v.Version, 10), v.State, moment(v.CreatedAt), v.CreatedBy, note}
	}
	return tui.Table(w, []string{"VERSION", "STATE", "SET", "BY", ""}, rows)
}

func (c *cli) secretRollback() *cobra.Command {
	var to, ifVersion int64
	var shared bool
	cmd := &cobra.Command{Use: "rollback NAME --to VERSION", Short: "Set a secret to an earlier version's value, as a new version", Args: cobra.ExactArgs(1)}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		s, err := cl.RollbackSecret(ctx, args[0], shared, to, given(cmd.Flags(), "if-version", ifVersion))
		if err != nil {
			return err
		}
		return c.print(s, func(w io.Writer) error {
			return say(w, "%s is what version %d was, as version %d", s.Key, to, s.Version)
		})
	})
	rollbackFlags(cmd, &to, &ifVersion)
	sharedFlag(cmd, &shared)
	return cmd
}

func (c *cli) secretUndelete() *cobra.Command {
	var versions []int64
	var shared bool
	cmd := &cobra.Command{Use: "undelete NAME", Short: "Bring a deleted secret back, or single versions of it", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.UndeleteSecret(ctx, args[0], shared, versions...); err != nil {
				return err
			}
			return c.print(map[string]any{"key": args[0], "undeleted": true, "versions": versions}, func(w io.Writer) error {
				return say(w, "%s is back%s", args[0], named(versions))
			})
		})}
	cmd.Flags().Int64SliceVar(&versions, "version", nil, "bring this version back only; may be repeated")
	sharedFlag(cmd, &shared)
	return cmd
}

func (c *cli) secretDestroy() *cobra.Command {
	var versions []int64
	var shared, all bool
	cmd := &cobra.Command{Use: "destroy NAME --version N | --all", Short: "Remove values for good: nothing brings them back", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if all == (len(versions) > 0) {
				return fault.New(fault.Invalid, "say which versions to destroy, or --all").WithHint("for example --version 1 --version 2")
			}
			if err := cl.DestroySecret(ctx, args[0], shared, versions...); err != nil {
				return err
			}
			return c.print(map[string]any{"key": args[0], "destroyed": true, "versions": versions}, func(w io.Writer) error {
				return say(w, "%s is destroyed%s", args[0], named(versions))
			})
		})}
	cmd.Flags().Int64SliceVar(&versions, "version", nil, "destroy this version; may be repeated")
	cmd.Flags().BoolVar(&all, "all", false, "destroy every version")
	sharedFlag(cmd, &shared)
	return cmd
}

func (c *cli) secretKeep() *cobra.Command {
	var shared bool
	cmd := &cobra.Command{Use: "keep NAME COUNT", Short: "Set how many versions a secret keeps; 0 is the server's default", Args: cobra.ExactArgs(2),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 0 {
				return fault.New(fault.Invalid, "%q is not a number of versions", args[1])
			}
			if err := cl.SetMaxVersions(ctx, args[0], shared, n); err != nil {
				return err
			}
			return c.print(map[string]any{"key": args[0], "max_versions": n}, func(w io.Writer) error {
				if n == 0 {
					return say(w, "%s keeps as many versions as the server's default says", args[0])
				}
				return say(w, "%s keeps %s", args[0], plural(n, "version"))
			})
		})}
	sharedFlag(cmd, &shared)
	return cmd
}
