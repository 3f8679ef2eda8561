package value

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// Dict is Python's dict: insertion ordered, with Python's idea of equal keys (1, 1.0 and True are one key). The zero
// Dict is empty and ready to use.
type Dict struct {
	entries []entry
	index   map[any]int // canonical key -> position; made for a key that is no str, or beyond smallDict entries
}

type entry struct{ key, val Value }

// smallDict is how many str keys are looked through one by one. Comparing that many costs less than a map of them.
const smallDict = 16

// Roomy is a dict with room for its first entry, for who puts several into one block of memory. It is used through
// [Roomy.Start] and never copied.
type Roomy struct {
	dict Dict
	room [1]entry
}

// Start returns the dict, empty at first. It is called once.
func (r *Roomy) Start() *Dict {
	r.dict.entries = r.room[:0]
	return &r.dict
}

// NewDict returns a dict of alternating keys and values: NewDict("a", v1, "b", v2).
func NewDict(pairs ...any) *Dict {
	d := &Dict{}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.Set(pairs[i].(string), pairs[i+1].(Value))
	}
	return d
}

// Len returns the number of entries.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.entries)
}

// Get returns the value of a str key.
func (d *Dict) Get(key string) (Value, bool) {
	if d == nil {
		return nil, false
	}
	if d.index == nil {
		if i := d.findStr(key); i >= 0 {
			return d.entries[i].val, true
		}
		return nil, false
	}
	if i, ok := d.index[Str(key)]; ok {
		return d.entries[i].val, true
	}
	return nil, false
}

// Set sets the value of a str key; an existing key keeps its place.
func (d *Dict) Set(key string, v Value) {
	k := Value(Str(key))
	d.put(k, k, v)
}

// Key is a str key made once for many dicts: setting it allocates nothing for the key.
type Key struct{ key Value }

// NewKey returns a key for [Dict.SetPrepared].
func NewKey(text string) Key { return Key{Str(text)} }

// SetPrepared is Set with a key that was made before.
func (d *Dict) SetPrepared(k Key, v Value) { d.put(k.key, k.key, v) }

// GetKey returns the value of any key; ok is false for a missing or unhashable one.
func (d *Dict) GetKey(key Value) (v Value, ok bool) {
	h, hashable := HashKey(key)
	if !hashable || d == nil {
		return nil, false
	}
	if i := d.find(h); i >= 0 {
		return d.entries[i].val, true
	}
	return nil, false
}

// SetKey sets the value of any hashable key and reports whether it was hashable.
func (d *Dict) SetKey(key, v Value) bool {
	h, ok := HashKey(key)
	if ok {
		d.put(key, h, v)
	}
	return ok
}

// Delete removes a str key and reports whether it was there.
func (d *Dict) Delete(key string) bool { return d.DeleteKey(Str(key)) }

// DeleteKey removes a key and reports whether it was there.
func (d *Dict) DeleteKey(key Value) bool {
	h, ok := HashKey(key)
	if !ok || d == nil {
		return false
	}
	i := d.find(h)
	if i < 0 {
		return false
	}
	d.entries = append(d.entries[:i:i], d.entries[i+1:]...)
	if d.index != nil {
		d.reindex()
	}
	return true
}

func (d *Dict) find(h any) int {
	if d.index != nil {
		if i, ok := d.index[h]; ok {
			return i
		}
		return -1
	}
	if s, ok := h.(Str); ok {
		return d.findStr(string(s))
	}
	return -1 // without an index all keys are str
}

func (d *Dict) findStr(key string) int {
	for i := range d.entries {
		if k, ok := d.entries[i].key.(Str); ok && string(k) == key {
			return i
		}
	}
	return -1
}

func (d *Dict) put(key Value, h any, v Value) {
	if i := d.find(h); i >= 0 {
		d.entries[i].val = v
		return
	}
	d.entries = append(d.entries, entry{key, v})
	if d.index != nil {
		d.index[h] = len(d.entries) - 1
		return
	}
	if _, str := key.(Str); !str || len(d.entries) > smallDict {
		d.reindex()
	}
}

func (d *Dict) reindex() {
	d.index = make(map[any]int, 2*len(d.entries))
	for i := range d.entries {
		if h, ok := HashKey(d.entries[i].key); ok {
			d.index[h] = i
		}
	}
}

// Grow makes room for n more entries.
func (d *Dict) Grow(n int) { d.entries = slices.Grow(d.entries, n) }

