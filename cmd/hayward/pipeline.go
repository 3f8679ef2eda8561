package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/local"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

func (c *cli) pipelineCommand() *cobra.Command {
	cmd := noun("pipeline", "Check pipeline files here; deploy, list and run pipelines on a server",
		c.checkCommand(), c.drawCommand(), c.pipelineDeploy(), c.pipelineList(), c.pipelineShow(), c.pipelineRun(), c.pipelineStatus(), c.pipelineUndeploy())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) pipelineDeploy() *cobra.Command {
	var r client.DeployRequest
	cmd := &cobra.Command{Use: "deploy FILE.yaml", Short: "Deploy a pipeline file", Args: cobra.ExactArgs(1), ValidArgsFunction: yamlFiles,
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			source, err := readSource(args[0])
			if err != nil {
				return err
			}
			r.Source = source
			if r.Name == "" {
				r.Name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			p, err := cl.Deploy(ctx, r)
			if err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) error {
				if err := say(w, "pipeline %s is deployed, version %d", p.Name, p.Version); err != nil {
					return err
				}
				return showPipeline(w, p)
			})
		})}
	f := cmd.Flags()
	f.StringVar(&r.Name, "name", "", "the pipeline's name (default: the file's name without its ending)")
	f.StringVar(&r.Description, "description", "", "a sentence for people")
	f.BoolVar(&r.Overwrite, "overwrite", false, "replace the version that answers now")
	return cmd
}

func readSource(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the pipeline file cannot be read")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, local.MaxFile+1))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the pipeline file cannot be read")
	}
	if len(b) > local.MaxFile {
		return "", fault.New(fault.TooLarge, "the pipeline file %s is larger than %d bytes", path, local.MaxFile)
	}
	return string(b), nil
}

func (c *cli) pipelineList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the tenant's pipelines", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Pipelines(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, p := range list {
					rows[i] = []string{p.Name, strconv.FormatInt(p.Version, 10), moment(p.CreatedAt), p.Description}
				}
				return tui.Table(w, []string{"PIPELINE", "VERSION", "DEPLOYED", "DESCRIPTION"}, rows)
			})
		})}
}

func (c *cli) pipelineShow() *cobra.Command {
	var source bool
	cmd := &cobra.Command{Use: "show NAME", Short: "Describe a deployed pipeline, or print its file", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			p, err := cl.Pipeline(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) error {
				if source {
					_, err := io.WriteString(w, tui.CleanLines(p.Source))
					return err
				}
				if err := say(w, "%s, version %d, deployed %s", p.Name, p.Version, moment(p.CreatedAt)); err != nil {
					return err
				}
				return showPipeline(w, p)
			})
		})}
	cmd.Flags().BoolVar(&source, "source", false, "print the pipeline file")
	return cmd
}

func showPipeline(w io.Writer, p client.Pipeline) error {
	line := func(what, text string) { fmt.Fprintf(w, "  %-8s %s\n", what, tui.Clean(text)) }
	for _, s := range p.Inputs {
		line("input", socketText(socket(s)))
	}
	for _, s := range p.Outputs {
		line("output", socketText(socket(s)))
	}
	for _, s := range p.Secrets {
		line("secret", strings.Join(s.Names, " or ")+" for "+s.Component+"."+s.Param)
	}
	for _, t := range p.Warnings {
		line("warning", t)
	}
	return nil
}

func (c *cli) pipelineStatus() *cobra.Command {
	return &cobra.Command{Use: "status NAME", Short: "Say whether a pipeline is deployed", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			p, err := cl.Pipeline(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(p.Deployment, func(w io.Writer) error {
				return say(w, "%s is deployed, version %d since %s", p.Name, p.Version, moment(p.CreatedAt))
			})
		})}
}

