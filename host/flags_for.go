package host

import (
	"context"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
)

// FlagTarget is for whom flags are evaluated, inside the caller's own tenant.
type FlagTarget struct {
	User       string // as the tenant names its users; empty: the caller
	Attributes flag.Attributes
}

// EvaluateFor evaluates a flag for somebody in the caller's tenant. The policy is asked about the caller, not about the
// target. A caller without a tenant is refused: whose flags would it be. An error is also in the detail, with its code.
func (f *Flags) EvaluateFor(ctx context.Context, key string, t FlagTarget) (flag.Detail, error) {
	ctx, err := f.target(ctx, t)
	if err != nil {
		return flag.Detail{}, err
	}
	return f.Detail(ctx, key)
}

// EvaluateAllFor is [Flags.EvaluateFor] for every flag of the app, by key. One that cannot be evaluated carries its error.
func (f *Flags) EvaluateAllFor(ctx context.Context, t FlagTarget) ([]flag.Detail, error) {
	ctx, err := f.target(ctx, t)
	if err != nil {
		return nil, err
	}
	return f.All(ctx)
}

func (f *Flags) target(ctx context.Context, t FlagTarget) (context.Context, error) {
	c, err := scope.Strict(ctx)
	if err != nil {
		return ctx, err
	}
	if err := decide(f.Roles, c, policy.FlagRead, false); err != nil {
		return ctx, err
	}
	return f.Target(ctx, t.User, t.Attributes)
}
