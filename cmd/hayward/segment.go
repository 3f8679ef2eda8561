package main

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

func (c *cli) segmentCommand() *cobra.Command {
	return noun("segment", "Keep segments: named conditions that the rules of many flags refer to (operators)",
		c.segmentList(), c.segmentGet(), c.segmentSet(), c.segmentDelete(), c.segmentHistory(), c.segmentRollback())
}

func (c *cli) segmentList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the app's segments", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Segments(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return segmentTable(w, list) })
		})}
}

func segmentTable(w io.Writer, list []client.Segment) error {
	rows := make([][]string, len(list))
	for i, s := range list {
		needs := "all"
		if s.Any {
			needs = "any"
		}
		rows[i] = []string{s.Key, strconv.FormatInt(s.Version, 10), needs, short(string(s.Conditions)), s.Description}
	}
	return tui.Table(w, []string{"SEGMENT", "VERSION", "NEEDS", "CONDITIONS", "DESCRIPTION"}, rows)
}

func (c *cli) segmentGet() *cobra.Command {
	return &cobra.Command{Use: "get KEY", Short: "Describe a segment", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			s, err := cl.Segment(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) error { return segmentTable(w, []client.Segment{s}) })
		})}
}

func (c *cli) segmentSet() *cobra.Command {
	var file string
	cmd := &cobra.Command{Use: "set KEY --from-file FILE", Short: "Create a segment or change it", Args: cobra.ExactArgs(1),
		Long: "Creates a segment or changes it from a JSON object with conditions, and maybe any and description, such as\n" +
			`{"conditions": [{"attribute": "country", "op": "equals", "values": ["DE"]}]}`,
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			body, err := readJSON(c.in, file)
			if err != nil {
				return err
			}
			s, err := cl.DefineSegment(ctx, args[0], body)
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) error { return say(w, "segment %s is set, version %d", s.Key, s.Version) })
		})}
	cmd.Flags().StringVar(&file, "from-file", "", "a JSON file; - is standard input")
	_ = cmd.MarkFlagRequired("from-file")
	return cmd
}

func (c *cli) segmentDelete() *cobra.Command {
	return &cobra.Command{Use: "delete KEY", Short: "Delete a segment that nothing refers to", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.DeleteSegment(ctx, args[0]); err != nil {
				return err
			}
			return c.print(map[string]any{"segment": args[0], "deleted": true}, func(w io.Writer) error { return say(w, "%s is deleted", args[0]) })
		})}
}

func (c *cli) segmentHistory() *cobra.Command {
	return &cobra.Command{Use: "history KEY", Short: "List a segment's versions, oldest first", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			list, err := cl.SegmentVersions(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return revisionTable(w, list) })
		})}
}

func (c *cli) segmentRollback() *cobra.Command {
	var to, ifVersion int64
	cmd := &cobra.Command{Use: "rollback KEY --to VERSION", Short: "Make a segment what it was at a version", Args: cobra.ExactArgs(1)}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		s, err := cl.RollbackSegment(ctx, args[0], to, given(cmd.Flags(), "if-version", ifVersion))
		if err != nil {
			return err
		}
		return c.print(s, func(w io.Writer) error {
			return say(w, "segment %s is what it was at version %d, as version %d", s.Key, to, s.Version)
		})
	})
	rollbackFlags(cmd, &to, &ifVersion)
	return cmd
}

// revisionTable lists versions of what is defined.
func revisionTable(w io.Writer, list []client.Revision) error {
	rows := make([][]string, len(list))
	for i, r := range list {
		mark := current(r.Current)
		if r.Deleted {
			mark = "deleted"
		}
		rows[i] = []string{strconv.FormatInt(r.Version, 10), mark, r.Action, moment(r.CreatedAt), r.CreatedBy}
	}
	return tui.Table(w, []string{"VERSION", "", "BY DOING", "WHEN", "BY"}, rows)
}
