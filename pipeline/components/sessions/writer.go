package sessions

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// SessionWriter adds messages to the run's session: what was asked, and what was answered. In a run without a session it
// does nothing.
type SessionWriter struct{}

// SessionWriterType describes [SessionWriter].
func SessionWriterType() *component.Type {
	return &component.Type{
		Name: "hayward.components.sessions.writer.SessionWriter",
		Doc:  "Remembers messages, and the replies to them, in the run's session.",
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			return &SessionWriter{}, part.Spec([]component.Input{
				part.In("messages", part.Messages),
				{Name: "replies", Type: part.Messages, Default: value.NewList()},
			}, part.Out("messages_written", part.Int)), nil
		},
	}
}

// Run adds the messages and then the replies, all or none.
func (*SessionWriter) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	items, _ := part.Items(in[0])
	messages, ok := part.AllMessages(items)
	if !ok {
		return component.Out{}, part.Wrong("messages", "a list of ChatMessages", in[0])
	}
	more, _ := part.Items(in[1])
	replies, ok := part.AllMessages(more)
	if !ok {
		return component.Out{}, part.Wrong("replies", "a list of ChatMessages", in[1])
	}
	all := append(messages[:len(messages):len(messages)], replies...)
	if !env.HasMemory() || len(all) == 0 {
		return component.Outputs(value.Int(0)), nil
	}
	if err := env.Remember(ctx, all...); err != nil {
		return component.Out{}, err
	}
	return component.Outputs(value.Int(len(all))), nil
}
