package pipeline

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxEnvelopeDepth bounds the nesting of what a snapshot holds.
const maxEnvelopeDepth = 64

// envelopeFields writes a dict with its schema, {serialization_schema, serialized_data}
// (haystack/utils/base_serialization.py, _serialize_value_with_schema). Fields that have no form there are left out and
// named (_serialize_with_field_fallback).
func envelopeFields(d *value.Dict) (out *value.Dict, left []string) {
	properties, data := &value.Dict{}, &value.Dict{}
	for k, v := range d.Strings() {
		s, x, err := describeValue(v, 1)
		if err != nil {
			left = append(left, k)
			continue
		}
		properties.Set(k, s)
		data.Set(k, x)
	}
	schema := value.NewDict("type", value.Str("object"), "properties", properties)
	return value.NewDict("serialization_schema", schema, "serialized_data", data), left
}

func describeValue(v value.Value, depth int) (schema *value.Dict, data value.Value, err error) {
	if depth > maxEnvelopeDepth {
		return nil, nil, fault.New(fault.TooLarge, "the value is nested too deeply for a snapshot")
	}
	typed := func(name string, data value.Value) (*value.Dict, value.Value, error) {
		return value.NewDict("type", value.Str(name)), data, nil
	}
	switch v := v.(type) {
	case *value.Dict:
		properties, data := &value.Dict{}, &value.Dict{}
		for k, x := range v.All() {
			s, d, err := describeValue(x, depth+1)
			if err != nil {
				return nil, nil, err
			}
			properties.SetKey(k, s)
			data.SetKey(k, d)
		}
		return value.NewDict("type", value.Str("object"), "properties", properties), data, nil
	case *value.List:
		return describeItems(v.Items, depth)
	case value.Tuple:
		schema, data, err := describeItems(v, depth)
		if err == nil {
			schema.Set("minItems", value.Int(len(v)))
			schema.Set("maxItems", value.Int(len(v)))
		}
		return schema, data, err
	case *value.Set:
		schema, data, err := describeItems(v.Items(), depth)
		if err == nil {
			schema.Set("uniqueItems", value.Bool(true))
		}
		return schema, data, err
	case value.Object:
		return typed(v.Class(), v.ToDict())
	case value.Bool:
		return typed("boolean", v)
	case value.Int, *value.BigInt:
		return typed("integer", v)
	case value.Float:
		return typed("number", v)
	case value.Str:
		return typed("string", v)
	}
	if value.IsNone(v) {
		return typed("null", value.None)
	}
	return nil, nil, fault.New(fault.Unsupported, "Cannot serialize value of type '%s'.", value.TypeName(v)).WithCode("SerializationError")
}

func describeItems(items []value.Value, depth int) (*value.Dict, value.Value, error) {
	schemas, data := &value.List{}, &value.List{Items: []value.Value{}}
	same := true
	for _, it := range items {
		s, d, err := describeValue(it, depth+1)
		if err != nil {
			return nil, nil, err
		}
		same = same && (len(schemas.Items) == 0 || value.Equal(schemas.Items[0], s))
		schemas.Items = append(schemas.Items, s)
		data.Items = append(data.Items, d)
	}
	schema := value.NewDict("type", value.Str("array"))
	switch {
	case len(items) == 0:
		schema.Set("items", &value.Dict{})
	case same:
		schema.Set("items", schemas.Items[0])
	default:
		schema.Set("prefixItems", schemas)
	}
	return schema, data, nil
}

// classes are the data classes that a snapshot may hold. Nothing else is made from one: no component, tool or callable.
var classes = map[string]func(*value.Dict) (value.Value, error){
	"haystack.dataclasses.document.Document":                into(document.FromDict),
	"haystack.dataclasses.byte_stream.ByteStream":           into(document.BytesFromDict),
	"haystack.dataclasses.sparse_embedding.SparseEmbedding": into(document.SparseFromDict),
	"haystack.dataclasses.answer.GeneratedAnswer":           into(document.GeneratedFromDict),
	"haystack.dataclasses.answer.ExtractedAnswer":           into(document.ExtractedFromDict),
	"haystack.dataclasses.chat_message.ChatMessage":         into(chat.FromDict),
	"haystack.dataclasses.chat_message.ToolCall":            into(chat.ToolCallFromDict),
	"haystack.dataclasses.chat_message.ToolCallResult":      into(chat.ToolCallResultFromDict),
	"haystack.dataclasses.chat_message.ReasoningContent":    into(chat.ReasoningFromDict),
	"haystack.dataclasses.image_content.ImageContent":       into(chat.ImageFromDict),
	"haystack.dataclasses.file_content.FileContent":         into(chat.FileFromDict),
	"haystack.dataclasses.streaming_chunk.StreamingChunk":   into(chat.ChunkFromDict),
	markerClass: noOutput,
}

