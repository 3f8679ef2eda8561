package component

import (
	"fmt"
	"slices"
	"sort"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/value"
)

// StoreType describes a document store class that pipelines may name.
type StoreType struct {
	Name   string
	Params []Param
	// Index is the parameter that names what stores share; "" when the class has none.
	Index string
	// Check refuses bad parameters; may be nil.
	Check func(params *value.Dict) error
}

// Registry is a closed table of component and store types. It is built once, then only read.
type Registry struct {
	types  map[string]*Type
	stores map[string]*StoreType
	blanks map[*Type]*value.Dict // the init parameters of a type that was given none; a required one is nil
	kinds  map[string]*Type      // a store type as a type with its parameters
	names  []string
	past   map[string]string
	absent []string
	record *Record
}

// WithPast returns the registry with what became of types that are not in it: the sentence that an error adds.
func (r *Registry) WithPast(past map[string]string) *Registry {
	out := *r
	out.past = past
	return &out
}

// WithAbsent returns the registry with the types that Haystack has and this table has not.
func (r *Registry) WithAbsent(types []string) *Registry {
	out := *r
	out.absent = types
	return &out
}

// Past says what became of a type of Haystack 2 that is not in the table.
func (r *Registry) Past(typ string) (string, bool) {
	s, ok := r.past[typ]
	return s, ok
}

// NewRegistry returns a table of the given types. Two types of one name are a programming error and panic.
func NewRegistry(types []*Type, stores []*StoreType) *Registry {
	r := &Registry{types: map[string]*Type{}, stores: map[string]*StoreType{}, blanks: map[*Type]*value.Dict{}, kinds: map[string]*Type{}}
	for _, t := range types {
		for _, name := range append([]string{t.Name}, t.Aliases...) {
			if r.types[name] != nil {
				panic("component: registered twice: " + name)
			}
			r.types[name] = t
		}
		r.names = append(r.names, t.Name)
		r.blanks[t] = blank(t)
	}
	for _, s := range stores {
		t := &Type{Name: s.Name, Params: s.Params}
		r.stores[s.Name], r.kinds[s.Name], r.blanks[t] = s, t, blank(t)
	}
	sort.Strings(r.names)
	return r
}

func blank(t *Type) *value.Dict {
	d := &value.Dict{}
	d.Grow(len(t.Params))
	for _, p := range t.Params {
		d.Set(p.Name, p.Default)
	}
	return d
}

// With returns a registry that also has the given types; on the same name, the new one wins.
func (r *Registry) With(types ...*Type) *Registry {
	merged := map[string]*Type{}
	for _, name := range r.names {
		merged[name] = r.types[name]
	}
	for _, t := range types {
		merged[t.Name] = t
	}
	list := make([]*Type, 0, len(merged))
	for _, t := range merged {
		list = append(list, t)
	}
	stores := make([]*StoreType, 0, len(r.stores))
	for _, s := range r.stores {
		stores = append(stores, s)
	}
	return NewRegistry(list, stores).WithPast(r.past).WithAbsent(r.absent)
}

// Store finds a document store type by its name.
func (r *Registry) Store(name string) (*StoreType, bool) {
	s, ok := r.stores[name]
	return s, ok
}

// Names lists the types in alphabetical order, without aliases.
func (r *Registry) Names() []string { return slices.Clone(r.names) }

// Lookup finds a type by its name or an alias.
func (r *Registry) Lookup(name string) (*Type, bool) {
	t, ok := r.types[name]
	return t, ok
}

// Build makes a component of the named type.
func (r *Registry) Build(name, typ string, params *value.Dict, where fault.Where) (*Child, error) {
	return r.BuildAt(name, typ, params, where, nil)
}

// BuildAt is [Registry.Build] with the places of the init parameters, for errors; position may be nil.
func (r *Registry) BuildAt(name, typ string, params *value.Dict, where fault.Where,
	position func(param string) fault.Position) (*Child, error) {
	t, ok := r.types[typ]
	if !ok {
		return nil, r.UnknownType(name, typ, where)
	}
	b, err := NewBuilder(name, t, params, where, r)
	if err != nil {
		return nil, err
	}
	b.Position = position
	c, spec, err := t.New(b)
	if err == nil {
		err = b.Err()
	}
	if err != nil {
		return nil, err
	}
	return &Child{Component: c, Spec: spec, Type: t.Name, Params: b.Params}, nil
}

// UnknownType is the error for a component of a type that is not in the table.
func (r *Registry) UnknownType(name, typ string, where fault.Where) *fault.Error {
	where.Component, where.Type = name, typ
	err := fault.New(fault.Invalid, "component '%s': there is no component type '%s' here", name, typ).WithCode("PipelineError").At(where)
	if slices.Contains(r.absent, typ) {
		return fault.New(fault.Unsupported, "component '%s': Haystack has the component type '%s'; this program does not have it yet", name, typ).
			WithCode("PipelineError").At(where).WithHint("'hayward components' lists the types that are")
	}
	if became, ok := r.past[typ]; ok {
		return err.WithHint("%s", became)
	}
	if near := Nearest(typ, r.names, 3); len(near) > 0 {
		return err.WithHint("did you mean %s?", joinOr(near))
	}
	return err.WithHint("'hayward components' lists the types that are")
}

// StoreRef makes the reference to a store of the named type.
func (r *Registry) StoreRef(component, typ string, given *value.Dict) (docstore.Ref, error) {
	s, ok := r.stores[typ]
	if !ok {
		names := make([]string, 0, len(r.stores))
		for n := range r.stores {
			names = append(names, n)
		}
		sort.Strings(names)
		return docstore.Ref{}, fault.New(fault.Invalid, "there is no document store type '%s' here", typ).
			WithCode("PipelineError").WithHint("there are: %v", names)
	}
	b, err := NewBuilder(component, r.kinds[typ], given, fault.Where{}, r)
	if err != nil {
		return docstore.Ref{}, err
	}
	if s.Check != nil {
		if err := s.Check(b.Params); err != nil {
			return docstore.Ref{}, err
		}
	}
	ref := docstore.Ref{Type: s.Name, Params: b.Params, Component: component}
	if s.Index != "" {
		if v, _ := b.Params.Get(s.Index); v != value.None {
			ix, ok := v.(value.Str)
			if !ok {
				return docstore.Ref{}, fault.New(fault.Invalid, "'%s' of %s must be a string", s.Index, s.Name)
			}
			ref.Index = string(ix)
		}
	}
	return ref, nil
}

func joinOr(names []string) string {
	out := ""
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			out += " or "
		case i > 0:
			out += ", "
		}
		out += fmt.Sprintf("'%s'", n)
	}
	return out
}
