package component

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Ports are the parts of a run's context that most runs do without. Each may be nil; a run without any has none at all.
type Ports struct {
	Meter   Meter
	Flags   Flags
	Memory  Memory
	Session string // names the conversation in Memory
}

// Flags answers for feature flags, as this run's tenant has them.
type Flags interface {
	// Flag returns a flag's value, or nil when there is no such flag.
	Flag(ctx context.Context, name string) (value.Value, error)
}

// Memory keeps conversations. Sessions are the tenant's own: the host gives a run a memory that knows whose it is.
type Memory interface {
	// Messages returns a session's messages, oldest first; a session that does not exist has none.
	Messages(ctx context.Context, session string) ([]*chat.Message, error)
	// Append adds messages to the end of a session.
	Append(ctx context.Context, session string, messages ...*chat.Message) error
}

// Flag returns a feature flag's value, or nil when the flag does not exist or the run has no flags.
func (e *Env) Flag(ctx context.Context, name string) (value.Value, error) {
	ports := e.Ports()
	if ports == nil || ports.Flags == nil {
		return nil, nil
	}
	return ports.Flags.Flag(ctx, name)
}

// FlagOn reports whether a feature flag is true in Python's sense; def when there is no such flag.
func (e *Env) FlagOn(ctx context.Context, name string, def bool) (bool, error) {
	v, err := e.Flag(ctx, name)
	if err != nil || v == nil {
		return def, err
	}
	return value.Truthy(v), nil
}

// HasMemory reports whether the run has a conversation to remember.
func (e *Env) HasMemory() bool {
	ports := e.Ports()
	return ports != nil && ports.Memory != nil && ports.Session != ""
}

// Messages returns what was said in the run's session so far, oldest first.
func (e *Env) Messages(ctx context.Context) ([]*chat.Message, error) {
	if !e.HasMemory() {
		return nil, e.lacks("a session")
	}
	return e.Ports().Memory.Messages(ctx, e.Ports().Session)
}

// Remember adds messages to the run's session.
func (e *Env) Remember(ctx context.Context, messages ...*chat.Message) error {
	if !e.HasMemory() {
		return e.lacks("a session")
	}
	return e.Ports().Memory.Append(ctx, e.Ports().Session, messages...)
}
