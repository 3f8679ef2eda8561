package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

func (c *cli) secretCommand() *cobra.Command {
	cmd := noun("secret", "Keep secrets; a value comes from a prompt, standard input or a file",
		c.secretSet(false), c.secretGet(), c.secretList(false), c.secretDelete(false), c.secretHistory(), c.secretExplain(), c.secretReveal(),
		c.secretRollback(), c.secretUndelete(), c.secretDestroy(), c.secretKeep(),
		c.secretSet(true), c.secretDelete(true), c.secretList(true))
	c.addServer(cmd.PersistentFlags())
	return cmd
}

type secretFlags struct {
	fromFile     string
	destinations []string
	metadata     map[string]string
	expires      string
	lifetime     time.Duration
	ifVersion    int64
}

func (c *cli) secretSet(shared bool) *cobra.Command {
	var f secretFlags
	cmd := &cobra.Command{Use: "set NAME", Short: "Set a secret: a new version of it", Args: cobra.ExactArgs(1)}
	if shared {
		cmd.Use, cmd.Short = "share NAME --destination URL", "Share a secret with every tenant (operators)"
	}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		o, err := f.options(shared, cmd.Flags().Changed)
		if err != nil {
			return err
		}
		value, err := tui.ReadSecret(ctx, tui.Source{In: c.in, PromptW: c.err, Prompt: "Value of " + args[0], File: f.fromFile})
		if err != nil {
			return err
		}
		s, err := cl.SetSecret(ctx, args[0], value, o)
		if err != nil {
			return err
		}
		return c.print(s, func(w io.Writer) error {
			return say(w, "%s is set, version %d, for %s", s.Key, s.Version, destinations(s))
		})
	})
	fl := cmd.Flags()
	fl.StringVar(&f.fromFile, "from-file", "", "read the value from a file; - is standard input")
	fl.StringArrayVar(&f.destinations, "destination", nil, "origin that may receive it, as https://api.example.com; may be repeated")
	fl.StringToStringVar(&f.metadata, "metadata", nil, "notes about it, name=value")
	fl.StringVar(&f.expires, "expires", "", "when it ends: a time such as 2027-01-31T00:00:00Z, or a duration such as 720h")
	fl.DurationVar(&f.lifetime, "lifetime", 0, "how long this version and each later one is served; 0: without end")
	cmd.MarkFlagsMutuallyExclusive("expires", "lifetime")
	fl.Int64Var(&f.ifVersion, "if-version", 0, "fail unless this version is current; 0: unless there is none")
	return cmd
}

func (f secretFlags) options(shared bool, changed func(string) bool) (client.SecretOptions, error) {
	o := client.SecretOptions{Shared: shared, Metadata: f.metadata}
	for _, text := range f.destinations {
		d, err := sealed.ParseDestination(text)
		if err != nil {
			return o, err
		}
		o.Destinations = append(o.Destinations, d)
	}
	if changed("if-version") {
		o.IfVersion = &f.ifVersion
	}
	if changed("lifetime") {
		o.Lifetime = &f.lifetime
	}
	if f.expires != "" {
		at, err := time.Parse(time.RFC3339, f.expires)
		if d, derr := time.ParseDuration(f.expires); derr == nil {
			at, err = time.Now().Add(d), nil
		}
		if err != nil {
			return o, fault.New(fault.Invalid, "%q is neither a time nor a duration", f.expires).WithHint("write for example 2027-01-31T00:00:00Z or 720h")
		}
		o.ExpiresAt = &at
	}
	return o, nil
}

func destinations(s client.Secret) string {
	if len(s.Destinations) == 0 {
		return "the documented host of the component that asks"
	}
	return strings.Join(s.Destinations, ", ")
}

func (c *cli) secretGet() *cobra.Command {
	return &cobra.Command{Use: "get NAME", Short: "Describe a secret; the value is not shown", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			s, err := cl.Secret(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) error { return secretTable(w, []client.Secret{s}) })
		})}
}

