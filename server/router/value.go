package router

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Value is any JSON value of a request body, with every digit of its numbers kept: encoding/json's own any would make a
// float64 of each.
type Value struct{ Any any }

// UnmarshalJSON reads any value.
func (v *Value) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var raw any
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	v.Any = Plain(raw)
	return nil
}

// MarshalJSON writes the value.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.Any) }

// Plain returns the Go value of a number that was read as json.Number: an int64, a uint64, or a float64 that is written the
// same way. Any other stays, as do all other values and the numbers inside them.
func Plain(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := n.Int64(); err == nil && n != "-0" {
		return i
	}
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return u
	}
	if f, err := n.Float64(); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == strings.TrimPrefix(string(n), "+") {
		return f
	}
	return v
}
