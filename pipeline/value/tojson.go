package value

import (
	"math"
	"slices"
	"strconv"

	"github.com/haywardhq/hayward/fault"
)

// JSONOptions are the arguments of Python's json.dumps. The zero value is its defaults.
type JSONOptions struct {
	ItemSeparator string                     // default ", ", or "," with Indent
	KeySeparator  string                     // default ": "
	RawUnicode    bool                       // ensure_ascii=False
	SortKeys      bool                       // sort_keys=True
	Indent        *int                       // spaces per level; nil keeps one line
	IndentText    string                     // with Indent: what is written in the place of each space
	ListText      func(string) string        // what is written for the JSON of a str in a list; nil writes it as it is
	RefuseNaN     bool                       // allow_nan=False
	Default       func(Value) (Value, error) // default=: what to write for a value JSON does not know; nil refuses it
	Objects       bool                       // write data classes as their dict, sets as lists, dates as ISO text
}

// DefaultStr is json.dumps's default=str.
func DefaultStr(v Value) (Value, error) { return Str(ToStr(v)), nil }

// ToJSON is Python's json.dumps(v). Bytes, sets, dates and data classes are refused unless Default or Objects says
// otherwise: TypeError "Object of type X is not JSON serializable".
func ToJSON(v Value, opts JSONOptions) (string, error) {
	b, err := AppendPyJSON(nil, v, opts)
	return string(b), err
}

// AppendPyJSON appends [ToJSON] of v to dst.
func AppendPyJSON(dst []byte, v Value, opts JSONOptions) ([]byte, error) {
	w := jsonWriter{opts: opts, item: opts.ItemSeparator, key: opts.KeySeparator}
	if w.key == "" {
		w.key = ": "
	}
	if w.item == "" {
		w.item = ", "
		if opts.Indent != nil {
			w.item = ","
		}
	}
	return w.value(dst, v)
}

type jsonWriter struct {
	opts      JSONOptions
	item, key string
	open      []Value // the containers around the current value
}

func (w *jsonWriter) enter(v Value) error {
	if v != nil && slices.Contains(w.open, v) {
		return pyError("ValueError", "Circular reference detected")
	}
	if len(w.open) >= maxReprDepth {
		return fault.New(fault.TooLarge, "the value is nested too deeply for JSON").WithCode("RecursionError")
	}
	w.open = append(w.open, v)
	return nil
}

func (w *jsonWriter) leave() { w.open = w.open[:len(w.open)-1] }

func (w *jsonWriter) value(dst []byte, v Value) ([]byte, error) {
	switch v := v.(type) {
	case nil, noneType:
		return append(dst, "null"...), nil
	case Bool:
		return strconv.AppendBool(dst, bool(v)), nil
	case Int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case *BigInt:
		return v.N.Append(dst, 10), nil
	case Float:
		return w.float(dst, float64(v))
	case Str:
		return AppendJSONString(dst, string(v), !w.opts.RawUnicode), nil
	case *List:
		return w.list(dst, v, v.Items)
	case Tuple:
		return w.list(dst, nil, v)
	case *Dict:
		return w.dict(dst, v)
	}
	return w.other(dst, v)
}

// other writes what JSON itself does not know.
func (w *jsonWriter) other(dst []byte, v Value) ([]byte, error) {
	if p := Plain(v); p != v {
		return w.value(dst, p)
	}
	if w.opts.Objects {
		if plain, ok := jsonForm(v); ok {
			return w.value(dst, plain)
		}
	}
	if w.opts.Default == nil {
		return dst, pyError("TypeError", "Object of type %s is not JSON serializable", TypeName(v))
	}
	if err := w.enter(nil); err != nil {
		return dst, err
	}
	defer w.leave()
	plain, err := w.opts.Default(v)
	if err != nil {
		return dst, err
	}
	return w.value(dst, plain)
}

