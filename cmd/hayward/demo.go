package main

import (
	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/demo"
)

func (c *cli) demoCommand() *cobra.Command {
	var reset bool
	o := demo.Options{Version: version}
	cmd := &cobra.Command{
		Use: "demo", Short: "Start everything on this machine: two tenants, two pipelines, one audit trail", Args: cobra.NoArgs,
		Long: "Starts a server and a small model server on loopback, in a directory of its own. On the first start it creates the tenants\n" +
			"acme and globex with a user each, gives each its own key, deploys two pipelines and indexes two documents. Stopping and\n" +
			"starting again keeps everything; --reset forgets it.",
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			if reset {
				gone, err := demo.Reset(o.Dir)
				if err != nil {
					return err
				}
				if !gone {
					return say(c.out, "there is no demo in %s", o.Dir)
				}
				return say(c.out, "the demo in %s is forgotten", o.Dir)
			}
			o.Out, o.Err = c.out, c.err
			return demo.Run(cmd.Context(), o)
		})}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "data-dir", ".hayward-demo", "the demo's own directory")
	f.StringVar(&o.Docs, "docs", "", "folder with go_spec.html and go_mem.html: $(go env GOROOT)/doc")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:1416", "loopback address of the server")
	f.StringVar(&o.DevLLM, "devllm", "127.0.0.1:11435", "loopback address of the model server")
	f.BoolVar(&reset, "reset", false, "delete the demo's directory and end")
	return cmd
}
