package pipeline

import (
	"slices"
	"strconv"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxParamDepth bounds the walk through nested init parameters; the reader of the file allows no more.
const maxParamDepth = 64

// fillParams returns a component's init parameters, nested objects of registered types with their defaults too: what
// Haystack's to_dict writes.
func fillParams(reg *component.Registry, own *value.Dict) *value.Dict {
	out := own.Clone()
	for k, v := range own.All() {
		if holdsMore(v) {
			out.SetKey(k, fillNested(reg, v, 1))
		}
	}
	return out
}

func paramsOf(reg *component.Registry, typ string) ([]component.Param, bool) {
	if t, ok := reg.Lookup(typ); ok {
		return t.Params, true
	}
	if s, ok := reg.Store(typ); ok {
		return s.Params, true
	}
	return nil, false
}

func fillWith(reg *component.Registry, params []component.Param, given *value.Dict, depth int) *value.Dict {
	out := &value.Dict{}
	out.Grow(len(params))
	for _, p := range params {
		v, ok := given.Get(p.Name)
		if !ok {
			v = p.Default
		}
		if v != nil {
			out.Set(p.Name, fillNested(reg, v, depth+1))
		}
	}
	return out
}

func fillNested(reg *component.Registry, v value.Value, depth int) value.Value {
	if depth > maxParamDepth {
		return v
	}
	switch v := v.(type) {
	case *value.List:
		out := &value.List{Items: make([]value.Value, len(v.Items))}
		for i, it := range v.Items {
			out.Items[i] = fillNested(reg, it, depth+1)
		}
		return out
	case *value.Dict:
		return fillDict(reg, v, depth)
	}
	return v
}

func fillDict(reg *component.Registry, d *value.Dict, depth int) value.Value {
	typ, _ := d.Get("type")
	name, _ := typ.(value.Str)
	given, _ := d.Get("init_parameters")
	inner, isDict := given.(*value.Dict)
	params, known := paramsOf(reg, string(name))
	if known && (isDict || value.IsNone(given)) {
		canonical := string(name)
		if t, ok := reg.Lookup(canonical); ok {
			canonical = t.Name
		}
		return value.NewDict("init_parameters", fillWith(reg, params, inner, depth), "type", value.Str(canonical))
	}
	out := &value.Dict{}
	out.Grow(d.Len())
	for k, x := range d.All() {
		out.SetKey(k, fillNested(reg, x, depth+1))
	}
	return out
}

// declaredSecrets joins what the constructors read as secrets with what stands in the init parameters in a secret's form
// (a tool's headers, say), without naming one twice.
func declaredSecrets(p *Pipeline) []component.DeclaredSecret {
	out := slices.Clone(p.record.Secrets)
	for _, n := range p.nodes {
		if n.params == nil {
			continue
		}
		walkSecrets(n.params, "", 0, func(path string, s component.Secret) {
			same := func(d component.DeclaredSecret) bool {
				return d.Component == n.name && d.Param == path && slices.Equal(d.Secret.EnvVars, s.EnvVars)
			}
			if !slices.ContainsFunc(out, same) {
				out = append(out, component.DeclaredSecret{Component: n.name, Type: n.typ, Param: path, Secret: s})
			}
		})
	}
	return out
}

func walkSecrets(v value.Value, path string, depth int, found func(path string, s component.Secret)) {
	if depth > maxParamDepth {
		return
	}
	switch v := v.(type) {
	case *value.List:
		for i, it := range v.Items {
			if !holdsMore(it) {
				continue
			}
			walkSecrets(it, path+"["+strconv.Itoa(i)+"]", depth+1, found)
		}
	case *value.Dict:
		if t, _ := v.Get("type"); t == value.Str("env_var") {
			if s, err := component.ParseSecret(v); err == nil {
				found(path, s)
			}
			return
		}
		for k, x := range v.Strings() {
			if holdsMore(x) {
				walkSecrets(x, joinPath(path, k), depth+1, found)
			}
		}
	}
}

// holdsMore reports whether a secret can be in a value.
func holdsMore(v value.Value) bool {
	switch v.(type) {
	case *value.List, *value.Dict:
		return true
	}
	return false
}

// joinPath leaves out the levels that only serialisation adds, so that a child's key is "chat_generator.api_key".
func joinPath(path, key string) string {
	switch {
	case path == "":
		return key
	case key == "init_parameters":
		return path
	}
	return path + "." + key
}
