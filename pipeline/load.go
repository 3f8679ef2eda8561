package pipeline

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pyyaml"
	"github.com/haywardhq/hayward/pipeline/value"
)

// LoadOptions changes [Load]. The zero value is usable.
type LoadOptions struct {
	Limits Limits
	YAML   pyyaml.Limits // size, depth and nodes of the file
}

// Load reads a pipeline file of Haystack 3, or of Haystack 2 (see [Plan.Generation]), and compiles it: components, connections, metadata, max_runs_per_component and
// connection_type_validation as Haystack reads them (Pipeline.loads), inputs and outputs as Hayhooks does; other top-level
// keys are kept (see [Plan.Extra]). file is its name in errors.
//
// Problems that can be found together are returned together ([Problems]); each has its place. A component that cannot be
// made does not hide a bad connection elsewhere, and connections to it are not reported on top.
func Load(src []byte, file string, registry *component.Registry, opts LoadOptions) (*Plan, error) {
	doc, err := pyyaml.Load(src, file, opts.YAML)
	if err != nil {
		return nil, err
	}
	l := &loader{doc: doc, p: New(registry), failed: map[string]bool{}}
	l.p.Limits = opts.Limits
	if doc.Root == nil || doc.Root.Kind != pyyaml.Mapping {
		return nil, invalid(CodeDeserializationError, "a pipeline file is a mapping with components and connections, not %s", kindName(doc.Value())).
			At(fault.Where{Position: doc.Pos()})
	}
	l.generation()
	l.settings()
	l.components()
	l.connections()
	l.declared()
	l.others()
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	return l.p.Compile()
}

type loader struct {
	doc      *pyyaml.Document
	p        *Pipeline
	problems Problems
	failed   map[string]bool // components that could not be made
	crowded  bool            // a limit was hit: more of the same is not reported
}

// topLevel are the keys that Haystack reads.
var topLevel = []string{"components", "connections", "metadata", "max_runs_per_component", "connection_type_validation"}

func (l *loader) bad(where fault.Where, path []any, format string, args ...any) {
	where.Position = l.doc.ValuePos(path...)
	l.problems.add(invalid(CodeDeserializationError, format, args...).At(where))
}

func (l *loader) settings() {
	root := l.doc.Root
	if n := root.Get("metadata"); n != nil {
		switch d := n.Value.(type) {
		case *value.Dict:
			l.p.Metadata = d
		default:
			if d != value.None {
				l.bad(fault.Where{Field: "metadata"}, []any{"metadata"}, "metadata must be a mapping, not %s", kindName(d))
			}
		}
	}
	l.runs("max_runs_per_component")
	if n := root.Get(maxLoopsAllowed); n != nil && n.Value != value.None {
		l.runs(maxLoopsAllowed) // it wins, as in Haystack 2.6
	}
	if n := root.Get("connection_type_validation"); n != nil {
		validate, ok := n.Value.(value.Bool)
		if !ok {
			l.bad(fault.Where{Field: "connection_type_validation"}, []any{"connection_type_validation"},
				"connection_type_validation must be true or false, not %s", kindName(n.Value))
		} else {
			l.p.ConnectionTypeValidation = bool(validate)
		}
	}
}

func (l *loader) runs(key string) {
	n := l.doc.Root.Get(key)
	if n == nil {
		return
	}
	runs, ok := n.Value.(value.Int)
	if !ok || runs < 1 || runs > 1<<30 {
		l.bad(fault.Where{Field: key}, []any{key}, "%s must be a whole number of at least 1, not %s", key, value.Repr(n.Value))
		return
	}
	l.p.MaxRunsPerComponent = int(runs)
}

// section returns a top-level node of the given kind; nil when the file leaves it out or holds something else.
func (l *loader) section(key string, kind pyyaml.Kind, want string) *pyyaml.Node {
	n := l.doc.Root.Get(key)
	if n == nil || n.Kind == kind {
		return n
	}
	l.bad(fault.Where{Field: key}, []any{key}, "%s must be %s, not %s", key, want, kindName(n.Value))
	return nil
}

func (l *loader) components() {
	n := l.section("components", pyyaml.Mapping, "a mapping of names to components")
	if n == nil {
		return
	}
	for name, entry := range l.lastWins(n) {
		key, _ := n.Entry(name)
		l.component(name, key.Pos, entry)
	}
}

