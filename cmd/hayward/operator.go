package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
)

func (c *cli) operatorCommand() *cobra.Command {
	return noun("operator", "Create the first operator, on the files of a server that is not running", c.operatorCreate())
}

func (c *cli) operatorCreate() *cobra.Command {
	var d dataFlags
	var slug string
	var pw passwordFlags
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an operator", Args: cobra.ExactArgs(1),
		Long: "Creates an operator on the data directory itself, which no server may be using: whoever owns the files decides who operates\n" +
			"them. Further operators are created with 'hayward user create --operator'.",
		RunE: c.do(func(cmd *cobra.Command, args []string) error {
			return c.createOperator(cmd.Context(), d, slug, args[0], pw)
		})}
	d.add(cmd.Flags())
	cmd.Flags().StringVar(&slug, "app", "default", "app that the operator belongs to")
	pw.add(cmd.Flags(), "password")
	return cmd
}

func (c *cli) createOperator(ctx context.Context, d dataFlags, slug, name string, pw passwordFlags) error {
	s, err := d.settings()
	if err != nil {
		return err
	}
	s.App = slug
	password, err := pw.read(ctx, c.in, c.err, "Password of "+name, true)
	if err != nil {
		return err
	}
	made, err := app.CreateOperator(ctx, s, name, password)
	if err != nil {
		return err
	}
	if made.NewRoot {
		c.rootKeyMade(made.Origin)
	}
	return c.print(map[string]string{"username": made.User.Name, "id": made.User.ID, "data_dir": s.DataDir}, func(w io.Writer) error {
		return say(w, "operator %s created (%s)", made.User.Name, made.User.ID)
	})
}
