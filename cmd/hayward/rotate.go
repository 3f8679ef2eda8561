package main

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
)

func (c *cli) rotateCommand() *cobra.Command {
	cmd := noun("rotate", "Rotate secrets: now, or by policies on a schedule",
		c.rotateNow(), c.rotateSet(), c.rotateList(), c.rotateGet(), c.rotateDelete(), c.rotateHistory(), c.rotateStatus(), c.rotateAbandon())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) rotateNow() *cobra.Command {
	return &cobra.Command{Use: "now NAME", Short: "Rotate a secret now, by the rotator that its policy names", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			r, err := cl.RotateNow(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) error {
				return say(w, "%s is rotated: version %d is served, after %d", args[0], r.NewVersion, r.OldVersion)
			})
		})}
}

type rotateFlags struct {
	client.RotationPolicy
	params, window []string
	off            bool
	next           string
}

func (c *cli) rotateSet() *cobra.Command {
	var f rotateFlags
	cmd := &cobra.Command{Use: "set NAME --every DURATION --rotator KIND", Short: "Say how and when a secret is rotated", Args: cobra.ExactArgs(1),
		Long: "Says how and when a secret is rotated. A parameter of the rotator is NAME=VALUE, its value JSON or else text:\n" +
			"--param length=40. A window is when a rotation may begin: --window 'sat,sun 01:00-05:00' or --window 22:00-24:00.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			p, err := f.policy()
			if err != nil {
				return err
			}
			p, err = cl.SetRotation(ctx, args[0], p)
			if err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) error { return rotationTable(w, []client.RotationPolicy{p}) })
		})}
	fl := cmd.Flags()
	fl.StringVar(&f.Interval, "every", "", "from the end of one rotation to the next, such as 720h")
	fl.StringVar(&f.Rotator, "rotator", "", "random-password, random-token, or another kind; see 'rotate list'")
	fl.StringArrayVar(&f.params, "param", nil, "a parameter of the rotator, name=value; may be repeated")
	fl.StringVar(&f.Grace, "grace", "", "how long the former version stays valid, or none (default: a day, at most half of --every)")
	fl.StringVar(&f.Lifetime, "lifetime", "", "a new version expires so long after it is made")
	fl.StringArrayVar(&f.window, "window", nil, "when a rotation may begin; may be repeated (default: always)")
	fl.StringVar(&f.TimeZone, "time-zone", "", "of the windows, such as Europe/Berlin (default: UTC)")
	fl.StringVar(&f.next, "next", "", "when it is rotated first: a time such as 2027-01-31T00:00:00Z, or a duration from now")
	fl.BoolVar(&f.off, "off", false, "kept, but nothing happens by itself")
	_ = cmd.MarkFlagRequired("every")
	return cmd
}

func (f *rotateFlags) policy() (client.RotationPolicy, error) {
	p := f.RotationPolicy
	p.Enabled = !f.off
	var err error
	if p.Params, err = parameters(f.params); err != nil {
		return p, err
	}
	for _, text := range f.window {
		w, err := window(text)
		if err != nil {
			return p, err
		}
		p.Windows = append(p.Windows, w)
	}
	if f.next != "" {
		at, err := ahead(f.next)
		if err != nil {
			return p, err
		}
		p.NextRotationAt = &at
	}
	return p, nil
}

// ahead reads a time, or a duration from now.
func ahead(text string) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fault.New(fault.Invalid, "%q is neither a time nor a duration", text).WithHint("write for example 2027-01-31T00:00:00Z or 720h")
	}
	return at, nil
}

func parameters(items []string) (json.RawMessage, error) {
	if len(items) == 0 {
		return nil, nil
	}
	params := map[string]json.RawMessage{}
	for _, item := range items {
		name, text, ok := strings.Cut(item, "=")
		if !ok || name == "" {
			return nil, fault.New(fault.Invalid, "--param %q is not name=value", item)
		}
		params[name] = jsonArg(text, false)
	}
	return json.Marshal(params)
}

