package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// setOp makes a new set of the items of one set and further iterables.
func setOp(name string, most int, op func(r *run, s *value.Set, other []value.Value) (*value.Set, error)) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, min(most, 1)*b2n(most == 1), most); err != nil {
			return nil, err
		}
		out := self.(*value.Set)
		for _, v := range a.pos {
			other, err := r.list(v)
			if err != nil {
				return nil, err
			}
			for _, x := range other {
				if err := r.hashable(x); err != nil {
					return nil, err
				}
			}
			if out, err = op(r, out, other); err != nil {
				return nil, err
			}
		}
		if len(a.pos) == 0 {
			out, _ = value.NewSet(out.Items()...)
		}
		return out, r.allocItems(3 * out.Len())
	}
}

func b2n(b bool) int { return int(b2i(b)) }

func union(_ *run, s *value.Set, other []value.Value) (*value.Set, error) {
	out, _ := value.NewSet(s.Items()...)
	for _, v := range other {
		out.Add(plain(v))
	}
	return out, nil
}

// keep makes a set of the items that are, or are not, in another.
func keep(s *value.Set, other []value.Value, in bool) *value.Set {
	o, _ := union(nil, &value.Set{}, other)
	out := &value.Set{}
	for _, v := range s.Items() {
		if o.Has(v) == in {
			out.Add(v)
		}
	}
	return out
}

func intersection(_ *run, s *value.Set, other []value.Value) (*value.Set, error) {
	return keep(s, other, true), nil
}
func difference(_ *run, s *value.Set, other []value.Value) (*value.Set, error) {
	return keep(s, other, false), nil
}

func symmetric(r *run, s *value.Set, other []value.Value) (*value.Set, error) {
	o, _ := union(r, &value.Set{}, other)
	left := keep(s, other, false)
	right := keep(o, s.Items(), false)
	return union(r, left, right.Items())
}

const manySets = 1 << 16

var setMethods = map[string]method{
	"union":                setOp("union", manySets, union),
	"intersection":         setOp("intersection", manySets, intersection),
	"difference":           setOp("difference", manySets, difference),
	"symmetric_difference": setOp("symmetric_difference", 1, symmetric),
	"copy":                 setOp("copy", 0, nil),
	"issubset":             setTest("issubset", func(s, o *value.Set) bool { return subset(s, o) }),
	"issuperset":           setTest("issuperset", func(s, o *value.Set) bool { return subset(o, s) }),
	"isdisjoint": setTest("isdisjoint", func(s, o *value.Set) bool {
		return keep(s, o.Items(), true).Len() == 0
	}),
}

func subset(a, b *value.Set) bool { return keep(a, b.Items(), false).Len() == 0 }

func setTest(name string, test func(s, o *value.Set) bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 1); err != nil {
			return nil, err
		}
		items, err := r.list(a.pos[0])
		if err != nil {
			return nil, err
		}
		o := &value.Set{}
		for _, v := range items {
			if err := r.hashable(v); err != nil {
				return nil, err
			}
			o.Add(plain(v))
		}
		s := self.(*value.Set)
		return value.Bool(test(s, o)), r.spend(s.Len() + o.Len())
	}
}

// setUpdate changes a set to the result of an operation.
func setUpdate(name string, most int, op func(r *run, s *value.Set, other []value.Value) (*value.Set, error)) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		out, err := setOp(name, most, op)(r, self, a)
		if err != nil {
			return nil, err
		}
		*self.(*value.Set) = *out.(*value.Set)
		return value.None, nil
	}
}

var setChanges = map[string]method{
	"update":                      setUpdate("update", manySets, union),
	"intersection_update":         setUpdate("intersection_update", manySets, intersection),
	"difference_update":           setUpdate("difference_update", manySets, difference),
	"symmetric_difference_update": setUpdate("symmetric_difference_update", 1, symmetric),
	"add": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "add", 1, 1); err != nil {
			return nil, err
		}
		k, err := r.key(a.pos[0])
		if err != nil {
			return nil, err
		}
		self.(*value.Set).Add(k)
		return value.None, r.allocItems(3)
	},
	"discard": func(r *run, self value.Value, a *args) (value.Value, error) { return dropItem(r, self, a, "discard") },
	"remove":  func(r *run, self value.Value, a *args) (value.Value, error) { return dropItem(r, self, a, "remove") },
	"clear": func(_ *run, self value.Value, a *args) (value.Value, error) {
		*self.(*value.Set) = value.Set{}
		return value.None, a.builtin(self, "clear", 0, 0)
	},
	"pop": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "pop", 0, 0); err != nil {
			return nil, err
		}
		s := self.(*value.Set)
		items := s.Items()
		if len(items) == 0 {
			return nil, raise("KeyError", "'pop from an empty set'")
		}
		rest, _ := value.NewSet(items[1:]...)
		*s = *rest
		return items[0], r.allocItems(3 * len(items))
	},
}

func dropItem(r *run, self value.Value, a *args, name string) (value.Value, error) {
	if err := a.builtin(self, name, 1, 1); err != nil {
		return nil, err
	}
	k, err := r.key(a.pos[0])
	if err != nil {
		return nil, err
	}
	s := self.(*value.Set)
	if !s.Has(k) && name == "remove" {
		return nil, r.keyError(a.pos[0])
	}
	*s = *keep(s, []value.Value{k}, false)
	return value.None, r.allocItems(3 * s.Len())
}
