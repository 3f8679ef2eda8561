package config

import (
	"math"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
)

// Layers an entry is found in.
const (
	LayerTenant = "tenant" // the tenant's own
	LayerApp    = "app"
)

// Value is what a key resolved to. Its methods give it as one type, or fail with vault.ErrTypeMismatch; nothing is rounded,
// cut or guessed.
type Value struct {
	key     string
	v       any
	version int64
	layer   string
}

// ValueOf returns a value to be read with types, of a key for messages.
func ValueOf(key string, v any) Value { return Value{key: key, v: v} }

// Any returns the value as the Go type it was set with; JSON as a tree of the caller's own.
func (v Value) Any() any { return typed.Clone(v.v) }

// Version returns the version of the entry, 0 if that is not known.
func (v Value) Version() int64 { return v.version }

// Layer says where the entry was found: "tenant" or "app"; "" if that is not known.
func (v Value) Layer() string { return v.layer }

func as[T any](v Value, read func(any) (T, error)) (T, error) {
	out, err := read(v.v)
	if err != nil {
		f := fault.From(err)
		err = fault.Wrap(fault.Invalid, base.ErrTypeMismatch, "the config entry %s: %s", audit.Display(v.key), f.Message).
			WithCode(typed.CodeMismatch).WithHint("%s", f.Hint)
	}
	return out, err
}

// Text returns text.
func (v Value) Text() (string, error) { return as(v, typed.AsString) }

// Bool returns a bool.
func (v Value) Bool() (bool, error) { return as(v, typed.AsBool) }

// Int64 returns an integer, or a float that is one and below 2^53.
func (v Value) Int64() (int64, error) { return as(v, typed.AsInt) }

// Int is [Value.Int64] for an int.
func (v Value) Int() (int, error) { return as(v, asInt) }

func asInt(v any) (int, error) {
	n, err := typed.AsInt(v)
	if err == nil && (n > math.MaxInt || n < math.MinInt) {
		err = fault.New(fault.Invalid, "the value does not fit an int")
	}
	return int(n), err
}

// Float64 returns a number that a float64 holds exactly.
func (v Value) Float64() (float64, error) { return as(v, typed.AsFloat) }

// Duration returns a duration, or text such as "1m30s"; never a number.
func (v Value) Duration() (time.Duration, error) { return as(v, typed.AsDuration) }

// JSON decodes the value into target, which is a pointer. References to secrets decode into [SecretRef].
func (v Value) JSON(target any) error {
	_, err := as(v, func(x any) (struct{}, error) { return struct{}{}, typed.AsJSON(x, target) })
	return err
}

// ParseInt reads text as an integer.
func ParseInt(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, unparsable("an integer")
	}
	return n, nil
}

// ParseFloat reads text as a finite number.
func ParseFloat(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, unparsable("a number")
	}
	return f, nil
}

// ParseBool reads text as strconv.ParseBool does.
func ParseBool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, unparsable("a bool")
	}
	return b, nil
}

func unparsable(what string) error {
	return fault.Wrap(fault.Invalid, base.ErrTypeMismatch, "the text is not %s", what).WithCode(typed.CodeMismatch)
}