func into[T value.Value](read func(*value.Dict) (T, error)) func(*value.Dict) (value.Value, error) {
	return func(d *value.Dict) (value.Value, error) {
		v, err := read(d)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
}

func unreadable(format string, args ...any) error {
	return invalid(CodeDeserializationError, "the snapshot cannot be read: "+format, args...)
}

// unwrap reads what [envelope] wrote (_deserialize_value_with_schema).
func unwrap(v value.Value) (value.Value, error) {
	d, ok := v.(*value.Dict)
	schema, hasSchema := d.Get("serialization_schema")
	data, hasData := d.Get("serialized_data")
	if !ok || !hasSchema || !hasData {
		return nil, unreadable("a value must be a mapping with serialization_schema and serialized_data")
	}
	return readValue(schema, data, 0)
}

func unwrapDict(v value.Value, what string) (*value.Dict, error) {
	x, err := unwrap(v)
	if err != nil {
		return nil, err
	}
	d, ok := x.(*value.Dict)
	if !ok {
		return nil, unreadable("%s must be a mapping", what)
	}
	return d, nil
}

func readValue(schema, data value.Value, depth int) (value.Value, error) {
	if depth > maxEnvelopeDepth {
		return nil, fault.New(fault.TooLarge, "the snapshot is nested too deeply")
	}
	s, _ := schema.(*value.Dict)
	t, _ := s.Get("type")
	name, ok := t.(value.Str)
	if !ok {
		return nil, unreadable("a serialization_schema has no type")
	}
	fits := false
	switch name {
	case "object":
		return readObject(s, data, depth)
	case "array":
		return readArray(s, data, depth)
	case "null":
		fits = value.IsNone(data)
	case "boolean":
		_, fits = data.(value.Bool)
	case "integer":
		_, small := data.(value.Int)
		_, big := data.(*value.BigInt)
		fits = small || big
	case "number":
		_, fits = data.(value.Float)
		if n, ok := data.(value.Int); ok {
			return value.Float(n), nil // JSON writers drop the point
		}
	case "string":
		_, fits = data.(value.Str)
	default:
		return readClass(string(name), data)
	}
	if !fits {
		return nil, unreadable("%s is no %s", value.TypeName(data), name)
	}
	return data, nil
}

func readObject(s *value.Dict, data value.Value, depth int) (value.Value, error) {
	p, _ := s.Get("properties")
	properties, isDict := p.(*value.Dict)
	fields, ok := data.(*value.Dict)
	if !ok || !isDict {
		return nil, unreadable("an object needs a mapping and its properties")
	}
	out := &value.Dict{}
	for k, v := range fields.All() {
		schema, ok := properties.GetKey(k)
		if !ok {
			return nil, unreadable("the property %s has no schema", value.Repr(k))
		}
		x, err := readValue(schema, v, depth+1)
		if err != nil {
			return nil, err
		}
		out.SetKey(k, x)
	}
	return out, nil
}

func readArray(s *value.Dict, data value.Value, depth int) (value.Value, error) {
	list, ok := data.(*value.List)
	if !ok {
		return nil, unreadable("an array needs a list")
	}
	shared, hasShared := s.Get("items")
	p, mixed := s.Get("prefixItems")
	each, _ := p.(*value.List)
	if mixed && (each == nil || len(each.Items) != len(list.Items)) {
		return nil, unreadable("'prefixItems' does not describe every element")
	}
	if !mixed && !hasShared && len(list.Items) > 0 {
		return nil, unreadable("an array has no schema of its elements")
	}
	out := make([]value.Value, len(list.Items))
	for i, it := range list.Items {
		schema := shared
		if mixed {
			schema = each.Items[i]
		}
		x, err := readValue(schema, it, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	unique, _ := s.Get("uniqueItems")
	least, tuple := s.Get("minItems")
	switch {
	case unique == value.Bool(true):
		return setOf(out)
	case tuple && !value.IsNone(least):
		return value.Tuple(out), nil
	}
	return &value.List{Items: out}, nil
}

func readClass(name string, data value.Value) (value.Value, error) {
	read, ok := classes[name]
	if !ok {
		return nil, fault.New(fault.Unsupported, "the snapshot holds a '%s', which cannot be made here", name).WithCode(CodeDeserializationError).
			WithHint("data classes can: documents, messages, answers, byte streams")
	}
	d, ok := data.(*value.Dict)
	if !ok {
		return nil, unreadable("a %s must be a mapping", className(name))
	}
	return read(d)
}
