package main

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

func (c *cli) auditSinks() *cobra.Command {
	return &cobra.Command{Use: "sinks", Short: "Say how copying the record to other places is doing (operators)", Args: cobra.NoArgs,
		Long: "Lists where the server that answers copies its part of the record, how far behind each place is, and since when it fails.\n" +
			"The exit code is 1 while one is further behind than it may be.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.AuditSinks(ctx)
			if err != nil {
				return err
			}
			if err := c.print(list, func(w io.Writer) error { return showSinks(w, list) }); err != nil {
				return err
			}
			for _, s := range list {
				if s.Alarm {
					return exitError{}
				}
			}
			return nil
		})}
}

func showSinks(w io.Writer, list []client.AuditSink) error {
	if len(list) == 0 {
		return say(w, "the record is copied nowhere: see the settings audit-sink-...")
	}
	rows := make([][]string, len(list))
	for i, s := range list {
		at, since, failing := "-", "-", "-"
		if s.Position != nil {
			at = s.Position.Entry
		}
		if !s.Since.IsZero() {
			since = moment(s.Since)
		}
		if !s.FailingSince.IsZero() {
			failing = s.ErrorKind + " since " + moment(s.FailingSince)
		}
		word := "ok"
		if s.Alarm {
			word = "ALARM"
		}
		rows[i] = []string{s.Name, word, strconv.FormatInt(s.Lag, 10), since, at, failing}
	}
	return tui.Table(w, []string{"SINK", "", "BEHIND", "SINCE", "LAST DELIVERED", "FAILS"}, rows)
}
