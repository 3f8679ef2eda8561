package jinja

import (
	"errors"
	"unsafe"

	"github.com/haywardhq/hayward/pipeline/value"
)

// Vars is what a template's names are looked up in; *value.Dict is one. A nil value counts as None.
type Vars interface {
	// Get returns the value of a name; ok is false when there is none.
	Get(name string) (v value.Value, ok bool)
}

// run is the state of one render. It belongs to one goroutine.
type run struct {
	meter
	env        *Env
	tpl        *Template
	buf        []byte // the text being written: the output, or the body of a macro, set or filter
	autoescape bool
	native     *[]value.Value // pieces of a native render; nil inside bodies and in text renders
	stack      []value.Value  // arguments of calls under way
	copies     map[value.Value]value.Value
	copying    bool // containers from outside are copied before the template sees them
	cur        *scopeVars
	piped      value.Value // what a filter block or set block filters
	python     bool        // the render is native: any value may be a piece
	notText    error       // the first piece that is no text, which is an error once all of them are there
}

// scopeVars is jinja2.runtime.Context: names set at the top level over the render's variables. A scoped block gets one
// of its own over the one it was derived from.
type scopeVars struct {
	vars   map[string]value.Value
	parent *scopeVars
	outer  Vars
}

// frame is the variables of one activation of a function.
type frame struct {
	slots []value.Value
	up    *frame
}

func (f *frame) hop(n int) *frame {
	for ; n > 0; n-- {
		f = f.up
	}
	return f
}

// resolve looks a name up in the context: names set at the top level, the render's variables, then globals. nil means
// missing.
func (r *run) resolve(name string) (value.Value, error) {
	for s := r.cur; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, nil
		}
		if s.outer == nil {
			continue
		}
		if v, ok := s.outer.Get(name); ok {
			if v == nil {
				v = value.None
			}
			return r.foreign(v)
		}
	}
	if g, ok := r.env.globals[name]; ok {
		return r.foreign(g)
	}
	return nil, nil
}

// export sets a name of the context, as a set at the top level does.
func (r *run) export(name string, v value.Value) {
	if r.cur.vars == nil {
		r.cur.vars = make(map[string]value.Value, 4)
	}
	r.cur.vars[name] = v
}

// write adds text to the output.
func (r *run) write(s string) error {
	if len(r.buf)+len(s) > r.lim.Output {
		return limitErr("Output", "the template writes more than %d bytes", r.lim.Output)
	}
	r.buf = append(r.buf, s...)
	return r.read(len(s))
}

// capture runs a body into a buffer of its own and returns its text.
func (r *run) capture(body execFn, f *frame) (string, error) {
	buf, native, notText := r.buf, r.native, r.notText
	start := len(buf)
	r.native, r.notText = nil, nil
	// The body writes behind the text so far, in the same array; the text so far stays where it is.
	err := body(r, f)
	if err == nil {
		err = r.notText
	}
	r.native, r.notText = native, notText
	if err != nil {
		return "", err
	}
	text := r.buf[start:]
	if err := r.alloc(len(text)); err != nil {
		return "", err
	}
	out := string(text)
	r.buf = r.buf[:start]
	return out, nil
}

// bytesString is a string over bytes that nobody changes any more.
func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// errCopy asks for the render to start again with copies: a changing method was called on a value from outside.
var errCopy = errors.New("the template changes a value from outside")

// foreign returns a value from outside as the template may see it. Such values are shared and never changed, so once a
// template asks for a changing method, lists, dicts and sets are copied, once per render and keeping what is shared.
func (r *run) foreign(v value.Value) (value.Value, error) {
	if !r.copying {
		return v, nil
	}
	return r.deepCopy(v, 0)
}

func (r *run) deepCopy(v value.Value, depth int) (value.Value, error) {
	switch v.(type) {
	case *value.List, value.Tuple, *value.Dict, *value.Set:
	default:
		return v, nil
	}
	if depth > maxValueNest {
		return nil, limitErr("Depth", "a value is nested more than %d levels deep", maxValueNest)
	}
	switch v := v.(type) {
	case *value.List:
		return r.copyList(v, depth)
	case value.Tuple:
		out := make(value.Tuple, len(v))
		return out, r.copyItems(out, v, depth)
	case *value.Dict:
		return r.copyDict(v, depth)
	case *value.Set:
		if c, ok := r.copies[v]; ok {
			return c, nil
		}
		if err := r.allocItems(2 * v.Len()); err != nil {
			return nil, err
		}
		c, _ := value.NewSet(v.Items()...)
		r.remember(v, c)
		return c, nil
	}
	return v, nil
}

// remember notes the copy of a container from outside; the copy stands for itself.
func (r *run) remember(v, c value.Value) {
	if r.copies == nil {
		r.copies = map[value.Value]value.Value{}
	}
	r.copies[v], r.copies[c] = c, c
}

func (r *run) copyItems(dst, src []value.Value, depth int) error {
	if err := r.allocItems(len(src)); err != nil {
		return err
	}
	for i, v := range src {
		c, err := r.deepCopy(v, depth+1)
		if err != nil {
			return err
		}
		dst[i] = c
	}
	return nil
}

func (r *run) copyList(v *value.List, depth int) (value.Value, error) {
	if c, ok := r.copies[v]; ok {
		return c, nil
	}
	c := &value.List{Items: make([]value.Value, len(v.Items))}
	r.remember(v, c)
	return c, r.copyItems(c.Items, v.Items, depth)
}

func (r *run) copyDict(v *value.Dict, depth int) (value.Value, error) {
	if c, ok := r.copies[v]; ok {
		return c, nil
	}
	if err := r.allocItems(3 * v.Len()); err != nil {
		return nil, err
	}
	c := &value.Dict{}
	r.remember(v, c)
	for k, item := range v.All() {
		copied, err := r.deepCopy(item, depth+1)
		if err != nil {
			return nil, err
		}
		c.SetKey(k, copied)
	}
	return c, nil
}