// All yields keys and values in order.
func (d *Dict) All() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		if d == nil {
			return
		}
		for i := range d.entries {
			if !yield(d.entries[i].key, d.entries[i].val) {
				return
			}
		}
	}
}

// At returns the i-th entry, from 0; i must be less than Len. It is for loops that run often: All costs a call per entry.
func (d *Dict) At(i int) (key, v Value) {
	e := &d.entries[i]
	return e.key, e.val
}

// Strings yields the entries whose key is a str, in order.
func (d *Dict) Strings() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for k, v := range d.All() {
			if s, ok := k.(Str); ok && !yield(string(s), v) {
				return
			}
		}
	}
}

// Clone returns a shallow copy.
func (d *Dict) Clone() *Dict {
	out := &Dict{}
	if d == nil {
		return out
	}
	out.entries = append([]entry(nil), d.entries...)
	if d.index != nil {
		out.reindex()
	}
	return out
}

// Set is Python's set, in insertion order (Python's own order is arbitrary).
type Set struct{ d Dict }

// NewSet returns a set of the given hashable items; ok is false if one is not hashable.
func NewSet(items ...Value) (s *Set, ok bool) {
	s = &Set{}
	for _, v := range items {
		if !s.Add(v) {
			return nil, false
		}
	}
	return s, true
}

// Add adds v and reports whether it was hashable.
func (s *Set) Add(v Value) bool {
	h, ok := HashKey(v)
	if ok && s.d.find(h) < 0 {
		s.d.put(v, h, None)
	}
	return ok
}

// Has reports whether v is in the set.
func (s *Set) Has(v Value) bool { _, ok := s.d.GetKey(v); return ok }

// Len returns the number of items.
func (s *Set) Len() int { return s.d.Len() }

// Items returns the items in insertion order.
func (s *Set) Items() []Value {
	out := make([]Value, 0, s.Len())
	for k := range s.d.All() {
		out = append(out, k)
	}
	return out
}

type (
	bigKey   string
	bytesKey string
	tupleKey string
	noneKey  struct{}
	enumKey  struct{ path, name string }
	nanKey   struct{ n *byte } // a NaN equals nothing but itself
)

// Keyed is a value of another package that can be a dict's key. Equal keys, in Go's sense, are equal values; their type must
// be that package's own.
type Keyed interface {
	Value
	DictKey() any
}

// HashKey returns a comparable Go value that is equal for values Python takes for the same dict key, and false for
// unhashable ones (lists, dicts, sets, objects).
func HashKey(key Value) (any, bool) {
	switch v := key.(type) {
	case Str:
		return key, true // a str is its own: nothing is allocated
	case Int:
		return int64(v), true
	case Bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case Float:
		return hashFloat(float64(v)), true
	case *BigInt:
		return bigKey(v.N.String()), true
	case Bytes:
		return bytesKey(v), true
	case noneType:
		return noneKey{}, true
	case Date:
		return v, true
	case DateTime:
		return [2]any{v.Time.UnixMicro(), v.Aware}, true
	case Tuple:
		return hashTuple(v)
	case *Enum:
		if v.Mixin {
			return HashKey(v.Value)
		}
		return enumKey{v.Path, v.Name}, true
	case Keyed:
		return v.DictKey(), true
	}
	return nil, false
}

func hashFloat(f float64) any {
	switch {
	case math.IsNaN(f):
		return nanKey{new(byte)}
	case math.IsInf(f, 0) || f != math.Trunc(f):
		return f
	case f >= -1<<63 && f < 1<<63:
		return int64(f)
	}
	n, _ := new(big.Float).SetFloat64(f).Int(nil)
	return bigKey(n.String())
}

func hashTuple(t Tuple) (any, bool) {
	out := ""
	for _, v := range t {
		h, ok := HashKey(v)
		if !ok {
			return nil, false
		}
		part := hashText(h)
		out += strconv.Itoa(len(part)) + ":" + part
	}
	return tupleKey(out), true
}

func hashText(h any) string {
	switch h := h.(type) {
	case Str:
		return "s" + string(h)
	case int64:
		return "i" + strconv.FormatInt(h, 10)
	case float64:
		return "f" + strconv.FormatFloat(h, 'g', -1, 64)
	case bigKey:
		return "i" + string(h)
	case bytesKey:
		return "b" + string(h)
	case tupleKey:
		return "t" + string(h)
	case noneKey:
		return "n"
	}
	return fmt.Sprintf("%T%v", h, h)
}
