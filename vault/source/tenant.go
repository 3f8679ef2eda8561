package source

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Tenants divides one source among tenants: a name that a tenant asks for becomes a key of the source by a template such as
// "{app}/{tenant}/{name}". App and tenant are written so that two never give one key: lower-case letters, digits, dashes and
// underscores stay, every other byte becomes "=" and two hexadecimal digits ("Zürich AG" is "=5A=C3=BCrich=20=41=47"). A name
// is what may name a secret (secret.CheckName), and nothing else: no separators, no way up, no field.
type Tenants struct {
	src  Source
	head []part // of the template, up to {name}
}

type part struct{ literal, placeholder string }

// DefaultTemplate is the template that "" stands for.
const DefaultTemplate = "{app}/{tenant}/{name}"

// NewTenants reads a template. It holds {app} and {tenant} once each and ends with {name}; between two of them stands at least
// one of "/", ".", ":", "@", "+", which no written app or tenant holds. It does not begin with a slash and has no empty part
// and no part of dots.
func NewTenants(src Source, template string) (*Tenants, error) {
	if template == "" {
		template = DefaultTemplate
	}
	t := &Tenants{src: src}
	head, ok := strings.CutSuffix(template, "{name}")
	if !ok {
		return nil, badTemplate("it does not end with {name}")
	}
	parts, why := parseTemplate(head)
	if why != "" {
		return nil, badTemplate(why)
	}
	t.head = parts
	for part := range strings.SplitSeq(t.prefix("app", "tenant")+"name", "/") {
		if strings.Trim(part, ".") == "" {
			return nil, badTemplate("it has an empty part, or one of dots alone")
		}
	}
	return t, nil
}

func badTemplate(why string) error {
	return fault.New(fault.Invalid, "the template of a source for tenants is wrong: %s", why).WithHint("write for example %s", DefaultTemplate)
}

// separators are never part of a written app or tenant.
const separators = "/.:@+"

func parseTemplate(head string) (parts []part, why string) {
	seen := map[string]bool{}
	for head != "" {
		literal, rest, found := strings.Cut(head, "{")
		if strings.Trim(literal, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"+separators) != "" {
			return nil, "it holds other characters than letters, digits and _-" + separators
		}
		if literal != "" {
			parts = append(parts, part{literal: literal})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || name != "app" && name != "tenant" || seen[name] {
			return nil, "it needs {app} and {tenant}, each once"
		}
		if len(seen) > 0 && !strings.ContainsAny(literal, separators) {
			return nil, "two placeholders stand side by side"
		}
		seen[name] = true
		parts = append(parts, part{placeholder: name})
		head = after
	}
	if len(seen) < 2 {
		return nil, "it needs {app} and {tenant}, each once"
	}
	if last := parts[len(parts)-1]; last.literal == "" || !strings.ContainsAny(last.literal, separators) {
		return nil, "two placeholders stand side by side"
	}
	return parts, ""
}

// prefix is the beginning of every key of one owner; it ends with what follows the last of app and tenant.
func (t *Tenants) prefix(app, tenant string) string {
	var b strings.Builder
	for _, p := range t.head {
		switch p.placeholder {
		case "app":
			b.WriteString(encode(app))
		case "tenant":
			b.WriteString(encode(tenant))
		default:
			b.WriteString(p.literal)
		}
	}
	return b.String()
}

// encode writes an owner's id. Capital letters are written out, too: some file systems do not tell them from small ones.
func encode(id string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'=', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// For returns one tenant's part of the source. App and tenant are never guessed: a missing one is vault.ErrNoApp or
// vault.ErrNoTenant. Closing the part ends nothing; the source belongs to whoever made it.
func (t *Tenants) For(app, tenant string) (Source, error) {
	if err := driver.Owner(app, tenant); err != nil {
		return nil, err
	}
	return &scoped{t.src, t.prefix(app, tenant)}, nil
}

// Shared returns the part of what an operator shares with every tenant of an app. No tenant has that place.
func (t *Tenants) Shared(app string) (Source, error) {
	if err := driver.App(app); err != nil {
		return nil, err
	}
	return &scoped{t.src, t.prefix(app, driver.Shared)}, nil
}

// ForTenant returns one tenant's part of a source, see [Tenants].
func ForTenant(src Source, template, app, tenant string) (Source, error) {
	t, err := NewTenants(src, template)
	if err != nil {
		return nil, err
	}
	return t.For(app, tenant)
}

type scoped struct {
	src    Source
	prefix string
}

func (s *scoped) Name() string { return s.src.Name() }

// Get returns the tenant's own. A missing one and another tenant's are the same error, which names no path of the source.
func (s *scoped) Get(ctx context.Context, name string) (*Value, error) {
	if err := secret.CheckName(name); err != nil {
		return nil, err
	}
	v, err := s.src.Get(ctx, s.prefix+name)
	return s.own(v, name), s.named(err, name)
}

func (s *scoped) named(err error, name string) error {
	if fault.Is(err, fault.NotFound) {
		return missing(s.Name(), name)
	}
	return err
}

// own is the value under the tenant's name for it.
func (s *scoped) own(v *Value, name string) *Value {
	if v == nil {
		return nil
	}
	v = v.Clone()
	v.Key = name
	return v
}

func (s *scoped) List(ctx context.Context, prefix string) ([]*Value, error) {
	if prefix != "" {
		if err := secret.CheckName(prefix); err != nil {
			return nil, err
		}
	}
	all, err := s.src.List(ctx, s.prefix+prefix)
	if err != nil {
		return nil, err
	}
	out := make([]*Value, 0, len(all))
	for _, v := range all {
		name, mine := strings.CutPrefix(v.Key, s.prefix)
		if mine && secret.CheckName(name) == nil {
			out = append(out, s.own(v, name))
		}
	}
	return out, nil
}

func (s *scoped) Watch(ctx context.Context, name string, fn WatchFunc) error {
	if err := secret.CheckName(name); err != nil {
		return err
	}
	if fn == nil {
		return s.src.Watch(ctx, s.prefix+name, nil)
	}
	return s.src.Watch(ctx, s.prefix+name, func(ctx context.Context, _ string, v *Value) { fn(ctx, name, s.own(v, name)) })
}

// Close does nothing: other tenants use the source.
func (s *scoped) Close() error { return nil }