// lastWins yields the entries of a mapping with a text key. Of two equal keys the last value counts, at the place of the
// first, as in a Python dict.
func (l *loader) lastWins(n *pyyaml.Node) func(yield func(string, *pyyaml.Node) bool) {
	return func(yield func(string, *pyyaml.Node) bool) {
		d, _ := n.Value.(*value.Dict)
		for k := range d.All() {
			name, ok := k.(value.Str)
			if !ok {
				l.problems.add(invalid(CodeDeserializationError, "%s is not a name: it is %s in YAML; put it in quotes", value.ToStr(k), kindName(k)).
					At(fault.Where{Position: n.Pos}))
				continue
			}
			if !yield(string(name), n.Get(string(name))) {
				return
			}
		}
	}
}

func (l *loader) component(name string, pos fault.Position, entry *pyyaml.Node) {
	where := fault.Where{Component: name, Position: pos}
	l.failed[name] = true
	if l.crowded {
		return
	}
	if entry.Kind != pyyaml.Mapping {
		l.bad(where, []any{"components", name}, "component '%s' must be a mapping with type and init_parameters, not %s", name, kindName(entry.Value))
		return
	}
	typ := entry.Get("type")
	if typ == nil {
		l.problems.add(invalid(CodePipelineError, "Missing 'type' in component '%s'", name).At(where))
		return
	}
	typeName, ok := typ.Value.(value.Str)
	if !ok {
		l.bad(where, []any{"components", name, "type"}, "the type of component '%s' must be a text, not %s", name, kindName(typ.Value))
		return
	}
	params, ok := l.params(name, entry, where)
	if !l.strangeKeys(entry, where, func() string { return "component '" + name + "'" }, "type", "init_parameters") || !ok {
		return
	}
	params = l.older(name, string(typeName), params)
	position := func(param string) fault.Position {
		return l.doc.Pos("components", name, "init_parameters", param)
	}
	if _, known := l.p.registry.Lookup(string(typeName)); !known {
		where.Position = l.doc.ValuePos("components", name, "type")
	}
	if err := l.p.addAt(name, string(typeName), params, where, position); err != nil {
		l.problems.add(placed(err, where))
		l.crowded = fault.Is(err, fault.TooLarge)
		return
	}
	delete(l.failed, name)
}

func (l *loader) params(name string, entry *pyyaml.Node, where fault.Where) (*value.Dict, bool) {
	n := entry.Get("init_parameters")
	if n == nil || n.Value == value.None {
		return &value.Dict{}, true
	}
	d, ok := n.Value.(*value.Dict)
	if !ok {
		l.bad(where, []any{"components", name, "init_parameters"}, "the init_parameters of component '%s' must be a mapping, not %s", name, kindName(n.Value))
	}
	return d, ok
}

// strangeKeys warns about keys that mean nothing, as Haystack would ignore them, and refuses those that look like a
// misspelling of one that does.
func (l *loader) strangeKeys(n *pyyaml.Node, where fault.Where, what func() string, known ...string) bool {
	fine := true
	for _, k := range n.Keys {
		key, ok := k.Value.(value.Str)
		if ok && slices.Contains(known, string(key)) {
			continue
		}
		what := what()
		text := value.ToStr(k.Value)
		if near := component.Nearest(text, known, 1); ok && len(near) > 0 {
			where.Position = k.Pos
			l.problems.add(invalid(CodeDeserializationError, "%s has a key '%s' that means nothing", what, text).
				WithHint("did you mean '%s'?", near[0]).At(where))
			fine = false
			continue
		}
		l.p.warnings = append(l.p.warnings, what+" has a key '"+text+"' that means nothing ("+k.Pos.String()+")")
	}
	return fine
}

// placed gives an error the place of what it is about, as far as it does not know it itself.
func placed(err error, where fault.Where) error {
	f := fault.From(err)
	at := f.Where
	if at.Position.IsZero() {
		at.Position = where.Position
	}
	if at.Component == "" {
		at.Component = where.Component
	}
	if at.Type == "" {
		at.Type = where.Type
	}
	return f.At(at)
}

func (l *loader) connections() {
	n := l.section("connections", pyyaml.Sequence, "a list of sender and receiver pairs")
	if n == nil {
		return
	}
	for i, entry := range n.Items {
		if !l.connection(i, entry) {
			return
		}
	}
}

