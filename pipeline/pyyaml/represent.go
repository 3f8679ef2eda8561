package pyyaml

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxDumpDepth bounds the recursion of [Dump].
const maxDumpDepth = 500

// Dump writes a value as yaml.dump does with Haystack's dumper: keys sorted where they can be compared, block style,
// lines folded at 80 columns, everything beyond ASCII escaped, tuples as !!python/tuple, and lists, tuples, dicts and
// sets that occur more than once as anchor and aliases. The text ends with a line break. Objects (data classes) are an
// error, as in Python: what goes into YAML has been through to_dict.
func Dump(v value.Value) (string, error) {
	r := &representer{known: map[any]*outNode{}}
	root, err := r.represent(v, 0)
	if err != nil {
		return "", err
	}
	e := &emitter{indent: -1, whitespace: true, indention: true, anchors: map[*outNode]int{}, written: map[*outNode]bool{}}
	e.anchor(root)
	e.document(root)
	return e.out.String(), nil
}

// outNode is a node on its way out (yaml/nodes.py).
type outNode struct {
	kind  Kind
	tag   string
	text  string
	block bool // a scalar that asks for literal style
	items []*outNode
	pairs [][2]*outNode
}

// representer turns values into nodes (yaml/representer.py); known holds the nodes of values that have an identity.
type representer struct{ known map[any]*outNode }

type tupleID struct {
	first *value.Value
	n     int
}

// identity is what tells one list from another with the same items; nil for values without one.
func identity(v value.Value) any {
	switch v := v.(type) {
	case *value.List, *value.Dict, *value.Set:
		return v
	case value.Tuple:
		if len(v) > 0 {
			return tupleID{&v[0], len(v)}
		}
	}
	return nil
}

func (r *representer) represent(v value.Value, depth int) (*outNode, error) {
	if depth > maxDumpDepth {
		return nil, fault.New(fault.TooLarge, "The value is nested more than %d levels deep; YAML is not written for it.", maxDumpDepth).
			WithCode("YAMLError")
	}
	id := identity(v)
	if id != nil {
		if n, ok := r.known[id]; ok {
			return n, nil
		}
	}
	n := &outNode{}
	if id != nil {
		r.known[id] = n
	}
	return n, r.fill(n, v, depth+1)
}

func (r *representer) fill(n *outNode, v value.Value, depth int) error {
	switch v := v.(type) {
	case *value.List:
		return r.sequence(n, tagSeq, v.Items, depth)
	case value.Tuple:
		return r.sequence(n, tagTuple, v, depth)
	case *value.Dict:
		return r.mapping(n, tagMap, v, depth)
	case *value.Set:
		d := &value.Dict{}
		for _, item := range v.Items() {
			d.SetKey(item, value.None)
		}
		return r.mapping(n, tagSet, d, depth)
	}
	var ok bool
	if n.tag, n.text, ok = scalarOf(v); !ok {
		return fault.New(fault.Invalid, "A value of type %s cannot be written as YAML.", value.TypeName(v)).WithCode("RepresenterError").
			WithHint("Pipelines hold plain values alone: str, numbers, bool, None, bytes, dates, lists, tuples, sets and dicts.")
	}
	n.block = n.tag == tagBinary
	return nil
}

// scalarOf returns the tag and the text of a scalar.
func scalarOf(v value.Value) (tag, text string, ok bool) {
	if value.IsNone(v) {
		return tagNull, "null", true
	}
	switch v := v.(type) {
	case value.Bool:
		if v {
			return tagBool, "true", true
		}
		return tagBool, "false", true
	case value.Int, *value.BigInt:
		return tagInt, value.Repr(v), true
	case value.Float:
		return tagFloat, floatText(v), true
	case value.Str:
		return tagStr, string(v), true
	case value.Bytes:
		return tagBinary, base64Lines(string(v)), true
	case value.Date:
		return tagTimestamp, fmt.Sprintf("%04d-%02d-%02d", v.Year, v.Month, v.Day), true
	case value.DateTime:
		return tagTimestamp, timeText(v), true
	}
	return "", "", false
}

func floatText(f value.Float) string {
	switch {
	case math.IsNaN(float64(f)):
		return ".nan"
	case math.IsInf(float64(f), 1):
		return ".inf"
	case math.IsInf(float64(f), -1):
		return "-.inf"
	}
	text := value.Repr(f)
	if !strings.Contains(text, ".") {
		text = strings.Replace(text, "e", ".0e", 1) // YAML 1.1 reads a float by its point
	}
	return text
}

// base64Lines is Python's base64.encodebytes: lines of 76 characters.
func base64Lines(s string) string {
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(s), 57) {
		b.WriteString(base64.StdEncoding.EncodeToString(chunk))
		b.WriteByte('\n')
	}
	return b.String()
}

func timeText(d value.DateTime) string {
	layout := "2006-01-02 15:04:05"
	if d.Time.Nanosecond()/1000 != 0 {
		layout += ".000000"
	}
	if d.Aware {
		layout += "-07:00"
		if _, offset := d.Time.Zone(); offset%60 != 0 {
			layout += ":00"
		}
	}
	return d.Time.Format(layout)
}

func (r *representer) sequence(n *outNode, tag string, items []value.Value, depth int) error {
	n.kind, n.tag = Sequence, tag
	for _, item := range items {
		child, err := r.represent(item, depth)
		if err != nil {
			return err
		}
		n.items = append(n.items, child)
	}
	return nil
}

func (r *representer) mapping(n *outNode, tag string, d *value.Dict, depth int) error {
	n.kind, n.tag = Mapping, tag
	for _, key := range sortedKeys(d) {
		k, err := r.represent(key, depth)
		if err != nil {
			return err
		}
		item, _ := d.GetKey(key)
		v, err := r.represent(item, depth)
		if err != nil {
			return err
		}
		n.pairs = append(n.pairs, [2]*outNode{k, v})
	}
	return nil
}

// sortedKeys returns the keys in Python's order, or as they come if two of them cannot be compared.
func sortedKeys(d *value.Dict) []value.Value {
	keys := make([]value.Value, 0, d.Len())
	for k := range d.All() {
		keys = append(keys, k)
	}
	sorted, comparable := slices.Clone(keys), true
	slices.SortStableFunc(sorted, func(a, b value.Value) int {
		less, err := value.Less(a, b)
		if err != nil {
			comparable = false
		}
		if less {
			return -1
		}
		if more, err := value.Less(b, a); err == nil && more {
			return 1
		}
		return 0
	})
	if !comparable {
		return keys
	}
	return sorted
}