// jsonForm returns how doors write a value that JSON does not know; ok is false for those it knows.
func jsonForm(v Value) (Value, bool) {
	switch v := v.(type) {
	case Bytes:
		out := &List{Items: make([]Value, len(v))}
		for i := range len(v) {
			out.Items[i] = Int(v[i])
		}
		return out, true
	case *Set:
		return &List{Items: v.Items()}, true
	case Date:
		return Str(v.ISO()), true
	case DateTime:
		return Str(v.ISO('T')), true
	case *Enum:
		return v.Value, true
	case Object:
		return ObjectDict(v), true
	}
	return nil, false
}

func (w *jsonWriter) float(dst []byte, f float64) ([]byte, error) {
	word := ""
	switch {
	case math.IsNaN(f):
		word = "NaN"
	case math.IsInf(f, 1):
		word = "Infinity"
	case math.IsInf(f, -1):
		word = "-Infinity"
	default:
		return AppendFloat(dst, f), nil
	}
	if w.opts.RefuseNaN {
		return dst, pyError("ValueError", "Out of range float values are not JSON compliant")
	}
	return append(dst, word...), nil
}

func (w *jsonWriter) newline(dst []byte) []byte {
	if w.opts.Indent == nil {
		return dst
	}
	dst = append(dst, '\n')
	for range len(w.open) * max(0, *w.opts.Indent) {
		if w.opts.IndentText != "" {
			dst = append(dst, w.opts.IndentText...)
		} else {
			dst = append(dst, ' ')
		}
	}
	return dst
}

func (w *jsonWriter) list(dst []byte, self Value, items []Value) ([]byte, error) {
	if len(items) == 0 {
		return append(dst, "[]"...), nil
	}
	if err := w.enter(self); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	var err error
	for i, v := range items {
		if i > 0 {
			dst = append(dst, w.item...)
		}
		if dst, err = w.listItem(w.newline(dst), v); err != nil {
			return dst, err
		}
	}
	w.leave()
	return append(w.newline(dst), ']'), nil
}

func (w *jsonWriter) listItem(dst []byte, v Value) ([]byte, error) {
	if w.opts.ListText == nil {
		return w.value(dst, v)
	}
	text, ok := plainKey(v).(Str)
	if !ok {
		return w.value(dst, v)
	}
	return append(dst, w.opts.ListText(string(AppendJSONString(nil, string(text), !w.opts.RawUnicode)))...), nil
}

func (w *jsonWriter) dict(dst []byte, d *Dict) ([]byte, error) {
	if d.Len() == 0 {
		return append(dst, "{}"...), nil
	}
	if err := w.enter(d); err != nil {
		return dst, err
	}
	entries := d.entries
	if w.opts.SortKeys {
		var err error
		if entries, err = sortedEntries(entries); err != nil {
			return dst, err
		}
	}
	dst = append(dst, '{')
	for i := range entries {
		if i > 0 {
			dst = append(dst, w.item...)
		}
		key, err := w.keyText(entries[i].key)
		if err != nil {
			return dst, err
		}
		dst = AppendJSONString(w.newline(dst), key, !w.opts.RawUnicode)
		if dst, err = w.value(append(dst, w.key...), entries[i].val); err != nil {
			return dst, err
		}
	}
	w.leave()
	return append(w.newline(dst), '}'), nil
}

// keyText turns a key into a JSON key: numbers, bools and None as their JSON text.
func (w *jsonWriter) keyText(key Value) (string, error) {
	switch k := plainKey(key).(type) {
	case Str:
		return string(k), nil
	case Bool, Int, *BigInt, Float, noneType:
		b, err := w.value(nil, k)
		return string(b), err
	}
	if w.opts.Objects {
		return ToStr(key), nil
	}
	return "", pyError("TypeError", "keys must be str, int, float, bool or None, not %s", TypeName(key))
}

// plainKey is [Plain], and the str of a value whose class is a subclass of str in another package.
func plainKey(key Value) Value {
	if text, ok := key.(interface{ PlainStr() Str }); ok {
		return text.PlainStr()
	}
	return Plain(key)
}

func sortedEntries(entries []entry) ([]entry, error) {
	out := slices.Clone(entries)
	var failed error
	slices.SortStableFunc(out, func(a, b entry) int {
		if failed != nil {
			return 0
		}
		c, err := order(plainKey(a.key), plainKey(b.key))
		failed = err
		return c
	})
	return out, failed
}
