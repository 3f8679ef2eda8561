package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// mappingProxy is Python's read-only view of a dict, the attribute "mapping" of the dict's other views.
type mappingProxy struct {
	internal
	d *value.Dict
}

func (*mappingProxy) Class() string { return "mappingproxy" }

// Repr returns "mappingproxy({...})".
func (m *mappingProxy) Repr() string { return "mappingproxy(" + value.Repr(m.d) + ")" }

// PyStr is the dict's text.
func (m *mappingProxy) PyStr() string { return value.Repr(m.d) }

// PyLen is the number of items.
func (m *mappingProxy) PyLen() int { return m.d.Len() }

func (m *mappingProxy) length(*run) (int, error) { return m.d.Len(), nil }

func (m *mappingProxy) iter(r *run) (iterator, error) { return r.iter(m.d) }

func (m *mappingProxy) item(r *run, arg value.Value) (value.Value, error) {
	return r.dictItem(m.d, arg)
}

func (m *mappingProxy) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	dst, err := p.append(append(dst, "mappingproxy("...), m.d)
	return append(dst, ')'), err
}

// proxied are the methods of dict that a proxy passes on.
func proxied() methodTable {
	out := methodTable{}
	for _, name := range []string{"get", "keys", "values", "items", "copy"} {
		fn := dictMethods[name]
		least, most := 0, 0
		if name == "get" {
			least, most = 1, 2
		}
		out[name] = methodInfo{fn: func(r *run, self value.Value, a *args) (value.Value, error) {
			if err := a.builtin(self, name, least, most); err != nil {
				return nil, err
			}
			return fn(r, self.(*mappingProxy).d, a)
		}}
	}
	return out
}

var viewAttrs = map[string]method{
	"mapping": func(_ *run, self value.Value, _ *args) (value.Value, error) {
		return &mappingProxy{d: self.(*dictView).d}, nil
	},
}
