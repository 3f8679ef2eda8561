package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/local"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

type runFlags struct {
	inputs  []string
	include []string
	stream  bool
}

func (c *cli) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run FILE.yaml [FILE.yaml...]",
		Short: "Run pipeline files here, without a server",
		Long: "Runs pipeline files in order, in this process, with secrets from the environment. Document stores of one index are shared,\n" +
			"so that a file that asks finds what a file before it indexed. What the last file gives is printed.\n\n" +
			"Inputs are a JSON object: the names under the file's inputs:, or {component: {socket: value}}, or {socket: value}.\n" +
			"Given once for several files, each file takes the entries it knows; given as often as there are files, they are pairs.",
		Example: "  hayward run index.yml ask.yml --inputs '{\"sources\": [\"page.html\"], \"query\": \"What is a channel?\"}'",
		Args:    cobra.MinimumNArgs(1),
		RunE: c.do(func(cmd *cobra.Command, args []string) error {
			return c.run(cmd.Context(), args, f)
		}),
		ValidArgsFunction: yamlFiles,
	}
	fl := cmd.Flags()
	fl.StringArrayVarP(&f.inputs, "inputs", "i", nil, "JSON object, @file.json or @- (standard input); may be repeated")
	fl.StringSliceVar(&f.include, "include-outputs-from", nil, "components whose outputs are printed although others took them: a,b")
	fl.BoolVar(&f.stream, "stream", false, "print what models say while they say it, on a terminal")
	return cmd
}

func yamlFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yml", "yaml"}, cobra.ShellCompDirectiveFilterFileExt
}

// run runs the files and prints what the last one gives.
func (c *cli) run(ctx context.Context, paths []string, f runFlags) error {
	files, given, err := c.prepare(paths, f.inputs)
	if err != nil {
		return err
	}
	n := &notes{w: c.err, held: c.format == tui.JSON}
	show := c.streamTo(f.stream)
	s := local.NewSession(local.Options{Lookup: os.LookupEnv, Report: n.secret, Log: n.logger(), Stream: show.fn()})
	var last *pipeline.Result
	for i, file := range files {
		if last, err = s.Run(ctx, file, given[i], includeFor(files, i, f.include)); err != nil {
			n.warnings(last)
			if len(files) > 1 {
				err = inFile(err, file.Path)
			}
			return &notedError{err, n.said}
		}
		n.warnings(last)
	}
	n.flush()
	if show.said() {
		_, err := io.WriteString(c.out, "\n\n"+treeOf(value.AsDicts(last.Outputs)))
		return err
	}
	return c.printOutputs(last.Outputs)
}

// inFile says which of several files failed, where the error names no place.
func inFile(err error, path string) error {
	f := fault.From(err)
	if !f.Where.Position.IsZero() {
		return err
	}
	w := f.Where
	w.File = path
	return f.At(w)
}

func (c *cli) prepare(paths, inputs []string) ([]*local.File, []*value.Dict, error) {
	registry := components.Registry()
	loaded := map[string]*local.File{}
	files := make([]*local.File, len(paths))
	for i, path := range paths {
		if loaded[path] == nil {
			f, err := local.Load(path, registry)
			if err != nil {
				return nil, nil, err
			}
			loaded[path] = f
		}
		files[i] = loaded[path]
	}
	dicts := make([]*value.Dict, len(inputs))
	for i, arg := range inputs {
		var err error
		if dicts[i], err = local.ReadInputs(arg, c.in); err != nil {
			return nil, nil, err
		}
	}
	given, err := local.Assign(files, dicts)
	return files, given, err
}

// includeFor gives each file the components it has. The last file gets the names that no file has as well, so that the
// engine warns about them.
func includeFor(files []*local.File, i int, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		if files[i].Has(name) {
			return false
		}
		anywhere := slices.ContainsFunc(files, func(f *local.File) bool { return f.Has(name) })
		return anywhere || i < len(files)-1
	})
}

// stream shows what models say while they say it.
type stream struct {
	w    io.Writer
	some bool // something was shown
}

// streamTo returns where chunks go: nowhere (nil) unless a person asked for them at a terminal.
func (c *cli) streamTo(asked bool) *stream {
	if !asked || c.format == tui.JSON || !tui.IsTerminal(c.out) {
		return nil
	}
	return &stream{w: c.out}
}

func (s *stream) said() bool { return s != nil && s.some }

func (s *stream) fn() func(component, chunk string) error {
	if s == nil {
		return nil
	}
	return s.show
}

func (s *stream) show(_, chunk string) error {
	s.some = s.some || chunk != ""
	_, err := io.WriteString(s.w, tui.CleanLines(chunk))
	return err
}

// notes is what a run says beside its result. With --output json it is held back, so that a failure is one JSON object.
type notes struct {
	mu   sync.Mutex
	w    io.Writer
	held bool
	said []string
}

func (n *notes) add(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Contains(n.said, text) {
		return
	}
	n.said = append(n.said, text)
	if !n.held {
		fmt.Fprintln(n.w, tui.Clean(text))
	}
}

// secret notes which name goes where: on a laptop the file decides, and its author should see what it decided.
func (n *notes) secret(name string, dest sealed.Destination) {
	n.add("secret: " + name + " goes to " + dest.String())
}

func (n *notes) warnings(r *pipeline.Result) {
	if r == nil {
		return
	}
	for _, w := range r.Warnings {
		n.add("warning: " + w)
	}
}

// flush says what was held back.
func (n *notes) flush() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held {
		for _, text := range n.said {
			fmt.Fprintln(n.w, tui.Clean(text))
		}
	}
}

// logger takes the warnings of components and of the engine. The engine's are in the result too: both are said in the same
// words, and so once.
func (n *notes) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(lines(n.add), &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey || (a.Key == "request_id" && a.Value.String() == "") {
			return slog.Attr{}
		}
		return a
	}}))
}

// lines is a writer that is given one line at a time.
type lines func(string)

// Write implements io.Writer.
func (l lines) Write(b []byte) (int, error) {
	text := strings.TrimRight(string(b), "\n")
	if rest, ok := strings.CutPrefix(text, "msg="); ok {
		if bare, err := strconv.Unquote(rest); err == nil { // a message and nothing else
			text = bare
		}
	}
	l("warning: " + text)
	return len(b), nil
}
