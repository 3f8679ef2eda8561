package host

import (
	"context"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
)

// Flags evaluates and manages flags on behalf of a caller. What the service asks its gate for, this leaves to it: defining
// is the operator's. Evaluating asks the policy and is not recorded, since every request may do it many times over;
// explaining is for people, and is.
type Flags struct {
	*flag.Service
	Gate    audit.Gate
	Roles   Roles
	Tenants *identity.Store
}

// Evaluate evaluates one flag for the caller.
func (f *Flags) Evaluate(ctx context.Context, key string) (flag.Detail, error) {
	if err := f.mayRead(ctx); err != nil {
		return flag.Detail{}, err
	}
	return f.Detail(ctx, key)
}

// EvaluateAll evaluates every flag of the app for the caller, by key. One that cannot be evaluated carries its error.
func (f *Flags) EvaluateAll(ctx context.Context) ([]flag.Detail, error) {
	if err := f.mayRead(ctx); err != nil {
		return nil, err
	}
	return f.All(ctx)
}

func (f *Flags) mayRead(ctx context.Context) error {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return err
	}
	return decide(f.Roles, c, policy.FlagRead, false)
}

// FlagQuestion asks what a flag is for somebody, and why. The zero value of a field is the caller's own.
type FlagQuestion struct {
	Key        string
	Tenant     string // slug; another than the caller's own is for an operator
	User       string // id
	Attributes flag.Attributes
}

// ExplainFlag evaluates a flag for whom the question names, and says step by step what was looked at.
func (f *Flags) ExplainFlag(ctx context.Context, q FlagQuestion) (flag.Explanation, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return flag.Explanation{}, err
	}
	entry, err := f.Gate.Enter(ctx, audit.Request{Caller: c, Action: "flag.explain", Resource: "flag", Name: q.Key, Operator: c.Tenant == ""})
	if err != nil {
		return flag.Explanation{}, err
	}
	out, err := f.explain(ctx, c, q)
	if err := finish(ctx, entry, err); err != nil {
		return flag.Explanation{}, err
	}
	return out, nil
}

func (f *Flags) explain(ctx context.Context, c scope.Caller, q FlagQuestion) (flag.Explanation, error) {
	if q.Tenant != "" {
		t, err := tenantOf(f.Tenants, c, q.Tenant)
		if err != nil {
			return flag.Explanation{}, err
		}
		c.Tenant = t.ID
	}
	if q.User != "" {
		c.User = q.User
	}
	ctx = scope.WithCaller(ctx, c)
	if q.Attributes != nil {
		ctx = flag.WithAttributes(ctx, q.Attributes)
	}
	return f.Engine().Explain(ctx, q.Key, "")
}

// SetOverride sets the value a flag has for one tenant: the caller's own, or for an operator the one of that slug.
func (f *Flags) SetOverride(ctx context.Context, key, slug string, v any, opts ...flag.WriteOption) error {
	id, err := f.tenant(ctx, "flag.set_override", key, slug)
	if err != nil {
		return err
	}
	return f.SetTenantOverride(ctx, key, id, v, opts...)
}

// DeleteOverride removes the value a flag has for one tenant, as [Flags.SetOverride] sets it.
func (f *Flags) DeleteOverride(ctx context.Context, key, slug string, opts ...flag.WriteOption) error {
	id, err := f.tenant(ctx, "flag.delete_override", key, slug)
	if err != nil {
		return err
	}
	return f.DeleteTenantOverride(ctx, key, id, opts...)
}

// RollbackOverride makes a tenant's value what it was at a version, as [Flags.SetOverride] sets it.
func (f *Flags) RollbackOverride(ctx context.Context, key, slug string, to int64, opts ...flag.WriteOption) error {
	id, err := f.tenant(ctx, "flag.rollback_override", key, slug)
	if err != nil {
		return err
	}
	return f.RollbackTenantOverride(ctx, key, id, to, opts...)
}

// OverrideHistory returns the versions of a tenant's value, oldest first.
func (f *Flags) OverrideHistory(ctx context.Context, key, slug string) ([]*flag.Revision, error) {
	id, err := f.tenant(ctx, "flag.override_history", key, slug)
	if err != nil {
		return nil, err
	}
	return f.TenantOverrideHistory(ctx, key, id)
}

// tenant is whom a call is about. A tenant that the caller cannot mean is recorded like any other miss.
func (f *Flags) tenant(ctx context.Context, action, key, slug string) (string, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return "", err
	}
	t, missing := tenantOf(f.Tenants, c, slug)
	if missing == nil {
		return t.ID, nil
	}
	entry, err := f.Gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "flag", Name: key, Operator: c.Tenant == ""})
	if err != nil {
		return "", err
	}
	return "", entry.EndErr(ctx, missing)
}

// TenantValue is the value a flag has for one tenant.
type TenantValue struct {
	*flag.TenantOverride
	Tenant string `json:"tenant"` // slug; "" for a tenant that is no more
}

// Overrides returns the values a flag has for tenants: for an operator all of them, inside a tenant its own.
func (f *Flags) Overrides(ctx context.Context, key string) ([]TenantValue, error) {
	list, err := f.TenantOverrides(ctx, key)
	if err != nil {
		return nil, err
	}
	out := make([]TenantValue, len(list))
	for i, o := range list {
		out[i] = TenantValue{TenantOverride: o}
		if t, ok := f.Tenants.Tenant(o.AppID, o.TenantID); ok {
			out[i].Tenant = t.Slug
		}
	}
	return out, nil
}

// TenantTags is where rules on tags look: a tenant has the tag "slug".
func TenantTags(ids *identity.Store) flag.TagSource {
	return func(_ context.Context, app, tenant string) (map[string]string, error) {
		t, ok := ids.Tenant(app, tenant)
		if !ok {
			return nil, nil
		}
		return map[string]string{"slug": t.Slug}, nil
	}
}

// runFlags answers for the flags that components look at, as the tenant who runs the pipeline has them.
type runFlags struct {
	flags  *flag.Service
	caller scope.Caller
}

// Flag implements component.Flags.
func (r runFlags) Flag(ctx context.Context, name string) (value.Value, error) {
	d, err := r.flags.Detail(scope.WithCaller(ctx, r.caller), name)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return value.FromGo(d.Value)
}
