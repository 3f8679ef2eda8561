package api

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/server/router"
)

// Components lists component types.
type Components struct {
	Components []Component `json:"components"`
}

// Component is a component type.
type Component struct {
	Type    string   `json:"type"`
	Aliases []string `json:"aliases,omitempty"`
	Doc     string   `json:"doc"`
	Params  []Param  `json:"init_parameters"`
}

// Param is an init parameter.
type Param struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Default  string `json:"default,omitempty"` // as Python writes it
}

func (d *Door) components(context.Context, *router.Request) (any, error) {
	out := Components{Components: []Component{}}
	for _, name := range d.Registry.Names() {
		t, _ := d.Registry.Lookup(name)
		c := Component{Type: t.Name, Aliases: t.Aliases, Doc: t.Doc, Params: []Param{}}
		for _, p := range t.Params {
			param := Param{Name: p.Name, Required: p.Default == nil}
			if p.Default != nil {
				param.Default = value.Repr(p.Default)
			}
			c.Params = append(c.Params, param)
		}
		out.Components = append(out.Components, c)
	}
	return out, nil
}
