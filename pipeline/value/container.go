package value

import (
	"math"
	"strings"
)

func concat(a, b Value) (Value, error) {
	switch x := a.(type) {
	case Str:
		y, ok := b.(Str)
		if !ok {
			return nil, pyError("TypeError", "can only concatenate str (not \"%s\") to str", tpName(b))
		}
		if len(x)+len(y) > MaxRepeat {
			return nil, tooLong()
		}
		return x + y, nil
	case Bytes:
		y, ok := b.(Bytes)
		if !ok {
			return nil, pyError("TypeError", "can't concat %s to bytes", tpName(b))
		}
		if len(x)+len(y) > MaxRepeat {
			return nil, tooLong()
		}
		return x + y, nil
	case *List:
		y, ok := b.(*List)
		if !ok {
			return nil, pyError("TypeError", "can only concatenate list (not \"%s\") to list", tpName(b))
		}
		items, err := join(x.Items, y.Items)
		return &List{Items: items}, err
	case Tuple:
		y, ok := b.(Tuple)
		if !ok {
			return nil, pyError("TypeError", "can only concatenate tuple (not \"%s\") to tuple", tpName(b))
		}
		items, err := join(x, y)
		return Tuple(items), err
	}
	return nil, badOperands("+", a, b)
}

func join(a, b []Value) ([]Value, error) {
	if len(a)+len(b) > MaxRepeat {
		return nil, tooLong()
	}
	out := make([]Value, 0, len(a)+len(b))
	return append(append(out, a...), b...), nil
}

func isSequence(v Value) bool {
	switch v.(type) {
	case Str, Bytes, *List, Tuple:
		return true
	}
	return false
}

func repeat(v, times Value) (Value, error) {
	small, _, kind := number(times)
	if kind == notNumber || kind == isFloat {
		return nil, pyError("TypeError", "can't multiply sequence by non-int of type '%s'", tpName(times))
	}
	if kind == isBig {
		small = int64(bigOf(times).Sign()) * math.MaxInt64
	}
	n := int(max(small, 0))
	size, _ := Len(v)
	if s, ok := v.(Str); ok {
		size = len(s)
	}
	if size > 0 && n > MaxRepeat/size {
		return nil, tooLong()
	}
	if size == 0 {
		n = 0
	}
	switch v := v.(type) {
	case Str:
		return Str(strings.Repeat(string(v), n)), nil
	case Bytes:
		return Bytes(strings.Repeat(string(v), n)), nil
	case *List:
		return &List{Items: repeatItems(v.Items, n)}, nil
	}
	return Tuple(repeatItems(v.(Tuple), n)), nil
}

func repeatItems(items []Value, n int) []Value {
	out := make([]Value, 0, len(items)*n)
	for range n {
		out = append(out, items...)
	}
	return out
}

// Len is Python's len(v).
func Len(v Value) (int, error) {
	switch v := Plain(v).(type) {
	case Str:
		return StrLen(string(v)), nil
	case Bytes:
		return len(v), nil
	case *List:
		return len(v.Items), nil
	case Tuple:
		return len(v), nil
	case *Dict:
		return v.Len(), nil
	case *Set:
		return v.Len(), nil
	case Lener:
		return v.PyLen(), nil
	}
	return 0, pyError("TypeError", "object of type '%s' has no len()", tpName(v))
}

// Contains is Python's item in container.
func Contains(container, item Value) (bool, error) {
	switch c := Plain(container).(type) {
	case Str:
		s, ok := Plain(item).(Str)
		if !ok {
			return false, pyError("TypeError", "'in <string>' requires string as left operand, not %s", tpName(item))
		}
		return strings.Contains(string(c), string(s)), nil
	case Bytes:
		return bytesContain(string(c), Plain(item))
	case *List:
		return among(c.Items, item), nil
	case Tuple:
		return among(c, item), nil
	case *Dict:
		if _, ok := HashKey(item); !ok {
			return false, unhashable(item)
		}
		_, ok := c.GetKey(item)
		return ok, nil
	case *Set:
		if _, ok := item.(*Set); ok {
			return false, nil // Python looks for a frozenset, which is no value here
		}
		if _, ok := HashKey(item); !ok {
			return false, unhashable(item)
		}
		return c.Has(item), nil
	}
	return false, pyError("TypeError", "argument of type '%s' is not iterable", tpName(container))
}

func among(items []Value, v Value) bool {
	for _, it := range items {
		if Equal(it, v) {
			return true
		}
	}
	return false
}

func bytesContain(c string, item Value) (bool, error) {
	switch v := item.(type) {
	case Bytes:
		return strings.Contains(c, string(v)), nil
	case Int:
		if v < 0 || v > 255 {
			return false, pyError("ValueError", "byte must be in range(0, 256)")
		}
		return strings.IndexByte(c, byte(v)) >= 0, nil
	}
	return false, pyError("TypeError", "a bytes-like object is required, not '%s'", tpName(item))
}
