package vectortest

import (
	"fmt"
	"strings"
	"time"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// DecodeJSON reads JSON text and decodes its notation.
func DecodeJSON(text []byte) (value.Value, error) {
	v, err := value.FromJSON(text)
	if err != nil {
		return nil, err
	}
	return Decode(v)
}

// Decode returns v with its notation turned into the values it stands for. v stays as it is.
func Decode(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.List:
		items, err := decodeItems(v.Items)
		return &value.List{Items: items}, err
	case *value.Dict:
		return decodeDict(v)
	}
	return v, nil
}

// MustDecode is [Decode] for tests: a mistake in the notation ends the test.
func MustDecode(t interface {
	Helper()
	Fatalf(string, ...any)
}, v value.Value) value.Value {
	t.Helper()
	out, err := Decode(v)
	if err != nil {
		t.Fatalf("vector notation: %v", err)
	}
	return out
}

func decodeItems(items []value.Value) ([]value.Value, error) {
	out := make([]value.Value, len(items))
	for i, it := range items {
		v, err := Decode(it)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func decodeDict(d *value.Dict) (value.Value, error) {
	for key, arg := range d.Strings() {
		switch {
		case key == "$type":
			return decodeObject(d, value.ToStr(arg))
		case strings.HasPrefix(key, "$"):
			if d.Len() != 1 {
				return nil, fmt.Errorf("%s stands beside other keys", key)
			}
			return decodeSpecial(key, arg)
		}
		break
	}
	return decodeFields(d, "")
}

func decodeFields(d *value.Dict, skip string) (*value.Dict, error) {
	out := &value.Dict{}
	for k, v := range d.All() {
		if s, ok := k.(value.Str); ok && skip != "" && string(s) == skip {
			continue
		}
		plain, err := Decode(v)
		if err != nil {
			return nil, err
		}
		out.SetKey(k, plain)
	}
	return out, nil
}

func decodeSpecial(key string, arg value.Value) (value.Value, error) {
	list, _ := arg.(*value.List)
	text, isText := arg.(value.Str)
	switch {
	case list != nil && (key == "$tuple" || key == "$set" || key == "$bytes"):
		return decodeSequence(key, list)
	case isText && key == "$path":
		return text, nil
	case isText && key == "$datetime":
		return decodeTime(string(text))
	case isText && key == "$date":
		t, err := time.Parse("2006-01-02", string(text))
		return value.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}, err
	case isText && key == "$enum":
		return decodeEnum(string(text))
	}
	return nil, fmt.Errorf("unknown notation %s: %s", key, value.Repr(arg))
}

func decodeSequence(key string, list *value.List) (value.Value, error) {
	items, err := decodeItems(list.Items)
	if err != nil {
		return nil, err
	}
	switch key {
	case "$tuple":
		return value.Tuple(items), nil
	case "$set":
		s, ok := value.NewSet(items...)
		if !ok {
			return nil, fmt.Errorf("a set holds something unhashable: %s", value.Repr(list))
		}
		return s, nil
	}
	var out []byte
	for _, it := range items {
		n, ok := it.(value.Int)
		if !ok || n < 0 || n > 255 {
			return nil, fmt.Errorf("$bytes holds %s", value.Repr(it))
		}
		out = append(out, byte(n))
	}
	return value.Bytes(out), nil
}

func decodeTime(text string) (value.Value, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return value.DateTime{Time: t, Aware: true}, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return value.DateTime{Time: t}, nil
		}
	}
	return nil, fmt.Errorf("$datetime %q is not ISO 8601", text)
}

// enums are the enum classes of Haystack that may appear, by class name.
var enums = map[string]struct {
	path  string
	mixin bool
}{
	"ChatRole":        {"haystack.dataclasses.chat_message.ChatRole", true},
	"DuplicatePolicy": {"haystack.document_stores.types.policy.DuplicatePolicy", false},
	"FilterPolicy":    {"haystack.document_stores.types.filter_policy.FilterPolicy", false},
	"JoinMode":        {"haystack.components.joiners.document_joiner.JoinMode", false},
}

// decodeEnum takes the member's name in lower case for its value, which holds for all of Haystack's enums.
func decodeEnum(text string) (value.Value, error) {
	class, name, ok := strings.Cut(text, ".")
	if !ok {
		return nil, fmt.Errorf("$enum %q is not Class.NAME", text)
	}
	e := &value.Enum{Path: class, Name: name, Value: value.Str(strings.ToLower(name))}
	if known, ok := enums[class]; ok {
		e.Path, e.Mixin = known.path, known.mixin
	}
	return e, nil
}

func decodeObject(d *value.Dict, class string) (value.Value, error) {
	fields, err := decodeFields(d, "$type")
	if err != nil {
		return nil, err
	}
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "Document":
		return object(document.FromDict(fields))
	case "ByteStream":
		return object(document.BytesFromDict(fields))
	case "SparseEmbedding":
		return object(document.SparseFromDict(fields))
	case "GeneratedAnswer":
		return object(document.GeneratedFromDict(fields))
	case "ExtractedAnswer":
		return object(document.ExtractedFromDict(fields))
	case "StreamingChunk":
		return object(chat.ChunkFromDict(fields))
	case "ChatMessage":
		return object(chat.FromDict(fields))
	case "TextContent", "ToolCall", "ToolCallResult", "ImageContent", "ReasoningContent", "FileContent":
		return object(chat.PartFromValue(fields))
	}
	return nil, fmt.Errorf("unknown data class %q", class)
}

func object[T value.Value](v T, err error) (value.Value, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}
