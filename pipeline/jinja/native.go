package jinja

import (
	"context"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// RenderNative renders to a value instead of text, as jinja2.nativetypes.NativeEnvironment does: a single value that is
// no text comes out as it is; everything else is joined to text and read as a Python literal, or stays text if it is
// none. Nothing at all is None. Errors are those of [Template.Render].
func (t *Template) RenderNative(ctx context.Context, vars Vars) (value.Value, error) {
	var out value.Value
	err := t.execute(ctx, vars, func(r *run, f *frame) error {
		var pieces []value.Value
		r.native, r.python = &pieces, true
		if err := t.prog.body(r, f); err != nil {
			return err
		}
		r.native = nil
		var err error
		out, err = r.joinNative(pieces)
		return err
	})
	return out, err
}

func (r *run) joinNative(pieces []value.Value) (value.Value, error) {
	if len(pieces) == 0 {
		return value.None, nil
	}
	text, ok := str(pieces[0])
	if len(pieces) == 1 && !ok {
		if err := strict(pieces[0]); err != nil {
			return nil, err
		}
		out, _, err := r.outward(pieces[0], 0)
		return out, err
	}
	if len(pieces) > 1 {
		text = ""
		for _, p := range pieces {
			if err := r.print(p); err != nil {
				return nil, err
			}
		}
		text = string(r.buf)
	}
	// Jinja parses the text itself, so that unlike in literal_eval a leading space is a syntax error.
	if !strings.HasPrefix(text, " ") && !strings.HasPrefix(text, "\t") {
		if v, err := value.LiteralEval(text); err == nil {
			return v, nil
		}
	}
	return value.Str(text), nil
}

// outward turns what only templates know into what others do, inside lists, tuples and dicts as well: an undefined into
// None, markup into a str. What holds neither stays as it is, and so does what is too deep to be looked at.
func (r *run) outward(v value.Value, depth int) (out value.Value, changed bool, err error) {
	if depth > maxValueNest {
		return v, false, nil
	}
	if err := r.step(); err != nil {
		return nil, false, err
	}
	switch v := v.(type) {
	case *undefined:
		return value.None, true, nil
	case markup:
		return value.Str(v.text), true, nil
	case *groupTuple:
		items, _, err := r.outwardItems(v.pair, depth)
		return value.Tuple(items), true, err
	case value.Tuple:
		items, changed, err := r.outwardItems(v, depth)
		return value.Tuple(items), changed, err
	case *value.List:
		items, changed, err := r.outwardItems(v.Items, depth)
		if !changed {
			return v, false, err
		}
		return &value.List{Items: items}, true, err
	case *value.Set:
		items, changed, err := r.outwardItems(v.Items(), depth)
		if !changed {
			return v, false, err
		}
		out, _ := value.NewSet(items...)
		return out, true, err
	case *value.Dict:
		return r.outwardDict(v, depth)
	}
	return v, false, nil
}

// outwardItems returns the items themselves if none of them changes.
func (r *run) outwardItems(items []value.Value, depth int) (out []value.Value, changed bool, err error) {
	out = items
	for i, x := range items {
		y, other, err := r.outward(x, depth+1)
		if err != nil {
			return nil, false, err
		}
		if !other {
			continue
		}
		if !changed {
			if err := r.allocItems(len(items)); err != nil {
				return nil, false, err
			}
			out, changed = slices.Clone(items), true
		}
		out[i] = y
	}
	return out, changed, nil
}

func (r *run) outwardDict(d *value.Dict, depth int) (value.Value, bool, error) {
	var pairs []value.Value
	for k, v := range d.All() {
		pairs = append(pairs, k, v)
	}
	pairs, changed, err := r.outwardItems(pairs, depth)
	if err != nil || !changed {
		return d, false, err
	}
	out := &value.Dict{}
	for i := 0; i < len(pairs); i += 2 {
		out.SetKey(pairs[i], pairs[i+1])
	}
	return out, true, nil
}
