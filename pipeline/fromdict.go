package pipeline

import (
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pyyaml"
	"github.com/haywardhq/hayward/pipeline/value"
)

// FromDict is [Load] for a pipeline that stands inside something else, such as a component that holds one: what
// [Plan.ToDict] gives. Problems have no place in a file.
func FromDict(d *value.Dict, registry *component.Registry, opts LoadOptions) (*Plan, error) {
	text, err := pyyaml.Dump(inputsOf(d))
	if err != nil {
		return nil, invalid(CodeDeserializationError, "the pipeline cannot be read: %s", err.Error())
	}
	plan, err := Load([]byte(text), "", registry, opts)
	if err == nil {
		return plan, nil
	}
	var many Problems
	if !errors.As(err, &many) {
		many = Problems{fault.From(err)}
	}
	out := make(Problems, len(many))
	for i, e := range many {
		where := e.Where
		where.Position = fault.Position{}
		c := *e
		c.Where = where
		out[i] = &c
	}
	return nil, out.err()
}
