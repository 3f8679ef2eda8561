package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
)

// componentType is a component type as programs read it.
type componentType struct {
	Type    string   `json:"type"`
	Aliases []string `json:"aliases,omitempty"`
	Doc     string   `json:"doc"`
	Params  []param  `json:"init_parameters"`
}

type param struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Default  string `json:"default,omitempty"` // as Python writes it
}

func (c *cli) componentsCommand() *cobra.Command {
	registry := components.Registry()
	return &cobra.Command{
		Use: "components [NAME]", Short: "List the component types, or describe one", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return registry.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: c.do(func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				t, err := findType(registry, args[0])
				if err != nil {
					return err
				}
				return c.print(typeOf(t), func(w io.Writer) error { return showType(w, typeOf(t)) })
			}
			var all []componentType
			for _, name := range registry.Names() {
				t, _ := registry.Lookup(name)
				all = append(all, typeOf(t))
			}
			return c.print(all, func(w io.Writer) error { return showTypes(w, all) })
		}),
	}
}

// findType finds a type by its full name, or by the class at its end if only one has it.
func findType(r *component.Registry, name string) (*component.Type, error) {
	if t, ok := r.Lookup(name); ok {
		return t, nil
	}
	var found []*component.Type
	for _, full := range r.Names() {
		if strings.EqualFold(class(full), name) {
			t, _ := r.Lookup(full)
			found = append(found, t)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		err := fault.New(fault.NotFound, "there is no component type %q", name)
		if near := component.Nearest(name, r.Names(), 3); len(near) > 0 {
			return nil, err.WithHint("did you mean %s?", strings.Join(near, " or "))
		}
		return nil, err.WithHint("'hayward components' lists them")
	}
	return nil, fault.New(fault.Invalid, "%d component types are called %q", len(found), name).WithHint("give the whole name: %s or %s", found[0].Name, found[1].Name)
}

func class(full string) string { return full[strings.LastIndexByte(full, '.')+1:] }

func typeOf(t *component.Type) componentType {
	out := componentType{Type: t.Name, Aliases: t.Aliases, Doc: t.Doc, Params: []param{}}
	for _, p := range t.Params {
		q := param{Name: p.Name, Required: p.Default == nil}
		if p.Default != nil {
			q.Default = value.Repr(p.Default)
		}
		out.Params = append(out.Params, q)
	}
	return out
}

func showTypes(w io.Writer, all []componentType) error {
	rows := make([][]string, len(all))
	for i, t := range all {
		rows[i] = []string{class(t.Type), t.Type}
	}
	return tui.Table(w, []string{"CLASS", "TYPE"}, rows)
}

func showType(w io.Writer, t componentType) error {
	fmt.Fprintf(w, "%s\n\n%s\n\n", t.Type, t.Doc)
	rows := make([][]string, len(t.Params))
	for i, p := range t.Params {
		rows[i] = []string{p.Name, p.Default}
		if p.Required {
			rows[i][1] = "(required)"
		}
	}
	return tui.Table(w, []string{"INIT PARAMETER", "DEFAULT"}, rows)
}
