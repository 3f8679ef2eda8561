package ofrep

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/flag"
)

// Request is the body of an evaluation.
type Request struct {
	Context json.RawMessage `json:"context,omitempty"` // an object: targetingKey, and attributes
}

// targetingKey is the member of the context that names for whom.
const targetingKey = "targetingKey"

// read returns for whom a request evaluates. A request without a body, or without a context, is about the caller.
func read(r *router.Request) (t host.FlagTarget, err error) {
	body, err := r.Body()
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return t, err
	}
	var req Request
	if err := router.DecodeJSON(body, &req); err != nil {
		f := fault.From(err)
		return t, coded(flag.CodeParseError, "%s", f.Message)
	}
	return parse(req.Context)
}

// parse reads a context. An absent one and null are empty.
func parse(raw json.RawMessage) (t host.FlagTarget, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return t, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var members map[string]any
	if raw[0] != '{' || dec.Decode(&members) != nil {
		return t, coded(flag.CodeInvalidContext, "the context is not a JSON object")
	}
	if key, given := members[targetingKey]; given && key != nil {
		var ok bool
		if t.User, ok = key.(string); !ok {
			return t, coded(flag.CodeInvalidContext, "the targetingKey of the context is not text")
		}
	}
	delete(members, targetingKey)
	t.Attributes = make(flag.Attributes, len(members))
	for k, v := range members {
		if t.Attributes[k], err = plain(v); err != nil {
			return t, err
		}
	}
	return t, nil
}

// plain makes integers and floats of the numbers in a tree.
func plain(v any) (_ any, err error) {
	switch x := v.(type) {
	case json.Number:
		return number(x)
	case []any:
		for i := range x {
			if x[i], err = plain(x[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range x {
			if x[k], err = plain(x[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func number(n json.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return u, nil
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, coded(flag.CodeInvalidContext, "a number of the context is too large")
	}
	return f, nil
}

// coded is an error with one of OpenFeature's codes.
func coded(code flag.ErrorCode, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithCode(string(code))
}

// value is a flag's value as JSON. A float keeps its point: clients of typed languages take 5 for an integer, and refuse it
// where a float was asked for.
type value struct{ v any }

// MarshalJSON writes the value.
func (v value) MarshalJSON() ([]byte, error) { return appendValue(nil, v.v) }

func appendValue(b []byte, v any) (_ []byte, err error) {
	switch x := v.(type) {
	case float64:
		text := strconv.FormatFloat(x, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return append(b, text...), nil
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendValue(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		return appendObject(b, x)
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

func appendObject(b []byte, m map[string]any) (_ []byte, err error) {
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		if b, err = appendValue(append(append(b, key...), ':'), m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}
