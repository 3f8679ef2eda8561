package part

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// ValueError is an Invalid fault under the name of Python's exception.
func ValueError(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithCode("ValueError")
}

// TypeError is an Invalid fault under the name of Python's exception.
func TypeError(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithCode("TypeError")
}

// Refuse remembers, for a constructor, a problem with a parameter in Haystack's own words.
func Refuse(b *component.Builder, param string, err error) error {
	if b.Err() != nil {
		return b.Err()
	}
	where := b.Where
	where.Component, where.Type, where.Field = b.Name, b.Type.Name, param
	f := fault.From(err)
	if f.Kind == fault.Internal {
		f = fault.Wrap(fault.Invalid, err, "init parameter '%s' cannot be used", param)
	}
	return f.At(where)
}

// Wrong is the error for an input of the wrong type.
func Wrong(socket, want string, got value.Value) error {
	return TypeError("input '%s' must be %s, but is %s", socket, want, value.TypeName(got))
}

// DocList reads a list of documents. Its error carries message, if one is given.
func DocList(socket string, v value.Value, message string) ([]*document.Document, error) {
	items, ok := Items(v)
	if !ok {
		return nil, docFault(socket, v, message)
	}
	out := make([]*document.Document, len(items))
	for i, it := range items {
		if out[i], ok = it.(*document.Document); !ok {
			return nil, docFault(socket, it, message)
		}
	}
	return out, nil
}

func docFault(socket string, v value.Value, message string) error {
	if message != "" {
		return TypeError("%s", message)
	}
	return Wrong(socket, "a list of Documents", v)
}

// Items returns the items of a list or tuple.
func Items(v value.Value) ([]value.Value, bool) {
	switch v := v.(type) {
	case *value.List:
		return v.Items, true
	case value.Tuple:
		return v, true
	}
	return nil, false
}

// Text reads a str.
func Text(socket string, v value.Value) (string, error) {
	s, ok := v.(value.Str)
	if !ok {
		return "", Wrong(socket, "a string", v)
	}
	return string(s), nil
}

// TextOr reads a str; None gives def.
func TextOr(socket string, v value.Value, def *string) (*string, error) {
	if value.IsNone(v) {
		return def, nil
	}
	s, err := Text(socket, v)
	return &s, err
}

// IntOr reads an int; None gives def.
func IntOr(socket string, v value.Value, def int) (int, error) {
	switch v := v.(type) {
	case value.Int:
		return int(v), nil
	case value.Bool:
		if v {
			return 1, nil
		}
		return 0, nil
	}
	if value.IsNone(v) {
		return def, nil
	}
	return 0, Wrong(socket, "a whole number", v)
}

// FloatOr reads a number; None gives def.
func FloatOr(socket string, v value.Value, def float64) (float64, error) {
	switch v := v.(type) {
	case value.Float:
		return float64(v), nil
	case value.Int:
		return float64(v), nil
	}
	if value.IsNone(v) {
		return def, nil
	}
	return 0, Wrong(socket, "a number", v)
}

// BoolOr reads a truth value; None gives def.
func BoolOr(v value.Value, def bool) bool {
	if value.IsNone(v) {
		return def
	}
	return value.Truthy(v)
}

// DictOr reads a dict; None gives nil.
func DictOr(socket string, v value.Value) (*value.Dict, error) {
	if value.IsNone(v) {
		return nil, nil
	}
	d, ok := v.(*value.Dict)
	if !ok {
		return nil, Wrong(socket, "a mapping", v)
	}
	return d, nil
}

// StrList reads a list of strings.
func StrList(socket string, v value.Value) ([]string, error) {
	items, ok := Items(v)
	if !ok {
		return nil, Wrong(socket, "a list of strings", v)
	}
	out := make([]string, len(items))
	for i, it := range items {
		s, ok := it.(value.Str)
		if !ok {
			return nil, Wrong(socket, "a list of strings", it)
		}
		out[i] = string(s)
	}
	return out, nil
}

// StrValues makes a list of strings a value.
func StrValues(list []string) *value.List {
	out := &value.List{Items: make([]value.Value, len(list))}
	for i, s := range list {
		out.Items[i] = value.Str(s)
	}
	return out
}

// MessageList makes a list of messages a value.
func MessageList(list []*chat.Message) *value.List {
	out := &value.List{Items: make([]value.Value, len(list))}
	for i, m := range list {
		out.Items[i] = m
	}
	return out
}

// AllMessages reports whether every item is a chat message.
func AllMessages(items []value.Value) ([]*chat.Message, bool) {
	out := make([]*chat.Message, len(items))
	for i, it := range items {
		m, ok := it.(*chat.Message)
		if !ok {
			return nil, false
		}
		out[i] = m
	}
	return out, true
}
