package jinja

import (
	"context"
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
		r.native = &pieces
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
		return r.outward(pieces[0]), nil
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

// outward turns a value that only templates know into one that others do: an undefined into None.
func (r *run) outward(v value.Value) value.Value {
	if asUndefined(v) != nil {
		return value.None
	}
	return v
}
