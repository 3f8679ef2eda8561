package component

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Builder gives a constructor its init parameters, with the type's defaults filled in. Typed getters remember the first
// problem instead of returning it, so that a constructor reads all it needs and then asks [Builder.Err] once.
type Builder struct {
	Name     string                            // the component's name in the pipeline
	Type     *Type                             // the type being built
	Params   *value.Dict                       // every init parameter, defaults filled in
	Where    fault.Where                       // where the component stands in its file
	Registry *Registry                         // for children
	Position func(param string) fault.Position // where a parameter stands; may be nil
	err      error
}

// NewBuilder fills in defaults and refuses unknown and missing parameters.
func NewBuilder(name string, t *Type, given *value.Dict, where fault.Where, reg *Registry) (*Builder, error) {
	b := &Builder{Name: name, Type: t, Where: where, Registry: reg}
	for key := range given.All() {
		if s, ok := key.(value.Str); !ok || !t.takes(string(s)) {
			err := fault.New(fault.Invalid, "component '%s' (%s) has no init parameter %s", name, t.Name, value.Repr(key)).
				WithCode("DeserializationError").At(where)
			if instead, older := t.Dropped[string(s)]; older {
				return nil, err.WithHint("versions of Haystack before 3 had it; %s", instead)
			}
			return nil, err.WithHint("its parameters are: %s", strings.Join(t.ParamNames(), ", "))
		}
	}
	if reg != nil && reg.blanks[t] != nil {
		b.Params = reg.blanks[t].Clone()
	} else {
		b.Params = blank(t)
	}
	for key, v := range given.All() {
		b.Params.SetKey(key, v)
	}
	for _, v := range b.Params.All() {
		if v == nil {
			return nil, b.lacks(given).At(where)
		}
	}
	return b, nil
}

// lacks is the error for the first required parameter that was not given.
func (b *Builder) lacks(given *value.Dict) *fault.Error {
	missing := slices.IndexFunc(b.Type.Params, func(p Param) bool {
		_, ok := given.Get(p.Name)
		return !ok && p.Default == nil
	})
	return fault.New(fault.Invalid, "component '%s' (%s) lacks its required init parameter '%s'", b.Name, b.Type.Name,
		b.Type.Params[missing].Name).WithCode("DeserializationError")
}

func (t *Type) takes(param string) bool {
	for i := range t.Params {
		if t.Params[i].Name == param {
			return true
		}
	}
	return false
}

// ParamNames lists the init parameters in order.
func (t *Type) ParamNames() []string {
	out := make([]string, len(t.Params))
	for i, p := range t.Params {
		out[i] = p.Name
	}
	return out
}

// Err returns the first problem that a getter or [Builder.Fail] met.
func (b *Builder) Err() error { return b.err }

// Fail remembers a problem with a parameter, unless there was one before.
func (b *Builder) Fail(param, format string, args ...any) {
	if b.err != nil {
		return
	}
	where := b.Where
	where.Component, where.Type, where.Field = b.Name, b.Type.Name, b.path(param)
	if b.Position != nil {
		if p := b.Position(param); !p.IsZero() {
			where.Position = p
		}
	}
	b.err = fault.New(fault.Invalid, format, args...).WithCode("DeserializationError").At(where)
}

func (b *Builder) wrong(param, want string, got value.Value) {
	b.Fail(param, "component '%s': init parameter '%s' must be %s, but is %s", b.Name, param, want, value.TypeName(got))
}

// Get returns a parameter as it is.
func (b *Builder) Get(name string) value.Value {
	v, ok := b.Params.Get(name)
	if !ok {
		panic("component: " + b.Type.Name + " reads an init parameter it does not declare: " + name)
	}
	return v
}

// Has reports whether the type declares a parameter, for code that several types share.
func (b *Builder) Has(name string) bool {
	_, ok := b.Params.Get(name)
	return ok
}

// IsNone reports whether a parameter is None.
func (b *Builder) IsNone(name string) bool { return b.Get(name) == value.None }

// Str returns a str parameter.
func (b *Builder) Str(name string) string {
	v := b.Get(name)
	s, ok := v.(value.Str)
	if !ok {
		b.wrong(name, "a string", v)
	}
	return string(s)
}

// OptStr returns a str parameter that may be None.
func (b *Builder) OptStr(name string) *string {
	if b.IsNone(name) {
		return nil
	}
	s := b.Str(name)
	return &s
}

// Bool returns a bool parameter; None counts as false, as in a Python condition.
func (b *Builder) Bool(name string) bool {
	switch v := b.Get(name).(type) {
	case value.Bool:
		return bool(v)
	default:
		if v != value.None {
			b.wrong(name, "true or false", v)
		}
		return false
	}
}

// Int returns an int parameter.
func (b *Builder) Int(name string) int {
	v := b.Get(name)
	n, ok := v.(value.Int)
	if !ok {
		b.wrong(name, "a whole number", v)
	}
	return int(n)
}

// OptInt returns an int parameter that may be None.
func (b *Builder) OptInt(name string) *int {
	if b.IsNone(name) {
		return nil
	}
	n := b.Int(name)
	return &n
}

// Float returns a parameter that is a float or an int.
func (b *Builder) Float(name string) float64 {
	switch v := b.Get(name).(type) {
	case value.Float:
		return float64(v)
	case value.Int:
		return float64(v)
	default:
		b.wrong(name, "a number", v)
		return 0
	}
}

// OptFloat returns a number parameter that may be None.
func (b *Builder) OptFloat(name string) *float64 {
	if b.IsNone(name) {
		return nil
	}
	f := b.Float(name)
	return &f
}

