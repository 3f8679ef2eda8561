package flag

import (
	"context"
	"maps"
	"reflect"

	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/scope"
)

// Attributes is what is known about a caller besides the scope: country, plan, app version. Values are what JSON can say.
type Attributes map[string]any

type attributesKey struct{}

// WithAttributes returns a context in which conditions see these attributes, in place of all there were. It keeps a copy.
// The names app_id, tenant_id, user_id and ip are the scope's: given here, they are ignored.
func WithAttributes(ctx context.Context, a Attributes) context.Context {
	c := make(Attributes, len(a))
	for k, v := range a {
		c[k] = plainList(typed.Clone(v))
	}
	return context.WithValue(ctx, attributesKey{}, c)
}

// plainList makes a []any of every list, so that a []string matches as one.
func plainList(v any) any {
	if _, ok := v.([]any); ok || v == nil {
		return v
	}
	list := reflect.ValueOf(v)
	if k := list.Kind(); k != reflect.Slice && k != reflect.Array {
		return v
	}
	out := make([]any, list.Len())
	for i := range out {
		out[i] = list.Index(i).Interface()
	}
	return out
}

type tagsKey struct{}

// WithTags returns a context in which rules see these tags of the tenant, in place of asking the source of
// [WithTenantTags]. It keeps a copy.
func WithTags(ctx context.Context, tags map[string]string) context.Context {
	return context.WithValue(ctx, tagsKey{}, maps.Clone(tags))
}

// Target is whom a flag is evaluated for, as a custom evaluator sees it.
type Target struct {
	App, Tenant, User, IP string
	Attributes            Attributes // not to be changed
	FlagKey               string
}

// subject is a caller during one evaluation. The attributes are looked up when the first rule needs them.
type subject struct {
	ctx    context.Context
	caller *scope.Caller // shared: not to be changed
	attrs  Attributes
	looked bool
	depth  int
}

func (s *subject) attributes() Attributes {
	if !s.looked {
		s.attrs, _ = s.ctx.Value(attributesKey{}).(Attributes)
		s.looked = true
	}
	return s.attrs
}

func (s *subject) attribute(name string) (any, bool) {
	own := ""
	switch name {
	case "app_id":
		own = s.caller.App
	case "tenant_id":
		own = s.caller.Tenant
	case "user_id":
		own = s.caller.User
	case "ip":
		own = s.caller.IP
	default:
		v, ok := s.attributes()[name]
		return v, ok
	}
	return own, own != ""
}
