package value

import (
	"math/big"
	"time"
)

// Kind tells the sort of a [Value].
type Kind uint8

// The closed set of kinds.
const (
	KindNone Kind = iota
	KindBool
	KindInt // Int and BigInt
	KindFloat
	KindStr
	KindBytes
	KindList
	KindTuple
	KindDict
	KindSet
	KindDate
	KindDateTime
	KindObject
)

// Value is a Python value. A nil Value is "nothing", not None.
type Value interface {
	// Kind returns the sort of the value.
	Kind() Kind
}

type noneType struct{}

// None is Python's None.
var None Value = noneType{}

// The scalar kinds.
type (
	// Bool is Python's bool.
	Bool bool
	// Int is an int that fits 64 bits. Larger ones are *BigInt; arithmetic goes through this package's functions, which
	// keep that rule.
	Int int64
	// BigInt is an int outside the range of Int. It is immutable: never change the number inside.
	BigInt struct{ N *big.Int }
	// Float is Python's float.
	Float float64
	// Str is Python's str, as valid UTF-8.
	Str string
	// Bytes is Python's bytes, immutable by contract.
	Bytes string
	// Date is Python's datetime.date.
	Date struct {
		Year, Month, Day int
	}
	// DateTime is Python's datetime.datetime; Aware tells whether it has a time zone.
	DateTime struct {
		Time  time.Time // microseconds; in UTC when not Aware
		Aware bool
	}
)

// The containers.
type (
	// List is Python's list.
	List struct{ Items []Value }
	// Tuple is Python's tuple, immutable by contract.
	Tuple []Value
)

// Object is a data class or another value with attributes that lives in its own room.
type Object interface {
	Value
	// Class returns the Python path of the class, for example "haystack.dataclasses.document.Document".
	Class() string
	// Attr returns an attribute that Python code (a template, a router) may read; ok is false when there is none.
	Attr(name string) (v Value, ok bool)
	// ToDict returns what the Python class's to_dict() returns.
	ToDict() *Dict
	// Repr returns what Python's repr() returns.
	Repr() string
}

// Kind returns KindNone.
func (noneType) Kind() Kind { return KindNone }

// Kind returns KindBool.
func (Bool) Kind() Kind { return KindBool }

// Kind returns KindInt.
func (Int) Kind() Kind { return KindInt }

// Kind returns KindInt.
func (*BigInt) Kind() Kind { return KindInt }

// Kind returns KindFloat.
func (Float) Kind() Kind { return KindFloat }

// Kind returns KindStr.
func (Str) Kind() Kind { return KindStr }

// Kind returns KindBytes.
func (Bytes) Kind() Kind { return KindBytes }

// Kind returns KindList.
func (*List) Kind() Kind { return KindList }

// Kind returns KindTuple.
func (Tuple) Kind() Kind { return KindTuple }

// Kind returns KindDict.
func (*Dict) Kind() Kind { return KindDict }

// Kind returns KindSet.
func (*Set) Kind() Kind { return KindSet }

// Kind returns KindDate.
func (Date) Kind() Kind { return KindDate }

// Kind returns KindDateTime.
func (DateTime) Kind() Kind { return KindDateTime }

// NewList returns a list of the given items.
func NewList(items ...Value) *List { return &List{Items: items} }

// IsNone reports whether v is None or nothing.
func IsNone(v Value) bool { return v == nil || v == None }

// Strs returns a list of str.
func Strs(items ...string) *List {
	out := &List{Items: make([]Value, len(items))}
	for i, s := range items {
		out.Items[i] = Str(s)
	}
	return out
}
