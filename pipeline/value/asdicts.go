package value

import (
	"slices"
)

// AsDicts returns v with every data class inside it replaced by its dict, as dataclasses.asdict does for nested fields.
// What holds none is returned as it is, not copied.
func AsDicts(v Value) Value { return asDicts(v, 0) }

func asDicts(v Value, depth int) Value {
	if depth > maxReprDepth {
		return v
	}
	switch v := v.(type) {
	case *List:
		if items, changed := dictItems(v.Items, depth); changed {
			return &List{Items: items}
		}
	case Tuple:
		if items, changed := dictItems(v, depth); changed {
			return Tuple(items)
		}
	case *Dict:
		return dictEntries(v, depth)
	case *Enum:
	case Object:
		return ObjectDict(v)
	}
	return v
}

func dictItems(items []Value, depth int) ([]Value, bool) {
	var out []Value
	for i, it := range items {
		plain := asDicts(it, depth+1)
		if out == nil && !same(plain, it) {
			out = slices.Clone(items)
		}
		if out != nil {
			out[i] = plain
		}
	}
	return out, out != nil
}

func dictEntries(d *Dict, depth int) Value {
	out := d
	if d == nil {
		return None
	}
	for i := range d.entries {
		plain := asDicts(d.entries[i].val, depth+1)
		if out == d && !same(plain, d.entries[i].val) {
			out = d.Clone()
		}
		if out != d {
			out.entries[i].val = plain
		}
	}
	return out
}

// same reports identity; tuples, which Go cannot compare, count as the same when they share their items.
func same(a, b Value) bool {
	x, ok := a.(Tuple)
	if !ok {
		return a == b
	}
	y, ok := b.(Tuple)
	return ok && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
}