// connection makes one connection; false stops at a limit.
func (l *loader) connection(i int, entry *pyyaml.Node) bool {
	where := fault.Where{Position: entry.Pos}
	if entry.Kind != pyyaml.Mapping {
		l.bad(where, []any{"connections", i}, "a connection must be a mapping with sender and receiver, not %s", kindName(entry.Value))
		return true
	}
	var ends [2]string
	for k, key := range [...]string{"sender", "receiver"} {
		n := entry.Get(key)
		if n == nil {
			l.problems.add(invalid(CodePipelineError, "Missing %s in connection: %s", key, value.Repr(entry.Value)).At(where))
			return true
		}
		text, ok := n.Value.(value.Str)
		if !ok {
			l.bad(where, []any{"connections", i, key}, "the %s of a connection must be a text such as 'component.socket', not %s", key, kindName(n.Value))
			return true
		}
		ends[k] = string(text)
	}
	if !l.strangeKeys(entry, where, func() string { return "connection " + ends[0] + " -> " + ends[1] }, "sender", "receiver") || l.touchesFailed(ends) {
		return true
	}
	if err := l.p.Connect(ends[0], ends[1]); err != nil {
		f := fault.From(err)
		if f.Where.Socket == ends[0] {
			where.Position = l.doc.ValuePos("connections", i, "sender")
		} else if f.Where.Socket == ends[1] {
			where.Position = l.doc.ValuePos("connections", i, "receiver")
		}
		l.problems.add(placed(err, where))
		return !fault.Is(err, fault.TooLarge)
	}
	return true
}

// touchesFailed reports whether a connection names a component that could not be made.
func (l *loader) touchesFailed(ends [2]string) bool {
	for _, e := range ends {
		name, _, _ := strings.Cut(e, ".")
		if l.failed[name] {
			return true
		}
	}
	return false
}

func (l *loader) declared() {
	for _, section := range [...]string{"inputs", "outputs"} {
		n := l.section(section, pyyaml.Mapping, "a mapping of names to component.socket")
		if n == nil {
			continue
		}
		for name, entry := range l.lastWins(n) {
			targets, list, ok := l.targets(section, name, entry)
			if !ok || l.touchesFailedAny(targets) {
				continue
			}
			var err *fault.Error
			if section == "inputs" {
				err = l.p.declareInput(name, targets, list)
			} else {
				err = l.p.declareOutput(name, targets)
			}
			if err != nil {
				l.problems.add(placed(err, fault.Where{Position: l.doc.ValuePos(section, name)}))
			}
		}
	}
}

func (l *loader) touchesFailedAny(targets []string) bool {
	return slices.ContainsFunc(targets, func(t string) bool { return l.touchesFailed([2]string{t, t}) })
}

func (l *loader) targets(section, name string, entry *pyyaml.Node) (targets []string, list, ok bool) {
	items := []*pyyaml.Node{entry}
	if entry.Kind == pyyaml.Sequence {
		items, list = entry.Items, true
	}
	for _, it := range items {
		s, isText := it.Value.(value.Str)
		if !isText {
			l.problems.add(invalid(CodeValidationError, "%s: '%s' must name component.socket, or a list of such, not %s", section, name, kindName(it.Value)).
				At(fault.Where{Position: it.Pos, Field: name}))
			return nil, list, false
		}
		targets = append(targets, string(s))
	}
	if len(targets) == 0 {
		l.bad(fault.Where{Field: name}, []any{section, name}, "%s: '%s' names no socket", section, name)
	}
	return targets, list, len(targets) > 0
}

// others keeps the keys that Haystack does not know, and refuses a misspelt one: a pipeline without its connections would
// load and be another pipeline.
func (l *loader) others() {
	l.p.extra = &value.Dict{}
	root, _ := l.doc.Value().(*value.Dict)
	for k, v := range root.All() {
		key, ok := k.(value.Str)
		if ok && (slices.Contains(topLevel, string(key)) || key == maxLoopsAllowed) {
			continue
		}
		l.p.extra.SetKey(k, v)
		switch near := component.Nearest(string(key), topLevel, 1); {
		case ok && len(near) > 0 && root.Len() > 0 && l.doc.Root.Get(near[0]) == nil:
			l.problems.add(invalid(CodeDeserializationError, "the file has a key '%s' that means nothing", string(key)).
				WithHint("did you mean '%s'?", near[0]).At(fault.Where{Position: l.doc.Pos(string(key)), Field: string(key)}))
		}
	}
}

// kindName says what a value is, for people.
func kindName(v value.Value) string {
	switch v.Kind() {
	case value.KindNone:
		return "nothing"
	case value.KindStr:
		return "a text"
	case value.KindList:
		return "a list"
	case value.KindDict:
		return "a mapping"
	case value.KindInt, value.KindFloat:
		return "a number"
	case value.KindBool:
		return "true or false"
	}
	return "a " + value.TypeName(v)
}