func (c *cli) pipelineUndeploy() *cobra.Command {
	return &cobra.Command{Use: "undeploy NAME", Short: "Make a name answer nothing; its versions stay in the catalogue", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.Undeploy(ctx, args[0]); err != nil {
				return err
			}
			return c.print(map[string]any{"name": args[0], "deployed": false}, func(w io.Writer) error { return say(w, "%s is undeployed", args[0]) })
		})}
}

type remoteRun struct {
	inputs  string
	include []string
	files   []string
	stream  bool
}

func (c *cli) pipelineRun() *cobra.Command {
	var f remoteRun
	cmd := &cobra.Command{Use: "run NAME", Short: "Run a deployed pipeline", Args: cobra.ExactArgs(1),
		Example: "  hayward pipeline run ask-docs --inputs '{\"query\": \"What is a channel?\"}'\n  hayward pipeline run index-docs --file sources=@page.html",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			return c.runRemote(ctx, cl, args[0], f)
		})}
	fl := cmd.Flags()
	fl.StringVarP(&f.inputs, "inputs", "i", "", "JSON object, @file.json or @- (standard input)")
	fl.StringSliceVar(&f.include, "include-outputs-from", nil, "components whose outputs are given although others took them: a,b")
	fl.StringArrayVar(&f.files, "file", nil, "upload a file to an input: field=@path; may be repeated")
	fl.BoolVar(&f.stream, "stream", false, "print what models say while they say it")
	return cmd
}

func (c *cli) runRemote(ctx context.Context, cl *client.Client, name string, f remoteRun) error {
	r := client.RunRequest{Pipeline: name, IncludeOutputsFrom: f.include}
	var err error
	if f.inputs != "" {
		if r.Inputs, err = local.ReadInputs(f.inputs, c.in); err != nil {
			return err
		}
	}
	var size int64
	if r.Files, size, err = uploads(f.files); err != nil {
		return err
	}
	if len(r.Files) > 0 && len(f.include) > 0 {
		return fault.New(fault.Unsupported, "--include-outputs-from does not go with --file")
	}
	show := &stream{w: c.out}
	if f.stream && c.format == tui.Text {
		r.Chunk = show.show
	}
	progress := tui.NewProgress(c.err)
	bar := &tui.Bar{}
	if len(r.Files) > 0 {
		bar = progress.Bar("uploading", size)
		r.Sent = bar.Add
	}
	out, err := cl.Run(ctx, r)
	bar.End()
	progress.Wait()
	if err != nil {
		return err
	}
	return c.printRun(out, show.said())
}

// uploads reads "field=@path", or "@path" for the field sources.
func uploads(args []string) (out []client.Upload, size int64, err error) {
	for _, arg := range args {
		field, path, ok := strings.Cut(arg, "=")
		if !ok {
			field, path = "sources", arg
		}
		info, err := os.Stat(strings.TrimPrefix(path, "@"))
		if err != nil || info.IsDir() {
			return nil, 0, fault.Wrap(fault.Invalid, err, "%q is not a file that can be sent", strings.TrimPrefix(path, "@")).
				WithHint("write --file field=@path")
		}
		size += info.Size()
		out = append(out, client.Upload{Field: field, Path: strings.TrimPrefix(path, "@")})
	}
	return out, size, nil
}

// printRun prints a run: for programs the server's whole answer, for people what was answered and a tree.
func (c *cli) printRun(out client.RunAnswer, streamed bool) error {
	if c.format == tui.JSON {
		_, err := c.out.Write(append(out.Raw, '\n'))
		return err
	}
	shown := out.Outputs
	if out.Declared != nil {
		shown = out.Declared
	}
	text := showOutputs(shown)
	if streamed {
		text = "\n\n" + treeOf(value.AsDicts(shown))
	}
	for _, w := range out.Warnings {
		fmt.Fprintln(c.err, "warning: "+tui.Clean(w))
	}
	_, err := fmt.Fprintf(c.out, "%s\nrun %s of %s version %d took %d ms\n", text, tui.Clean(out.RunID), tui.Clean(out.Pipeline), out.Version, out.Millis)
	return err
}
