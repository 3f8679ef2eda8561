package jinja

import (
	"slices"

	"github.com/haywardhq/hayward/pipeline/value"
)

// str is Python's str(v) within the limits; a strict undefined fails.
func (r *run) str(v value.Value) (string, error) {
	switch v := v.(type) {
	case value.Str:
		return string(v), nil
	case markup:
		return v.text, nil
	case *undefined:
		return v.PyStr(), strict(v)
	case *value.List, value.Tuple, *value.Dict, *value.Set:
		return r.reprText(v)
	case *value.BigInt:
		if err := r.digits(v); err != nil {
			return "", err
		}
	case *mappingProxy:
		return r.reprText(v.d)
	case reprer:
		return r.reprText(v)
	}
	s := value.ToStr(v)
	return s, r.alloc(len(s))
}

// repr is Python's repr(v) within the limits.
func (r *run) repr(v value.Value) (string, error) {
	return r.reprText(v)
}

func (r *run) reprText(v value.Value) (string, error) {
	p := reprWriter{r: r}
	out, err := p.append(nil, v)
	if err != nil {
		return "", err
	}
	return bytesString(out), r.alloc(len(out))
}

// digits fails for an int with too many digits for text.
func (r *run) digits(v value.Value) error {
	if b, ok := v.(*value.BigInt); ok && b.N.BitLen() > r.lim.Digits*10/3 {
		if n := len(b.N.Append(nil, 10)); n > r.lim.Digits {
			return valueErr("Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() "+
				"to increase the limit", r.lim.Digits)
		}
	}
	return nil
}

// reprer is a value of this room whose repr shows other values.
type reprer interface {
	value.Value
	appendRepr(p *reprWriter, dst []byte) ([]byte, error)
}

// reprWriter writes reprs of containers. It counts what it writes, and knows the containers it is inside of.
type reprWriter struct {
	r    *run
	open []value.Value
}

func (p *reprWriter) append(dst []byte, v value.Value) ([]byte, error) {
	if err := p.r.spend(1 + len(p.open)/4); err != nil {
		return nil, err
	}
	if len(dst) > p.r.mem {
		return nil, p.r.alloc(-1)
	}
	switch v := v.(type) {
	case *value.List:
		return p.list(dst, v)
	case value.Tuple:
		return p.tuple(dst, v)
	case *value.Dict:
		return p.nested(dst, v, "{...}", func(dst []byte) ([]byte, error) { return p.dict(append(dst, '{'), v, '}') })
	case *value.Set:
		if v.Len() > 0 {
			return p.nested(dst, v, "{...}", func(dst []byte) ([]byte, error) {
				return p.items(append(dst, '{'), v.Items(), '}')
			})
		}
	case *value.BigInt:
		if err := p.r.digits(v); err != nil {
			return nil, err
		}
	case value.Str:
		if err := p.r.read(len(v)); err != nil {
			return nil, err
		}
	case reprer:
		return v.appendRepr(p, dst)
	}
	return value.AppendRepr(dst, v), nil
}

// nested writes a container unless it is inside itself.
func (p *reprWriter) nested(dst []byte, v value.Value, again string, write func([]byte) ([]byte, error)) ([]byte, error) {
	if slices.Contains(p.open, v) {
		return append(dst, again...), nil
	}
	if err := p.push(v); err != nil {
		return nil, err
	}
	dst, err := write(dst)
	p.open = p.open[:len(p.open)-1]
	return dst, err
}

func (p *reprWriter) push(v value.Value) error {
	if len(p.open) >= maxValueNest {
		return raise("RecursionError", "maximum recursion depth exceeded while getting the repr of an object")
	}
	p.open = append(p.open, v)
	return nil
}

func (p *reprWriter) list(dst []byte, v *value.List) ([]byte, error) {
	return p.nested(dst, v, "[...]", func(dst []byte) ([]byte, error) { return p.items(append(dst, '['), v.Items, ']') })
}

func (p *reprWriter) tuple(dst []byte, v value.Tuple) ([]byte, error) {
	if err := p.push(nil); err != nil {
		return nil, err
	}
	defer func() { p.open = p.open[:len(p.open)-1] }()
	if len(v) == 1 {
		dst, err := p.append(append(dst, '('), v[0])
		return append(dst, ",)"...), err
	}
	return p.items(append(dst, '('), v, ')')
}

func (p *reprWriter) items(dst []byte, items []value.Value, end byte) ([]byte, error) {
	var err error
	for i, v := range items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if dst, err = p.append(dst, v); err != nil {
			return nil, err
		}
	}
	return append(dst, end), nil
}

func (p *reprWriter) dict(dst []byte, d *value.Dict, end byte) ([]byte, error) {
	first := true
	for k, v := range d.All() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		var err error
		if dst, err = p.append(dst, k); err != nil {
			return nil, err
		}
		if dst, err = p.append(append(dst, ": "...), v); err != nil {
			return nil, err
		}
	}
	return append(dst, end), nil
}

// print writes str(v) to the output, as "{{ v }}" does.
func (r *run) print(v value.Value) error {
	switch v := v.(type) {
	case value.Str:
		return r.write(string(v))
	case value.Int:
		var buf [20]byte
		return r.write(string(appendInt(buf[:0], int64(v))))
	}
	s, err := r.str(v)
	if err != nil {
		return err
	}
	return r.write(s)
}