// Dict returns a dict parameter; None gives an empty dict.
func (b *Builder) Dict(name string) *value.Dict {
	switch v := b.Get(name).(type) {
	case *value.Dict:
		return v
	default:
		if v != value.None {
			b.wrong(name, "a mapping", v)
		}
		return &value.Dict{}
	}
}

// List returns a list parameter; None gives nil.
func (b *Builder) List(name string) []value.Value {
	switch v := b.Get(name).(type) {
	case *value.List:
		return v.Items
	case value.Tuple:
		return v
	default:
		if v != value.None {
			b.wrong(name, "a list", v)
		}
		return nil
	}
}

// Strs returns a parameter that is a list of strings; None gives nil.
func (b *Builder) Strs(name string) []string {
	items := b.List(name)
	if items == nil {
		return nil
	}
	out := make([]string, 0, len(items))
	for _, it := range items {
		s, ok := it.(value.Str)
		if !ok {
			b.wrong(name, "a list of strings", b.Get(name))
			return nil
		}
		out = append(out, string(s))
	}
	return out
}

// OneOf returns a str parameter that must be one of the given words.
func (b *Builder) OneOf(name string, words ...string) string {
	s := b.Str(name)
	if b.err == nil && !slices.Contains(words, s) {
		b.Fail(name, "component '%s': init parameter '%s' must be one of %s, but is '%s'", b.Name, name, strings.Join(words, ", "), s)
	}
	return s
}

// Secret returns a parameter that names a secret; None gives the zero Secret. A literal value is refused.
func (b *Builder) Secret(name string) Secret {
	v := b.Get(name)
	if v == value.None {
		return Secret{}
	}
	s, err := ParseSecret(v)
	if err != nil {
		b.Fail(name, "component '%s': init parameter '%s': %s", b.Name, name, err.Error())
	}
	b.noteSecret(name, s)
	return s
}

// EnvSecret is the default value of a parameter that names a secret.
func EnvSecret(strict bool, names ...string) value.Value {
	list := value.NewList()
	for _, n := range names {
		list.Items = append(list.Items, value.Str(n))
	}
	return value.NewDict("type", value.Str("env_var"), "env_vars", list, "strict", value.Bool(strict))
}

// ParseSecret reads {"type": "env_var", "env_vars": [...], "strict": bool}. The error never quotes the value, which may
// be a key that somebody pasted.
func ParseSecret(v value.Value) (Secret, error) {
	const want = `must be {"type": "env_var", "env_vars": ["NAME"], "strict": true}`
	d, ok := v.(*value.Dict)
	if !ok {
		return Secret{}, fault.New(fault.Invalid, "a secret %s; a literal value does not belong in a pipeline file", want)
	}
	if t, _ := d.Get("type"); t != value.Str("env_var") {
		return Secret{}, fault.New(fault.Unsupported, "a secret %s; token secrets cannot be serialized", want)
	}
	out := Secret{Strict: true}
	vars, _ := d.Get("env_vars")
	list, ok := vars.(*value.List)
	if !ok || len(list.Items) == 0 {
		return Secret{}, fault.New(fault.Invalid, "a secret %s: env_vars is missing or empty", want)
	}
	for _, it := range list.Items {
		s, ok := it.(value.Str)
		if !ok || s == "" {
			return Secret{}, fault.New(fault.Invalid, "a secret %s: env_vars holds something that is not a name", want)
		}
		out.EnvVars = append(out.EnvVars, string(s))
	}
	if strict, ok := d.Get("strict"); ok {
		sb, ok := strict.(value.Bool)
		if !ok {
			return Secret{}, fault.New(fault.Invalid, "a secret %s: strict is not true or false", want)
		}
		out.Strict = bool(sb)
	}
	for key := range d.Strings() {
		if key != "type" && key != "env_vars" && key != "strict" {
			return Secret{}, fault.New(fault.Invalid, "a secret %s: it has no field %q", want, key)
		}
	}
	return out, nil
}

// Nested reads a nested object ({"type": ..., "init_parameters": {...}}) from a parameter; ok is false for None and
// after a problem.
func (b *Builder) Nested(name string) (typ string, params *value.Dict, ok bool) {
	v := b.Get(name)
	if v == value.None {
		return "", nil, false
	}
	d, isDict := v.(*value.Dict)
	if !isDict {
		b.wrong(name, "a mapping with type and init_parameters", v)
		return "", nil, false
	}
	t, _ := d.Get("type")
	s, isStr := t.(value.Str)
	if !isStr {
		b.Fail(name, "component '%s': init parameter '%s' lacks its 'type'", b.Name, name)
		return "", nil, false
	}
	params = &value.Dict{}
	if p, given := d.Get("init_parameters"); given && p != value.None {
		if params, isDict = p.(*value.Dict); !isDict {
			b.Fail(name, "component '%s': the init_parameters of '%s' must be a mapping", b.Name, name)
			return "", nil, false
		}
	}
	return string(s), params, true
}

// Child builds the component that a parameter holds; nil for None and after a problem.
func (b *Builder) Child(name string) *Child {
	typ, params, ok := b.Nested(name)
	if !ok {
		return nil
	}
	where := b.Where
	where.Field = b.path(name)
	c, err := b.Registry.Build(b.Name, typ, params, where)
	if err != nil {
		if b.err == nil {
			b.err = err
		}
		return nil
	}
	return c
}

// Store reads the reference to a document store that a parameter holds.
func (b *Builder) Store(name string) docstore.Ref {
	typ, params, ok := b.Nested(name)
	if !ok {
		if b.err == nil {
			b.wrong(name, "a document store", b.Get(name))
		}
		return docstore.Ref{}
	}
	ref, err := b.Registry.StoreRef(b.Name, typ, params)
	if err != nil {
		b.Fail(name, "component '%s': %s", b.Name, err.Error())
		return docstore.Ref{}
	}
	b.noteStore(ref)
	return ref
}
