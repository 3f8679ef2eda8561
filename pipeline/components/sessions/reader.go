package sessions

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// SessionReader puts the messages of the run's session before those it is given. A run without a session has none.
type SessionReader struct{ last int }

// SessionReaderType describes [SessionReader]: last_k messages of the session at most, all of them if it is None.
func SessionReaderType() *component.Type {
	return &component.Type{
		Name:   "hayward.components.sessions.reader.SessionReader",
		Doc:    "Puts what was said in the run's session before the messages it is given.",
		Params: []component.Param{component.Optional("last_k", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			r := &SessionReader{last: -1}
			if n := b.OptInt("last_k"); n != nil {
				if r.last = *n; *n < 0 {
					b.Fail("last_k", "component '%s': init parameter 'last_k' must not be negative", b.Name)
				}
			}
			if b.Err() != nil {
				return nil, nil, b.Err()
			}
			return r, part.Spec([]component.Input{{Name: "messages", Type: part.Messages, Default: value.NewList()}}, part.Out("messages", part.Messages)), nil
		},
	}
}

// Run reads the session.
func (r *SessionReader) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	items, _ := part.Items(in[0])
	given, ok := part.AllMessages(items)
	if !ok {
		return component.Out{}, part.Wrong("messages", "a list of ChatMessages", in[0])
	}
	if !env.HasMemory() {
		return component.Outputs(part.MessageList(given)), nil
	}
	said, err := env.Messages(ctx)
	if err != nil {
		return component.Out{}, err
	}
	if r.last >= 0 && len(said) > r.last {
		said = said[len(said)-r.last:]
	}
	return component.Outputs(part.MessageList(append(said[:len(said):len(said)], given...))), nil
}
