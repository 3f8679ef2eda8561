package openapi

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/pipeline/pytype"
)

// Pipelines is what the door needs to describe a tenant's pipelines; *host.Host is one.
type Pipelines interface {
	Pipelines(ctx context.Context) ([]*catalogue.Deployment, error)
	Pipeline(ctx context.Context, name string) (*host.Deployed, error)
}

// ofTenant returns the pipelines of the tenant in scope.
func ofTenant(ctx context.Context, p Pipelines) ([]Pipeline, error) {
	list, err := p.Pipelines(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Pipeline, 0, len(list))
	for _, d := range list {
		e, err := p.Pipeline(ctx, d.Name)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			continue // undeployed meanwhile, or this version of the server does not take it: the others are still described
		}
		if err != nil {
			return nil, err
		}
		out = append(out, fromPlan(e))
	}
	return out, nil
}

func fromPlan(e *host.Deployed) Pipeline {
	p := Pipeline{Name: e.Name, Description: e.Description, Inputs: map[string]*huma.Schema{}}
	for _, in := range e.Plan.Declared().Inputs {
		if len(in.Types) == 0 {
			continue // every target was left out, with a warning
		}
		p.Inputs[in.Name] = Schema(in.Types[0])
		if in.Mandatory {
			p.Required = append(p.Required, in.Name)
		}
		for _, t := range in.Types {
			p.Upload = p.Upload || takesStreams(t)
		}
	}
	return p
}

func takesStreams(t *pytype.Type) bool {
	for _, c := range t.DataClasses() {
		if strings.HasSuffix(c.Path, ".ByteStream") {
			return true
		}
	}
	return false
}

// Schema is the JSON Schema of values for a socket of type t. Data classes are objects as their to_dict() gives them; a
// type that JSON cannot tell from others allows anything.
func Schema(t *pytype.Type) *huma.Schema {
	switch t.Name {
	case "str", "pathlib.Path":
		return &huma.Schema{Type: "string"}
	case "int":
		return &huma.Schema{Type: "integer"}
	case "float":
		return &huma.Schema{Type: "number"}
	case "bool":
		return &huma.Schema{Type: "boolean"}
	case "list", "tuple", "set", "collections.abc.Iterable", "typing.Iterable":
		s := &huma.Schema{Type: "array"}
		if len(t.Args) == 1 {
			s.Items = Schema(t.Args[0])
		}
		return s
	case "dict":
		return &huma.Schema{Type: "object"}
	case "None", "NoneType":
		return &huma.Schema{Type: "null"}
	case "typing.Union":
		s := &huma.Schema{}
		for _, arm := range t.Args {
			s.AnyOf = append(s.AnyOf, Schema(arm))
		}
		return s
	}
	if strings.HasPrefix(t.Name, "haystack.dataclasses.") {
		return &huma.Schema{Type: "object", Title: t.Name[strings.LastIndexByte(t.Name, '.')+1:]}
	}
	return &huma.Schema{}
}
