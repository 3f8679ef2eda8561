package value

// DeepCopier is an [Object] that holds something a receiver may change and can copy itself.
type DeepCopier interface {
	// DeepCopy returns an independent copy.
	DeepCopy() Value
}

// DeepCopy returns a copy of v that shares no list, dict or set with it. Scalars are shared, and so are objects unless
// they implement [DeepCopier]: data classes are read-only. A container that holds itself keeps its shape.
func DeepCopy(v Value) Value {
	switch v := v.(type) {
	case *List, Tuple, *Dict, *Set, DeepCopier:
		c := copier{}
		return c.copy(v)
	}
	return v
}

// copier remembers the containers copied so far: what was shared inside v is shared inside the copy.
type copier map[Value]Value

func (c copier) copy(v Value) Value {
	switch v := v.(type) {
	case *List:
		if done, ok := c[v]; ok {
			return done
		}
		out := &List{Items: make([]Value, len(v.Items))}
		c[v] = out
		for i, it := range v.Items {
			out.Items[i] = c.copy(it)
		}
		return out
	case Tuple:
		out := make(Tuple, len(v))
		for i, it := range v {
			out[i] = c.copy(it)
		}
		return out
	case *Dict:
		return c.dict(v)
	case *Set:
		out := &Set{d: *v.d.Clone()} // items are hashable, thus immutable
		return out
	case DeepCopier:
		return v.DeepCopy()
	}
	return v
}

func (c copier) dict(d *Dict) Value {
	if done, ok := c[d]; ok {
		return done
	}
	out := d.Clone()
	c[d] = out
	for i := range out.entries {
		out.entries[i].val = c.copy(out.entries[i].val)
	}
	return out
}

// CopyDict is [DeepCopy] for a dict; nil gives an empty one.
func CopyDict(d *Dict) *Dict {
	if d == nil {
		return &Dict{}
	}
	return DeepCopy(d).(*Dict)
}
