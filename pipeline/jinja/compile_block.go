package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// blockCall runs a block at its place.
func (c *compiler) blockCall(n *blockStmt, s *scope) (execFn, error) {
	b := c.blocks[n.name]
	var names map[string]ref
	if n.scoped {
		names = s.storedNames()
	}
	hops := map[string]int{}
	for name, at := range names {
		hops[name] = s.hops(at)
	}
	return lined(n.line, func(r *run, f *frame) error {
		if n.required {
			return templateErr("Required block %s not found", quote(n.name))
		}
		if !n.scoped {
			return r.runBlock(b)
		}
		vars := map[string]value.Value{}
		for name, at := range names {
			if v := f.hop(hops[name]).slots[at.slot]; v != nil {
				vars[name] = v
			}
		}
		old := r.cur
		r.cur = &scopeVars{parent: &scopeVars{vars: vars, parent: old}}
		err := r.runBlock(b)
		r.cur = old
		return err
	}), nil
}

// runBlock writes a block into the output.
func (r *run) runBlock(b *block) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	if err := r.step(); err != nil {
		return err
	}
	f := &frame{slots: make([]value.Value, b.fn.n)}
	if b.selfRef != nil {
		f.slots[b.selfRef.slot] = &templateRef{}
	}
	if b.superRef != nil {
		f.slots[b.superRef.slot] = r.undefHint("there is no parent block called "+quote(b.name)+".", "super")
	}
	return b.body(r, f)
}

// templateRef is the variable "self".
type templateRef struct{ internal }

func (*templateRef) Class() string { return "jinja2.runtime.TemplateReference" }

// Repr returns "<TemplateReference None>", as templates without a name print.
func (*templateRef) Repr() string { return "<TemplateReference None>" }

func (t *templateRef) item(r *run, arg value.Value) (value.Value, error) {
	name, _ := str(arg)
	b, ok := r.tpl.prog.blocks[name]
	if !ok {
		return nil, raise("KeyError", "%s", value.Repr(arg))
	}
	return &blockRef{b: b}, nil
}

// iter asks for the items 0, 1 and so on, as Python does of what has items but no iterator: there is no such block.
func (t *templateRef) iter(*run) (iterator, error) {
	return funcIter(func(r *run) (value.Value, bool, error) {
		v, err := t.item(r, value.Int(0))
		return v, err == nil, err
	}), nil
}

// blockRef is self.name, a block that can be called.
type blockRef struct {
	internal
	b *block
}

func (*blockRef) Class() string { return "jinja2.runtime.BlockReference" }

// Repr leaves the address out that Python prints.
func (b *blockRef) Repr() string { return "<jinja2.runtime.BlockReference object>" }

func (b *blockRef) attr(r *run, name string) (value.Value, error) {
	switch name {
	case "name":
		return value.Str(b.b.name), nil
	case "super":
		return r.undefHint("there is no parent block called "+quote(b.b.name)+".", "super"), nil
	}
	return nil, nil
}

func (b *blockRef) call(r *run, a *args) (value.Value, error) {
	if err := a.nothing("BlockReference.__call__"); err != nil {
		return nil, err
	}
	text, err := r.capture(func(r *run, _ *frame) error { return r.runBlock(b.b) }, nil)
	if r.autoescape {
		return markup{text: text}, err
	}
	return value.Str(text), err
}
