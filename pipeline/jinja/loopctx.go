package jinja

import (
	"strconv"

	"github.com/haywardhq/hayward/pipeline/value"
)

// loopCtx is the variable "loop" (jinja2.runtime.LoopContext).
type loopCtx struct {
	internal
	src     value.Value // what is iterated over, for its length
	it      iterator
	index0  int
	total   int // -1 until asked for
	after   value.Value
	current value.Value
	before  value.Value
	changed value.Tuple
	seen    bool // changed holds something
	depth0  int
	recurse func(r *run, v value.Value, depth int) (value.Value, error) // nil unless the loop is recursive
}

func newLoop(src value.Value, it iterator, depth int) *loopCtx {
	return &loopCtx{src: src, it: it, index0: -1, total: -1, depth0: depth}
}

func (l *loopCtx) Class() string { return "jinja2.runtime.LoopContext" }

// Repr returns "<LoopContext 1/3>", with a question mark while the length is not known.
func (l *loopCtx) Repr() string {
	total := "?"
	if l.total >= 0 {
		total = strconv.Itoa(l.total)
	}
	return "<LoopContext " + strconv.Itoa(l.index0+1) + "/" + total + ">"
}

func (l *loopCtx) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	_, err := l.length(p.r)
	return append(dst, l.Repr()...), err
}

// advance moves to the next item.
func (l *loopCtx) advance(r *run) (value.Value, bool, error) {
	v := l.after
	l.after = nil
	if v == nil {
		var ok bool
		var err error
		if v, ok, err = l.it.next(r); err != nil || !ok {
			return nil, false, err
		}
	}
	l.index0++
	l.before, l.current = l.current, v
	return v, true, nil
}

// iter lets a loop be iterated over inside itself: what is left, each with the loop.
func (l *loopCtx) iter(*run) (iterator, error) {
	return funcIter(func(r *run) (value.Value, bool, error) {
		v, ok, err := l.advance(r)
		return value.Tuple{v, l}, ok, err
	}), nil
}

// peek looks at the next item; nil means that there is none.
func (l *loopCtx) peek(r *run) (value.Value, error) {
	if l.after != nil {
		return l.after, nil
	}
	v, ok, err := l.it.next(r)
	if err != nil || !ok {
		return nil, err
	}
	l.after = v
	return v, nil
}

func (l *loopCtx) length(r *run) (int, error) {
	if l.total >= 0 {
		return l.total, nil
	}
	if _, lazy := l.src.(*generator); !lazy && l.src != nil {
		n, err := r.length(l.src)
		if err == nil {
			l.total = n
			return n, nil
		}
		if !catchable(err, "TypeError") {
			return 0, err
		}
	}
	rest, err := r.drain(l.it)
	if err != nil {
		return 0, err
	}
	l.it = &sliceIter{items: rest}
	l.total = len(rest) + l.index0 + 1
	if l.after != nil {
		l.total++
	}
	return l.total, nil
}

// attr returns an attribute; nil when there is none.
func (l *loopCtx) attr(r *run, name string) (value.Value, error) {
	switch name {
	case "index":
		return value.Int(l.index0 + 1), nil
	case "index0":
		return value.Int(l.index0), nil
	case "first":
		return value.Bool(l.index0 == 0), nil
	case "depth":
		return value.Int(l.depth0 + 1), nil
	case "depth0":
		return value.Int(l.depth0), nil
	case "length", "revindex", "revindex0":
		n, err := l.length(r)
		switch name {
		case "revindex":
			n -= l.index0
		case "revindex0":
			n -= l.index0 + 1
		}
		return value.Int(n), err
	case "last":
		v, err := l.peek(r)
		return value.Bool(v == nil), err
	case "previtem":
		if l.index0 == 0 {
			return r.undefHint("there is no previous item", ""), nil
		}
		return l.before, nil
	case "nextitem":
		v, err := l.peek(r)
		if v == nil && err == nil {
			v = r.undefHint("there is no next item", "")
		}
		return v, err
	case "cycle":
		return methodOf(l, "LoopContext.cycle", l.cycle), nil
	case "changed":
		return methodOf(l, "LoopContext.changed", l.hasChanged), nil
	}
	return nil, nil
}

func (l *loopCtx) cycle(_ *run, a *args) (value.Value, error) {
	if err := a.positions("LoopContext.cycle"); err != nil {
		return nil, err
	}
	if len(a.pos) == 0 {
		return nil, typeErr("no items for cycling given")
	}
	return a.pos[l.index0%len(a.pos)], nil
}

func (l *loopCtx) hasChanged(r *run, a *args) (value.Value, error) {
	if err := a.positions("LoopContext.changed"); err != nil {
		return nil, err
	}
	now := append(value.Tuple(nil), a.pos...)
	if l.seen {
		same, err := r.equal(l.changed, now)
		if err != nil || same {
			return value.Bool(false), err
		}
	}
	l.changed, l.seen = now, true
	return value.Bool(true), r.allocItems(len(now))
}

// call is loop(items) inside a recursive loop.
func (l *loopCtx) call(r *run, a *args) (value.Value, error) {
	got, err := a.bindTo(&signature{fn: "LoopContext.__call__", hidden: "self", params: []string{"iterable"}, required: 1})
	if err != nil {
		return nil, err
	}
	if l.recurse == nil {
		return nil, typeErr("The loop must have the 'recursive' marker to be called recursively.")
	}
	return l.recurse(r, got[0], l.depth0+1)
}