// window reads "sat,sun 01:00-05:00"; the server says what is wrong inside.
func window(text string) (client.RotationWindow, error) {
	var w client.RotationWindow
	days, hours, ok := strings.Cut(text, " ")
	if ok {
		w.Days = strings.Split(days, ",")
	} else {
		hours = text
	}
	if w.From, w.To, ok = strings.Cut(strings.TrimSpace(hours), "-"); !ok {
		return w, fault.New(fault.Invalid, "--window %q is not a window", text).WithHint("write for example 'sat,sun 01:00-05:00'")
	}
	return w, nil
}

func rotationTable(w io.Writer, list []client.RotationPolicy) error {
	rows := make([][]string, len(list))
	for i, p := range list {
		rows[i] = []string{p.SecretKey, p.Rotator, p.Interval, onOff(p.Enabled), sometime(p.LastRotatedAt), sometime(p.NextRotationAt)}
	}
	return tui.Table(w, []string{"SECRET", "ROTATOR", "EVERY", "STATE", "LAST", "NEXT"}, rows)
}

func sometime(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return moment(*t)
}

func (c *cli) rotateList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the tenant's rotation policies, and the rotators there are", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, kinds, err := cl.Rotations(ctx)
			if err != nil {
				return err
			}
			return c.print(map[string]any{"policies": list, "rotators": kinds}, func(w io.Writer) error {
				if err := rotationTable(w, list); err != nil {
					return err
				}
				return say(w, "rotators: %s", strings.Join(kinds, ", "))
			})
		})}
}

func (c *cli) rotateGet() *cobra.Command {
	return &cobra.Command{Use: "get NAME", Short: "Describe the rotation policy of a secret", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			p, err := cl.Rotation(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) error { return rotationTable(w, []client.RotationPolicy{p}) })
		})}
}

func (c *cli) rotateDelete() *cobra.Command {
	return &cobra.Command{Use: "delete NAME", Short: "Remove the rotation policy of a secret", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.DeleteRotation(ctx, args[0]); err != nil {
				return err
			}
			return c.print(map[string]any{"secret_key": args[0], "deleted": true}, func(w io.Writer) error {
				return say(w, "%s is not rotated by itself any more", args[0])
			})
		})}
}

func (c *cli) rotateHistory() *cobra.Command {
	var limit int
	cmd := &cobra.Command{Use: "history NAME", Short: "List what became of a secret's rotations, newest first", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			list, err := cl.RotationHistory(ctx, args[0], limit)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, r := range list {
					rows[i] = []string{strconv.FormatInt(r.Seq, 10), r.Outcome, moment(r.RotatedAt), number(r.OldVersion), number(r.NewVersion), r.RotatedBy, failed(r.Failure)}
				}
				return tui.Table(w, []string{"NO", "OUTCOME", "WHEN", "FROM", "TO", "BY", "WHY"}, rows)
			})
		})}
	cmd.Flags().IntVar(&limit, "limit", 100, "records, 1000 at most")
	return cmd
}

// number is "" for none.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func failed(f *client.RotationFailure) string {
	if f == nil {
		return ""
	}
	return f.Step + ": " + f.Message
}

func (c *cli) rotateStatus() *cobra.Command {
	return &cobra.Command{Use: "status NAME", Short: "Say where the rotation of a secret stands", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			s, err := cl.RotationStatus(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) error {
				due := sometime(s.DueAt)
				if s.Overdue {
					due += " (overdue)"
				}
				rows := [][]string{{s.SecretKey, s.State, due, number(s.OldVersion), number(s.NewVersion), s.Holder, failed(s.Failure)}}
				return tui.Table(w, []string{"SECRET", "STATE", "DUE", "FROM", "TO", "IN THE HANDS OF", "LAST FAILURE"}, rows)
			})
		})}
}

func (c *cli) rotateAbandon() *cobra.Command {
	return &cobra.Command{Use: "abandon NAME", Short: "Give up the run under way: what is served stays", Args: cobra.ExactArgs(1),
		Long: "Gives up the run under way: its staged version is destroyed, what is served stays. If the world outside has accepted the\n" +
			"staged value already, it knows a value that the vault does not: look at 'rotate status' first.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.AbandonRotation(ctx, args[0]); err != nil {
				return err
			}
			return c.print(map[string]any{"secret_key": args[0], "abandoned": true}, func(w io.Writer) error {
				return say(w, "the run of %s is given up", args[0])
			})
		})}
}
