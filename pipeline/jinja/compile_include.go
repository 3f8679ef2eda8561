package jinja

import (
	"cmp"

	"github.com/haywardhq/hayward/pipeline/value"
)

// include takes a name or several to choose from.
func (c *compiler) include(n *includeStmt, s *scope) (execFn, error) {
	e, err := c.expr(n.template, s)
	return lined(n.line, func(r *run, f *frame) error {
		v, err := e(r, f)
		if err != nil {
			return err
		}
		if err = r.selectTemplate(v); n.ignoreMissing && catchable(err, "TemplatesNotFound") {
			err = nil
		}
		return err
	}), err
}

func (r *run) selectTemplate(v value.Value) error {
	if _, ok := str(v); ok || asUndefined(v) != nil {
		return errNoLoader()
	}
	if ok, err := truth(v); err != nil || !ok {
		return cmp.Or(err, raise("TemplatesNotFound", "Tried to select from an empty list of templates."))
	}
	it, err := r.iter(v)
	if err != nil {
		return err
	}
	if _, ok, err := r.pull(it); ok || err != nil {
		return cmp.Or(err, errNoLoader())
	}
	return raise("TemplatesNotFound", "none of the templates given were found: ")
}