func (c *cli) secretList(shared bool) *cobra.Command {
	var deleted bool
	cmd := &cobra.Command{Use: "list", Short: "List the tenant's secrets, without values", Args: cobra.NoArgs}
	if shared {
		cmd.Use, cmd.Short = "list-shared", "List what the operator shares with every tenant"
	}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
		read := cl.Secrets
		if deleted {
			read = cl.DeletedSecrets
		}
		list, err := read(ctx, shared)
		if err != nil {
			return err
		}
		return c.print(list, func(w io.Writer) error { return secretTable(w, list) })
	})
	cmd.Flags().BoolVar(&deleted, "deleted", false, "those that were deleted and can be brought back")
	return cmd
}

func secretTable(w io.Writer, list []client.Secret) error {
	rows := make([][]string, len(list))
	for i, s := range list {
		expires := "never"
		if s.ExpiresAt != nil {
			expires = moment(*s.ExpiresAt)
		}
		rows[i] = []string{s.Key, strconv.FormatInt(s.Version, 10), destinations(s), expires, moment(s.UpdatedAt)}
	}
	return tui.Table(w, []string{"NAME", "VERSION", "MAY GO TO", "EXPIRES", "SET"}, rows)
}

func (c *cli) secretDelete(shared bool) *cobra.Command {
	var versions []int64
	cmd := &cobra.Command{Use: "delete NAME", Short: "Delete a secret, or single versions of it; 'undelete' brings it back for a while", Args: cobra.ExactArgs(1)}
	if shared {
		cmd.Use, cmd.Short = "unshare NAME", "Stop sharing a secret, or serving single versions of it (operators)"
	}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		var err error
		if len(versions) > 0 {
			err = cl.DeleteSecretVersions(ctx, args[0], shared, versions...)
		} else {
			err = cl.DeleteSecret(ctx, args[0], shared)
		}
		if err != nil {
			return err
		}
		return c.print(map[string]any{"key": args[0], "deleted": true, "versions": versions}, func(w io.Writer) error {
			return say(w, "%s is deleted%s", args[0], named(versions))
		})
	})
	cmd.Flags().Int64SliceVar(&versions, "version", nil, "delete this version only; may be repeated")
	return cmd
}

func (c *cli) secretExplain() *cobra.Command {
	var pipeline string
	cmd := &cobra.Command{Use: "explain NAME --pipeline PIPELINE", Short: "Say which layer would answer in a pipeline, and why", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			e, err := cl.ExplainSecret(ctx, args[0], pipeline)
			if err != nil {
				return err
			}
			return c.print(e, func(w io.Writer) error { return showExplanation(w, e) })
		})}
	cmd.Flags().StringVarP(&pipeline, "pipeline", "p", "", "the deployed pipeline that would ask")
	_ = cmd.MarkFlagRequired("pipeline")
	return cmd
}

func showExplanation(w io.Writer, e client.Explanation) error {
	for _, u := range e.Uses {
		fmt.Fprintln(w, tui.Clean(u.Component+"."+u.Param+" asks for "+strings.Join(u.Names, ", else ")))
	}
	rows := make([][]string, len(e.Layers))
	for i, l := range e.Layers {
		mark := ""
		if l.Layer == e.Answer {
			mark = "answers"
		}
		rows[i] = []string{l.Layer, mark, l.Why}
	}
	if err := tui.Table(w, []string{"LAYER", "", "WHY"}, rows); err != nil {
		return err
	}
	if e.Answer == "" {
		return say(w, "no layer has %s", e.Name)
	}
	return nil
}

// secretReveal prints a value. It is why this package is on the list of importers of sealed/reveal: an admin asks for the
// value in so many words, and the server has recorded it.
func (c *cli) secretReveal() *cobra.Command {
	var version int64
	cmd := &cobra.Command{Use: "reveal NAME", Short: "Print a secret's value; the audit names you", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			v, err := cl.RevealSecret(ctx, args[0], version)
			if err != nil {
				return err
			}
			raw := reveal.Inside(v)
			defer clear(raw)
			return c.print(map[string]string{"name": args[0], "value": string(raw)}, func(w io.Writer) error {
				_, err := w.Write(append(raw, '\n'))
				return err
			})
		})}
	cmd.Flags().Int64Var(&version, "version", 0, "an earlier version's")
	return cmd
}
