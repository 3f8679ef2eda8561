package componenttest

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Scripted is a component that answers each visit as it is told: it stands in for one that is not there.
type Scripted struct {
	Spec *component.Spec
	// Answer gives the outputs of a visit (from 1) by socket name; names the Spec does not declare become undeclared outputs.
	Answer func(visit int, in component.In) (*value.Dict, error)
}

// Run implements [component.Component].
func (s *Scripted) Run(_ context.Context, env *component.Env, in component.In) (component.Out, error) {
	given, err := s.Answer(env.Visit(), in)
	if err != nil {
		return component.Out{}, err
	}
	out := component.Out{Values: make([]value.Value, len(s.Spec.Outputs))}
	for name, v := range given.Strings() {
		if i := s.output(name); i >= 0 {
			out.Values[i] = v
			continue
		}
		if out.Extra == nil {
			out.Extra = &value.Dict{}
		}
		out.Extra.Set(name, v)
	}
	return out, nil
}

func (s *Scripted) output(name string) int {
	for i, o := range s.Spec.Outputs {
		if o.Name == name {
			return i
		}
	}
	return -1
}

// ByVisit answers the n-th visit with the n-th entry; one visit more is an error.
func ByVisit(outputs ...*value.Dict) func(int, component.In) (*value.Dict, error) {
	return func(visit int, _ component.In) (*value.Dict, error) {
		if visit < 1 || visit > len(outputs) {
			return nil, fault.New(fault.Internal, "visit %d is not in the script of %d", visit, len(outputs))
		}
		return outputs[visit-1], nil
	}
}
