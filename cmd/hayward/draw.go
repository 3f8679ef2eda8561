package main

import (
	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/local"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/draw"
)

func (c *cli) drawCommand() *cobra.Command {
	format, theme := "mermaid", string(draw.Neutral)
	cmd := &cobra.Command{
		Use: "draw FILE.yaml", Short: "Draw a pipeline file here, as Mermaid text or as SVG", Args: cobra.ExactArgs(1),
		Long: "Draw a pipeline file here, as Mermaid text or as SVG, on standard output.\n\n" +
			"The Mermaid text is what Haystack sends to a Mermaid server; nothing is sent anywhere by this command.",
		Example:           "  hayward pipeline draw ask-docs.yml --format svg > ask-docs.svg",
		ValidArgsFunction: yamlFiles,
		RunE: c.do(func(cmd *cobra.Command, args []string) error {
			f, err := local.Load(args[0], components.Registry())
			if err != nil {
				return err
			}
			switch draw.Theme(theme) {
			case draw.Neutral, draw.Default, draw.Dark, draw.Forest:
			default:
				return fault.New(fault.Invalid, "there is no theme %q", theme).WithHint("use neutral, default, dark or forest")
			}
			var picture []byte
			switch format {
			case "mermaid":
				picture = []byte(draw.Mermaid(f.Plan, draw.Theme(theme)))
			case "svg":
				picture = draw.SVG(f.Plan)
			default:
				return fault.New(fault.Invalid, "there is no format %q", format).WithHint("use mermaid or svg")
			}
			_, err = cmd.OutOrStdout().Write(picture)
			return err
		}),
	}
	cmd.Flags().StringVar(&format, "format", format, "mermaid or svg")
	cmd.Flags().StringVar(&theme, "theme", theme, "of Mermaid: neutral, default, dark or forest")
	return cmd
}
