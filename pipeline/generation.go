package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/haywardhq/hayward/pipeline/pyyaml"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxLoopsAllowed is what Haystack called max_runs_per_component until 2.6 (haystack-ai 2.6.1, core/pipeline/base.py).
const maxLoopsAllowed = "max_loops_allowed"

// Generation returns the major version of Haystack whose file this is, and what shows it. A file says nothing of its
// version: it is of Haystack 2 if it has a key or a type that Haystack 3 does not, and of Haystack 3 otherwise.
//
// Where the same type means something else in both, the file's own generation decides. A parameter that a file leaves out
// then has the default it had, and a warning says so.
func (p *Plan) Generation() (major int, marks []string) {
	if len(p.marks) > 0 {
		return 2, slices.Clone(p.marks)
	}
	return 3, nil
}

// generation looks for marks of Haystack 2 before anything is built.
func (l *loader) generation() {
	root := l.doc.Root
	if n := root.Get(maxLoopsAllowed); n != nil {
		l.p.marks = append(l.p.marks, "the key max_loops_allowed")
		l.p.warnings = append(l.p.warnings, "max_loops_allowed is a key of Haystack 2.6 and before: it counts as max_runs_per_component")
	}
	list := root.Get("components")
	if list == nil || list.Kind != pyyaml.Mapping || l.p.registry == nil {
		return
	}
	d, _ := list.Value.(*value.Dict)
	for name, entry := range d.Strings() {
		e, _ := entry.(*value.Dict)
		v, _ := e.Get("type")
		typ, ok := v.(value.Str)
		if !ok {
			continue
		}
		_, gone := l.p.registry.Past(string(typ))
		if t, known := l.p.registry.Lookup(string(typ)); known && t.Removed {
			gone = true
		}
		if gone {
			l.p.marks = append(l.p.marks, fmt.Sprintf("the type %s of component '%s'", typ, name))
		}
	}
}

// older fills in what a file of Haystack 2 left out and Haystack 3 would take otherwise.
func (l *loader) older(name, typ string, params *value.Dict) *value.Dict {
	t, ok := l.p.registry.Lookup(typ)
	if !ok || len(l.p.marks) == 0 || len(t.Older) == 0 {
		return params
	}
	for _, p := range slices.Sorted(maps.Keys(t.Older)) {
		if _, given := params.Get(p); given {
			continue
		}
		params = params.Clone()
		params.Set(p, t.Older[p])
		l.p.warnings = append(l.p.warnings, fmt.Sprintf("component '%s' leaves out '%s': it is %s, as in Haystack 2, because of %s",
			name, p, value.Repr(t.Older[p]), l.p.marks[0]))
	}
	return params
}
