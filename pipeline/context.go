package pipeline

import (
	"context"
	"maps"

	"github.com/haywardhq/hayward/sealed"
)

// ambientKey is the context key of [WithSecrets].
type ambientKey struct{}

// WithSecrets returns a context in which runs find these secrets, by variable name, after their own run context and the
// plan's init context, and before the host's back end. It is the counterpart of setting a ContextVar.
//
// A set replaces the one outside it as a whole, as setting a ContextVar does: names are not merged. WithSecrets(ctx, nil)
// hides the outer set. Going back is using the outer context again. The map is copied.
func WithSecrets(ctx context.Context, secrets map[string]sealed.Value) context.Context {
	return context.WithValue(ctx, ambientKey{}, maps.Clone(secrets))
}

func ambientSecrets(ctx context.Context) map[string]sealed.Value {
	set, _ := ctx.Value(ambientKey{}).(map[string]sealed.Value)
	return set
}

// Init is what a handle on a plan carries for all its runs: Haystack's proposed Pipeline(context=...).
type Init struct {
	// Secrets are asked after the run context's.
	Secrets map[string]sealed.Value
}

// With returns a handle on the same compiled plan with its own init context. It costs one small allocation and shares
// everything else; a server never shares a handle between tenants. An earlier init context is replaced.
func (p *Plan) With(init Init) *Plan {
	handle := *p
	handle.init = Init{Secrets: maps.Clone(init.Secrets)}
	return &handle
}
