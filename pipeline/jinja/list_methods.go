package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

var listMethods = map[string]method{
	"copy": func(r *run, self value.Value, a *args) (value.Value, error) {
		items, err := r.list(self)
		if err == nil {
			err = a.builtin(self, "copy", 0, 0)
		}
		return &value.List{Items: items}, err
	},
	"count": func(r *run, self value.Value, a *args) (value.Value, error) {
		return countItem(r, self, a)
	},
	"index": func(r *run, self value.Value, a *args) (value.Value, error) { return indexItem(r, self, a, "list") },
}

var tupleMethods = map[string]method{
	"count": func(r *run, self value.Value, a *args) (value.Value, error) {
		return countItem(r, self, a)
	},
	"index": func(r *run, self value.Value, a *args) (value.Value, error) { return indexItem(r, self, a, "tuple") },
}

var rangeMethods = map[string]method{
	"count": func(r *run, self value.Value, a *args) (value.Value, error) {
		return countItem(r, self, a)
	},
	"index": func(_ *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "index", 1, 1); err != nil {
			return nil, err
		}
		i := self.(*rangeVal).index(a.pos[0])
		if i < 0 && !isInt(a.pos[0]) {
			return nil, valueErr("sequence.index(x): x not in sequence")
		}
		if i < 0 {
			return nil, valueErr("%s is not in range", value.Repr(a.pos[0]))
		}
		return value.Int(i), nil
	},
}

var rangeAttrs = map[string]method{
	"start": func(_ *run, self value.Value, _ *args) (value.Value, error) {
		return value.Int(self.(*rangeVal).start), nil
	},
	"stop": func(_ *run, self value.Value, _ *args) (value.Value, error) {
		return value.Int(self.(*rangeVal).stop), nil
	},
	"step": func(_ *run, self value.Value, _ *args) (value.Value, error) {
		return value.Int(self.(*rangeVal).step), nil
	},
}

func countItem(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "count", 1, 1); err != nil {
		return nil, err
	}
	n := 0
	err := r.each(self, func(v value.Value) error {
		same, err := r.same(v, a.pos[0], 0)
		if same {
			n++
		}
		return err
	})
	return value.Int(n), err
}

func indexItem(r *run, self value.Value, a *args, kind string) (value.Value, error) {
	if err := a.builtin(self, "index", 1, 3); err != nil {
		return nil, err
	}
	items, err := r.items(self)
	if err != nil {
		return nil, err
	}
	i, j := 0, len(items)
	for k, dst := range []*int{&i, &j} {
		if v := a.arg(k + 1); v != nil {
			if !isInt(v) {
				return nil, typeErr("slice indices must be integers or have an __index__ method")
			}
			n, err := clampIndex(v)
			if err != nil {
				return nil, err
			}
			if n < 0 {
				n = max(n+len(items), 0)
			}
			*dst = n
		}
	}
	for ; i < min(j, len(items)); i++ {
		same, err := r.same(items[i], a.pos[0], 0)
		if err != nil {
			return nil, err
		}
		if same {
			return value.Int(i), nil
		}
	}
	if kind == "tuple" {
		return nil, valueErr("tuple.index(x): x not in tuple")
	}
	text, err := r.repr(a.pos[0])
	if err != nil {
		return nil, err
	}
	return nil, valueErr("%s is not in list", text)
}

var listChanges = map[string]method{
	"append": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "append", 1, 1); err != nil {
			return nil, err
		}
		l := self.(*value.List)
		l.Items = append(l.Items, a.pos[0])
		return value.None, r.allocItems(1)
	},
	"extend": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "extend", 1, 1); err != nil {
			return nil, err
		}
		items, err := r.list(a.pos[0])
		if err != nil {
			return nil, err
		}
		l := self.(*value.List)
		l.Items = append(l.Items, items...)
		return value.None, nil
	},
	"insert": func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, "insert", 2, 2); err != nil {
			return nil, err
		}
		l := self.(*value.List)
		i, err := clampIndex(a.pos[0])
		if err != nil {
			return nil, err
		}
		if i < 0 {
			i = max(i+len(l.Items), 0)
		}
		i = min(i, len(l.Items))
		l.Items = append(l.Items, nil)
		copy(l.Items[i+1:], l.Items[i:])
		l.Items[i] = a.pos[1]
		return value.None, r.moved(l)
	},
	"pop":    popItem,
	"remove": removeItem,
	"clear": func(_ *run, self value.Value, a *args) (value.Value, error) {
		self.(*value.List).Items = nil
		return value.None, a.builtin(self, "clear", 0, 0)
	},
	"reverse": func(r *run, self value.Value, a *args) (value.Value, error) {
		l := self.(*value.List)
		for i, j := 0, len(l.Items)-1; i < j; i, j = i+1, j-1 {
			l.Items[i], l.Items[j] = l.Items[j], l.Items[i]
		}
		if err := a.builtin(self, "reverse", 0, 0); err != nil {
			return nil, err
		}
		return value.None, r.moved(l)
	},
	"sort": sortList,
}

// moved counts the work of moving the items of a list.
func (r *run) moved(l *value.List) error {
	if err := r.allocItems(1); err != nil {
		return err
	}
	return r.read(16 * len(l.Items))
}

func popItem(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "pop", 0, 1); err != nil {
		return nil, err
	}
	l := self.(*value.List)
	i := -1
	if v := a.arg(0); v != nil {
		var err error
		if i, err = index(v); err != nil {
			return nil, err
		}
	}
	n := len(l.Items)
	if n == 0 {
		return nil, raise("IndexError", "pop from empty list")
	}
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return nil, raise("IndexError", "pop index out of range")
	}
	v := l.Items[i]
	copy(l.Items[i:], l.Items[i+1:])
	l.Items = l.Items[:n-1]
	return v, r.read(16 * (n - i))
}

func removeItem(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "remove", 1, 1); err != nil {
		return nil, err
	}
	l := self.(*value.List)
	for i, v := range l.Items {
		same, err := r.same(v, a.pos[0], 0)
		if err != nil {
			return nil, err
		}
		if same {
			l.Items = append(l.Items[:i], l.Items[i+1:]...)
			return value.None, r.moved(l)
		}
	}
	return nil, valueErr("list.remove(x): x not in list")
}
