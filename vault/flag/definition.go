package flag

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/scope"
)

// ContextKey is the type of the scope's keys: there is one such type, declared in vault/scope.
type ContextKey = scope.ContextKey

// The keys under which the tenant and the user are found in a context.
const (
	ContextKeyTenantID = scope.KeyTenantID
	ContextKeyUserID   = scope.KeyUserID
)

// Type is the type of a flag's values.
type Type string

// The five types.
const (
	TypeBool   Type = "bool"
	TypeString Type = "string"
	TypeInt    Type = "int"   // any of Go's integers, each digit kept
	TypeFloat  Type = "float" // any number that a float64 holds exactly
	TypeJSON   Type = "json"  // whatever JSON can say
)

// Definition is a feature flag without its rules.
type Definition struct {
	base.Entity
	ID             id.ID             `json:"id"`
	Key            string            `json:"key"`
	Type           Type              `json:"type"`
	DefaultValue   any               `json:"default_value"`
	DefaultVariant string            `json:"default_variant,omitempty"` // in place of DefaultValue: the name of a variant
	Description    string            `json:"description,omitempty"`
	Tags           []string          `json:"tags,omitempty"`
	Variants       []Variant         `json:"variants,omitempty"`
	Prerequisites  []Prerequisite    `json:"prerequisites,omitempty"` // all must hold, or the flag has its default
	Enabled        bool              `json:"enabled"`
	AppID          string            `json:"app_id"`
	Version        int64             `json:"version"` // rises with each write; not an input
	Metadata       map[string]string `json:"metadata,omitempty"`
}

// Variant is a value with a name. A value that is returned and equals a variant's is reported with that name.
type Variant struct {
	Name        string `json:"name,omitempty"` // unique in the flag; "" takes the value's own text, or variant-1, variant-2, ...
	Value       any    `json:"value"`
	Description string `json:"description,omitempty"`
}

// Prerequisite is another flag of the same app that must be on and have a value, or a variant, for the same caller.
type Prerequisite struct {
	FlagKey string `json:"flag_key"`
	Value   any    `json:"value,omitempty"`   // nil with a Variant, or for a bool flag that must be true
	Variant string `json:"variant,omitempty"` // in place of Value
}

// ListOpts selects a page of a list.
type ListOpts struct {
	Limit  int    // 0 and everything above 1000 mean 1000
	Offset int    // entries to leave out at the start
	After  string // only keys after this one: the last of the page before
	AppID  string // in place of the app argument, if that is empty
}

// limit is the size of the page that is asked for.
func (o ListOpts) limit() (int, error) {
	if o.Limit < 0 || o.Offset < 0 {
		return 0, fault.New(fault.Invalid, "a list has no negative limit or offset").At(fault.Where{Field: "limit"})
	}
	if o.Limit == 0 || o.Limit > maxPage {
		return maxPage, nil
	}
	return o.Limit, nil
}

// Limits of a definition.
const (
	maxVariants      = 100
	maxPrerequisites = 16
	maxRules         = 1000
	maxItems         = 10_000 // ids of one rule
)

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$`)

// CheckKey refuses what cannot be a flag's key.
func CheckKey(key string) error {
	if keyPattern.MatchString(key) {
		return nil
	}
	return fault.New(fault.Invalid, "a flag's key has 1 to 128 letters, digits, dots, colons, slashes, dashes and underscores").
		At(fault.Where{Field: "key"}).WithHint("a key such as new-dashboard")
}

// cast returns v as the flag's type has it, or says what is wrong. Integers of a float flag become floats; nothing is
// rounded.
func (t Type) cast(v any, where string) (any, error) {
	e, err := typed.Encode(v)
	if err != nil {
		return nil, fault.From(err).At(fault.Where{Field: where})
	}
	if v, err = typed.Decode(e); err != nil {
		return nil, err
	}
	switch t {
	case TypeBool:
		_, err = typed.AsBool(v)
	case TypeString:
		_, err = typed.AsString(v)
	case TypeInt:
		v, err = castInt(v)
	case TypeFloat:
		v, err = typed.AsFloat(v)
	case TypeJSON:
		if e.Kind == typed.Duration {
			err = fault.New(fault.Invalid, "a duration is not JSON")
		}
	default:
		return nil, fault.New(fault.Invalid, "%q is not a type of flag", string(t)).At(fault.Where{Field: "type"}).
			WithHint("one of bool, string, int, float, json")
	}
	if err != nil {
		f := fault.From(err)
		return nil, fault.Wrap(fault.Invalid, base.ErrTypeMismatch, "a %s flag cannot have this value: %s", string(t), f.Message).
			WithCode(typed.CodeMismatch).At(fault.Where{Field: where})
	}
	return v, nil
}

// castInt keeps the Go type of an integer, and makes an int64 of a float that is one.
func castInt(v any) (any, error) {
	if u, ok := v.(uint64); ok {
		return u, nil
	}
	n, err := typed.AsInt(v)
	if err == nil && typed.Type(v) == "float" {
		return n, nil
	}
	return v, err
}

// variants returns the flag's variants with names and checked values.
func (d *Definition) variants() ([]Variant, error) {
	if len(d.Variants) > maxVariants {
		return nil, fault.New(fault.TooLarge, "a flag has at most %d variants", maxVariants).At(fault.Where{Field: "variants"})
	}
	out := make([]Variant, 0, len(d.Variants))
	for i, v := range d.Variants {
		where := "variants[" + strconv.Itoa(i) + "]"
		var err error
		if v.Value, err = d.Type.cast(v.Value, where+".value"); err != nil {
			return nil, err
		}
		if v.Name == "" {
			v.Name = nameOf(v.Value, i)
		}
		if slices.ContainsFunc(out, func(have Variant) bool { return have.Name == v.Name }) {
			return nil, fault.New(fault.Invalid, "two variants have the name %q", v.Name).At(fault.Where{Field: where + ".name"})
		}
		out = append(out, v)
	}
	return out, nil
}

func nameOf(v any, i int) string {
	if e, err := typed.Encode(v); err == nil && e.Kind != typed.JSON && len(e.Text) <= 64 {
		if s, ok := v.(string); ok && s != "" {
			return s
		}
		return e.Text
	}
	return "variant-" + strconv.Itoa(i+1)
}
