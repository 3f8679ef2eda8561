package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// loop is a compiled for statement.
type loop struct {
	line    int
	iter    evalFn
	target  setter
	filter  evalFn // the "if" of the loop, over variables of its own
	ftarget setter
	fenter  execFn
	body    execFn
	els     execFn // nil without else
	slot    int    // of the variable "loop", or -1
	fn      *fnScope
	fhops   int // from the function of the body to the one of the filter's variables
}

func (c *compiler) forStmt(n *forStmt, s *scope) (execFn, error) {
	l := &loop{line: n.line, slot: -1}
	fn := s.fn
	if n.recursive {
		fn = newFn(s.fn)
		l.fn, l.fhops = fn, 1
	}
	body, els := s.inner(fn), s.inner(fn)
	if extended(n) {
		l.slot = body.param("loop").slot
	}
	body.analyze(n, "body")
	els.analyze(n, "else")
	var err error
	if n.test != nil {
		if err = c.loopFilter(l, n, s); err != nil {
			return nil, err
		}
	}
	if err = checkLoopName(n); err != nil {
		return nil, err
	}
	if l.iter, err = c.expr(n.iter, s); err != nil {
		return nil, err
	}
	if l.target, err = c.target(n.target, body); err != nil {
		return nil, err
	}
	enter := c.enter(body)
	content, err := c.body(n.body, body)
	if err != nil {
		return nil, err
	}
	l.body = seq(enter, content)
	leave := c.leave(body)
	if len(n.els) > 0 {
		enter := c.enter(els)
		content, err := c.body(n.els, els)
		if err != nil {
			return nil, err
		}
		l.els = seq(enter, content, c.leave(els))
	}
	if n.recursive {
		return l.recursive(), nil
	}
	return seq(l.plain(), leave), nil
}

// extended reports whether a loop needs the variable "loop".
func extended(n *forStmt) bool {
	if n.recursive || undeclared(n.body, "loop")["loop"] {
		return true
	}
	scoped := false
	walk(n, func(c node) {
		if b, ok := c.(*blockStmt); ok && b.scoped {
			scoped = true
		}
	})
	return scoped
}

func checkLoopName(n *forStmt) error {
	var err error
	walk(n, func(c node) {
		if name, ok := c.(*nameExpr); ok && name.ctx == store && name.name == "loop" && err == nil {
			err = assertionErr(name.line, "Can't assign to special loop variable in for-loop target")
		}
	})
	return err
}

// loopFilter compiles "for x in y if test". Its variables are apart from those of the body, as the items are tested
// while the body runs.
func (c *compiler) loopFilter(l *loop, n *forStmt, s *scope) error {
	test := s.inner(s.fn)
	c.loopTest++
	test.prefix = "t" + string(appendInt(nil, int64(c.loopTest))) + "_"
	test.analyze(n, "test")
	l.fenter = c.enter(test)
	var err error
	if l.ftarget, err = c.target(n.target, test); err != nil {
		return err
	}
	l.filter, err = c.expr(n.test, test)
	return err
}

// source makes the iterator of the loop, filtered. f is the frame of the filter's variables.
func (l *loop) source(r *run, f *frame, v value.Value) (iterator, error) {
	it, err := r.iter(v)
	if err != nil || l.filter == nil {
		return it, err
	}
	entered := false
	return funcIter(func(r *run) (value.Value, bool, error) {
		if !entered && l.fenter != nil {
			if err := l.fenter(r, f); err != nil {
				return nil, false, err
			}
		}
		entered = true
		for {
			item, ok, err := r.pull(it)
			if err != nil || !ok {
				return nil, false, err
			}
			if err := l.ftarget(r, f, item); err != nil {
				return nil, false, err
			}
			if ok, err = r.test(l.filter, f); err != nil {
				return nil, false, err
			}
			if ok {
				return item, true, nil
			}
		}
	}), nil
}

// each runs the body for every item.
func (l *loop) each(r *run, f *frame, it iterator, ctx *loopCtx) error {
	ran := false
	for {
		if err := r.step(); err != nil {
			return err
		}
		var v value.Value
		var ok bool
		var err error
		if ctx != nil {
			v, ok, err = ctx.advance(r)
		} else {
			v, ok, err = it.next(r)
		}
		if err != nil {
			return atLine(err, l.line)
		}
		if !ok {
			break
		}
		if ctx != nil {
			f.slots[l.slot] = ctx
		}
		if err := l.target(r, f, v); err != nil {
			return atLine(err, l.line)
		}
		if err := l.body(r, f); err != nil {
			return err
		}
		ran = true
	}
	if !ran && l.els != nil {
		return l.els(r, f)
	}
	return nil
}

func (l *loop) plain() execFn {
	return func(r *run, f *frame) error {
		v, err := l.iter(r, f)
		if err != nil {
			return atLine(err, l.line)
		}
		it, err := l.source(r, f, v)
		if err != nil {
			return atLine(err, l.line)
		}
		if l.slot < 0 {
			return l.each(r, f, it, nil)
		}
		return l.each(r, f, it, newLoop(l.lengthOf(v), it, 0))
	}
}

// lengthOf is what the length of the loop is taken from; a filtered one must be counted.
func (l *loop) lengthOf(v value.Value) value.Value {
	if l.filter != nil {
		return nil
	}
	return v
}

// recursive is a loop whose body may call loop(items).
func (l *loop) recursive() execFn {
	return func(r *run, f *frame) error {
		v, err := l.iter(r, f)
		if err != nil {
			return atLine(err, l.line)
		}
		out, err := l.descend(r, f, v, 0)
		if err != nil {
			return err
		}
		return r.emit(out)
	}
}

func (l *loop) descend(r *run, f *frame, v value.Value, depth int) (value.Value, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	it, err := l.source(r, f, v)
	if err != nil {
		return nil, atLine(err, l.line)
	}
	ctx := newLoop(l.lengthOf(v), it, depth)
	ctx.recurse = func(r *run, v value.Value, depth int) (value.Value, error) { return l.descend(r, f, v, depth) }
	inner := &frame{slots: make([]value.Value, l.fn.n), up: f}
	text, err := r.capture(func(r *run, f *frame) error { return l.each(r, f, it, ctx) }, inner)
	if err != nil {
		return nil, err
	}
	if r.autoescape {
		return markup{text: text}, nil
	}
	return value.Str(text), nil
}
