package value

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxReprDepth bounds how deep Repr follows containers; Python itself stops at its recursion limit of about 1000.
const maxReprDepth = 1000

// PyStringer is an [Object] whose Python str() differs from its repr().
type PyStringer interface {
	// PyStr returns what Python's str() returns.
	PyStr() string
}

// Repr returns Python's repr(v). A container that holds itself prints as "[...]" there; nil prints as None.
func Repr(v Value) string {
	switch v := v.(type) {
	case Str:
		return string(AppendStrRepr(make([]byte, 0, len(v)+2), string(v)))
	case Int:
		return strconv.FormatInt(int64(v), 10)
	case Float:
		return FloatRepr(float64(v))
	case Object:
		return v.Repr()
	}
	var p printer
	return string(p.repr(make([]byte, 0, 64), v))
}

// ToStr returns Python's str(v).
func ToStr(v Value) string {
	switch v := v.(type) {
	case Str:
		return string(v)
	case Date:
		return v.ISO()
	case DateTime:
		return v.ISO(' ')
	case PyStringer:
		return v.PyStr()
	}
	return Repr(v)
}

// AppendRepr appends Python's repr(v) to dst.
func AppendRepr(dst []byte, v Value) []byte {
	var p printer
	return p.repr(dst, v)
}

// printer remembers the containers it is inside of, because a list may hold itself.
type printer struct{ open []Value }

func (p *printer) enter(v Value) bool {
	if len(p.open) >= maxReprDepth || slices.Contains(p.open, v) {
		return false
	}
	p.open = append(p.open, v)
	return true
}

func (p *printer) leave() { p.open = p.open[:len(p.open)-1] }

func (p *printer) repr(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case nil, noneType:
		return append(dst, "None"...)
	case Bool:
		if v {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case Int:
		return strconv.AppendInt(dst, int64(v), 10)
	case *BigInt:
		return v.N.Append(dst, 10)
	case Float:
		return AppendFloat(dst, float64(v))
	case Str:
		return AppendStrRepr(dst, string(v))
	case Bytes:
		return AppendBytesRepr(dst, string(v))
	case *List:
		return p.list(dst, v)
	case Tuple:
		return p.tuple(dst, v)
	case *Dict:
		return p.dict(dst, v)
	case *Set:
		return p.set(dst, v)
	case Date:
		return v.appendRepr(dst)
	case DateTime:
		return v.appendRepr(dst)
	case Object:
		return append(dst, v.Repr()...)
	}
	return append(dst, "<object>"...)
}

func (p *printer) list(dst []byte, l *List) []byte {
	if !p.enter(l) {
		return append(dst, "[...]"...)
	}
	defer p.leave()
	return append(p.items(append(dst, '['), l.Items), ']')
}

func (p *printer) tuple(dst []byte, t Tuple) []byte {
	if len(p.open) >= maxReprDepth {
		return append(dst, "(...)"...)
	}
	p.open = append(p.open, nil) // a tuple cannot hold itself: only the depth counts
	defer p.leave()
	dst = p.items(append(dst, '('), t)
	if len(t) == 1 {
		dst = append(dst, ',')
	}
	return append(dst, ')')
}

func (p *printer) items(dst []byte, items []Value) []byte {
	for i, v := range items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = p.repr(dst, v)
	}
	return dst
}

func (p *printer) dict(dst []byte, d *Dict) []byte {
	if !p.enter(d) {
		return append(dst, "{...}"...)
	}
	defer p.leave()
	dst = append(dst, '{')
	first := true
	for k, v := range d.All() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = append(p.repr(dst, k), ": "...)
		dst = p.repr(dst, v)
	}
	return append(dst, '}')
}

func (p *printer) set(dst []byte, s *Set) []byte {
	if s.Len() == 0 {
		return append(dst, "set()"...)
	}
	if !p.enter(s) {
		return append(dst, "{...}"...)
	}
	defer p.leave()
	return append(p.items(append(dst, '{'), s.Items()), '}')
}

// FloatRepr returns Python's repr of a float: the shortest digits that read back, with an exponent below 1e-4 and from
// 1e16 on.
func FloatRepr(f float64) string {
	var buf [32]byte
	return string(AppendFloat(buf[:0], f))
}

// AppendFloat appends [FloatRepr] of f to dst.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !slices.Contains(dst[start:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

// TypeName returns the name of v's Python type, for error messages: "int", "NoneType", "list", "Document".
func TypeName(v Value) string {
	switch v := v.(type) {
	case nil, noneType:
		return "NoneType"
	case Bool:
		return "bool"
	case Int, *BigInt:
		return "int"
	case Float:
		return "float"
	case Str:
		return "str"
	case Bytes:
		return "bytes"
	case *List:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case *Set:
		return "set"
	case Date:
		return "date"
	case DateTime:
		return "datetime"
	case Object:
		return className(v.Class())
	}
	return "object"
}

// className returns the last part of a Python path.
func className(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// tpName is the name that the interpreter itself uses in its messages: TypeName, with the module before types of C
// modules other than builtins.
func tpName(v Value) string {
	switch v := v.(type) {
	case Date, DateTime:
		return "datetime." + TypeName(v)
	case interface{ TpName() string }:
		return v.TpName()
	}
	return TypeName(v)
}
