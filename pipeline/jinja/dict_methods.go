package jinja

import "github.com/haywardhq/hayward/pipeline/value"

func viewMethod(name string) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		return &dictView{d: self.(*value.Dict), kind: "dict_" + name}, a.builtin(self, name, 0, 0)
	}
}

var dictMethods = map[string]method{
	"keys":   viewMethod("keys"),
	"values": viewMethod("values"),
	"items":  viewMethod("items"),
	"get": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "get", 1, 2); err != nil {
			return nil, err
		}
		if err := r.hashable(a.pos[0]); err != nil {
			return nil, err
		}
		if v, ok := self.(*value.Dict).GetKey(plain(a.pos[0])); ok {
			return v, nil
		}
		if v := a.arg(1); v != nil {
			return v, nil
		}
		return value.None, nil
	},
	"copy": func(r *run, self value.Value, a *args) (value.Value, error) {
		d := self.(*value.Dict)
		if err := r.allocItems(3 * d.Len()); err != nil {
			return nil, err
		}
		return d.Clone(), a.builtin(self, "copy", 0, 0)
	},
	"fromkeys": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "fromkeys", 1, 2); err != nil {
			return nil, err
		}
		v := a.arg(1)
		if v == nil {
			v = value.None
		}
		d := &value.Dict{}
		return d, r.each(a.pos[0], func(k value.Value) error { return r.setKey(d, k, v) })
	},
}

// setKey sets a key of a dict of this render.
func (r *run) setKey(d *value.Dict, k, v value.Value) error {
	k, err := r.key(k)
	if err != nil {
		return err
	}
	d.SetKey(k, v)
	return r.allocItems(3)
}

var dictChanges = map[string]method{
	"update": func(r *run, self value.Value, a *args) (value.Value, error) {
		if len(a.pos) > 1 {
			return nil, typeErr("update expected at most 1 argument, got %d", len(a.pos))
		}
		return value.None, r.updateDict(self.(*value.Dict), a)
	},
	"setdefault": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "setdefault", 1, 2); err != nil {
			return nil, err
		}
		d := self.(*value.Dict)
		k, err := r.key(a.pos[0])
		if err != nil {
			return nil, err
		}
		if v, ok := d.GetKey(k); ok {
			return v, nil
		}
		v := a.arg(1)
		if v == nil {
			v = value.None
		}
		return v, r.setKey(d, k, v)
	},
	"pop": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "pop", 1, 2); err != nil {
			return nil, err
		}
		d := self.(*value.Dict)
		if d.Len() > 0 { // an empty one does not look at the key
			k, err := r.key(a.pos[0])
			if err != nil {
				return nil, err
			}
			if v, ok := d.GetKey(k); ok {
				d.DeleteKey(k)
				return v, r.spend(d.Len())
			}
		}
		if v := a.arg(1); v != nil {
			return v, nil
		}
		return nil, r.keyError(a.pos[0])
	},
	"popitem": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "popitem", 0, 0); err != nil {
			return nil, err
		}
		d := self.(*value.Dict)
		keys := dictKeys(d)
		if len(keys) == 0 {
			return nil, raise("KeyError", "'popitem(): dictionary is empty'")
		}
		k := keys[len(keys)-1]
		v, _ := d.GetKey(k)
		d.DeleteKey(k)
		return value.Tuple{k, v}, r.spend(2 * len(keys))
	},
	"clear": func(_ *run, self value.Value, a *args) (value.Value, error) {
		*self.(*value.Dict) = value.Dict{}
		return value.None, a.builtin(self, "clear", 0, 0)
	},
}

// updateDict takes in what dict(...) and update(...) take: a mapping or pairs, then keywords.
func (r *run) updateDict(d *value.Dict, a *args) error {
	if len(a.pos) == 1 {
		if err := r.updateFrom(d, a.pos[0]); err != nil {
			return err
		}
	}
	for i := range a.kw {
		if err := r.setKey(d, a.kw[i].keyOf(), a.kw[i].Value); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) updateFrom(d *value.Dict, src value.Value) error {
	if m, ok := src.(*value.Dict); ok {
		for _, k := range dictKeys(m) {
			v, _ := m.GetKey(k)
			if err := r.setKey(d, k, v); err != nil {
				return err
			}
		}
		return nil
	}
	if u := asUndefined(src); u != nil { // which is asked for its keys first
		return u.fail()
	}
	if isDictClass(src) { // whose keys() is not bound to a dict
		return typeErr("unbound method dict.keys() needs an argument")
	}
	i := -1
	return r.each(src, func(v value.Value) error {
		i++
		pair, err := r.list(v)
		if catchable(err, "TypeError") {
			return typeErr("cannot convert dictionary update sequence element #%d to a sequence", i)
		}
		if err != nil {
			return err
		}
		if len(pair) != 2 {
			return valueErr("dictionary update sequence element #%d has length %d; 2 is required", i, len(pair))
		}
		return r.setKey(d, pair[0], pair[1])
	})
}

var viewMethods = map[string]method{
	"isdisjoint": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "isdisjoint", 1, 1); err != nil {
			return nil, err
		}
		disjoint := true
		err := r.each(a.pos[0], func(v value.Value) error {
			has, err := r.contains(self, v)
			disjoint = disjoint && !has
			return err
		})
		return value.Bool(disjoint), err
	},
}
