package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/local"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
)

// checked is what a check found out about one file.
type checked struct {
	File       string    `json:"file"`
	OK         bool      `json:"ok"`
	Generation int       `json:"generation,omitempty"` // Haystack's major version
	Marks      []string  `json:"marks,omitempty"`      // what shows an older one
	Problems   []problem `json:"problems,omitempty"`
	Components []node    `json:"components,omitempty"`
	Inputs     []socket  `json:"inputs,omitempty"`  // declared inputs
	Outputs    []socket  `json:"outputs,omitempty"` // declared outputs
	Open       []socket  `json:"open_inputs,omitempty"`
	Leaves     []socket  `json:"open_outputs,omitempty"`
	Secrets    []needed  `json:"secrets,omitempty"`
	Stores     []store   `json:"stores,omitempty"`
	Warnings   []string  `json:"warnings,omitempty"`
}

type node struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type socket struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Mandatory bool     `json:"mandatory,omitempty"`
	Sockets   []string `json:"sockets,omitempty"` // of a declared name
}

type needed struct {
	Names     []string `json:"names"` // tried in this order
	Strict    bool     `json:"strict"`
	Component string   `json:"component"`
	Param     string   `json:"param"`
}

type store struct {
	Type      string `json:"type"`
	Index     string `json:"index,omitempty"`
	Component string `json:"component"`
}

func (c *cli) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE.yaml [FILE.yaml...]", Short: "Check pipeline files here, and say what they need", Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: yamlFiles,
		RunE: c.do(func(_ *cobra.Command, args []string) error {
			registry := components.Registry()
			list, bad := make([]checked, len(args)), false
			for i, path := range args {
				f, err := local.Load(path, registry)
				if err != nil {
					list[i], bad = checked{File: path, Problems: problemsOf(err)}, true
					continue
				}
				list[i] = needs(f)
			}
			if err := c.print(list, func(w io.Writer) error { return showChecks(w, list) }); err != nil {
				return err
			}
			if bad {
				return exitError{}
			}
			return nil
		}),
	}
}

func problemsOf(err error) []problem {
	if many := several(err); many != nil {
		return many
	}
	return []problem{problemOf(err)}
}

func needs(f *local.File) checked {
	p := f.Plan
	out := checked{File: f.Path, OK: true, Warnings: p.Warnings()}
	out.Generation, out.Marks = p.Generation()
	for _, c := range p.Components() {
		out.Components = append(out.Components, node{c.Name, c.Type})
	}
	d := p.Declared()
	for _, in := range d.Inputs {
		s := socket{Name: in.Name, Type: in.Types[0].String(), Mandatory: in.Mandatory}
		for _, t := range in.Targets {
			s.Sockets = append(s.Sockets, t.String())
		}
		out.Inputs = append(out.Inputs, s)
	}
	for _, o := range d.Outputs {
		out.Outputs = append(out.Outputs, socket{Name: o.Name, Type: o.Type.String(), Sockets: []string{o.Source.String()}})
	}
	for _, in := range p.Inputs() {
		out.Open = append(out.Open, socket{Name: in.Component + "." + in.Socket, Type: in.Type.String(), Mandatory: in.Mandatory})
	}
	for _, o := range p.Outputs() {
		out.Leaves = append(out.Leaves, socket{Name: o.Component + "." + o.Socket, Type: o.Type.String()})
	}
	needsOutside(&out, p)
	return out
}

// needsOutside adds what must be there besides the inputs.
func needsOutside(out *checked, p *pipeline.Plan) {
	for _, s := range p.Secrets() {
		out.Secrets = append(out.Secrets, needed{Names: s.Secret.EnvVars, Strict: s.Secret.Strict, Component: s.Component, Param: s.Param})
	}
	for _, s := range p.Stores() {
		out.Stores = append(out.Stores, store{Type: s.Type, Index: s.Index, Component: s.Component})
	}
}

func showChecks(w io.Writer, list []checked) error {
	for i, f := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if !f.OK {
			fmt.Fprintf(w, "%s: %s\n", tui.Clean(f.File), plural(len(f.Problems), "problem"))
			for _, p := range f.Problems {
				fmt.Fprint(w, describe(p))
			}
			continue
		}
		fmt.Fprintf(w, "%s: ok, %s\n", tui.Clean(f.File), plural(len(f.Components), "component"))
		showNeeds(w, f)
	}
	return nil
}

func showNeeds(w io.Writer, f checked) {
	line := func(what, text string) { fmt.Fprintf(w, "  %-8s %s\n", what, tui.Clean(text)) }
	if len(f.Marks) > 0 {
		line("of", fmt.Sprintf("Haystack %d: it has %s", f.Generation, strings.Join(f.Marks, " and ")))
	}
	inputs, outputs := f.Inputs, f.Outputs
	if len(inputs) == 0 {
		inputs = f.Open
	}
	if len(outputs) == 0 {
		outputs = f.Leaves
	}
	for _, s := range inputs {
		line("input", socketText(s))
	}
	for _, s := range outputs {
		line("output", socketText(s))
	}
	for _, s := range f.Secrets {
		text := strings.Join(s.Names, " or ") + " for " + s.Component + "." + s.Param
		if !s.Strict {
			text += ", optional"
		}
		line("secret", text)
	}
	for _, s := range f.Stores {
		line("store", storeText(s))
	}
	for _, t := range f.Warnings {
		line("warning", t)
	}
}

func socketText(s socket) string {
	text := s.Name + ": " + s.Type
	if s.Mandatory {
		text += ", required"
	}
	if len(s.Sockets) > 0 {
		text += " (" + strings.Join(s.Sockets, ", ") + ")"
	}
	return text
}

func storeText(s store) string {
	kind := s.Type[strings.LastIndexByte(s.Type, '.')+1:]
	if s.Index == "" {
		return kind + " of its own for " + s.Component
	}
	return kind + " " + s.Index + " for " + s.Component
}

// plural writes "1 problem", "2 problems".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
