package inputs

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// readers make a data class from its dictionary, by Python path.
func reader(path string) func(*value.Dict) (value.Value, error) {
	switch path {
	case "haystack.dataclasses.document.Document":
		return as(document.FromDict)
	case "haystack.dataclasses.chat_message.ChatMessage":
		return as(chat.FromDict)
	case "haystack.dataclasses.byte_stream.ByteStream":
		return as(document.BytesFromDict)
	case "haystack.dataclasses.answer.GeneratedAnswer":
		return as(document.GeneratedFromDict)
	case "haystack.dataclasses.answer.ExtractedAnswer":
		return as(document.ExtractedFromDict)
	case "haystack.dataclasses.sparse_embedding.SparseEmbedding":
		return as(document.SparseFromDict)
	case "haystack.dataclasses.image_content.ImageContent":
		return as(chat.ImageFromDict)
	case "haystack.dataclasses.file_content.FileContent":
		return as(chat.FileFromDict)
	}
	return nil
}

func as[T value.Value](read func(*value.Dict) (T, error)) func(*value.Dict) (value.Value, error) {
	return func(d *value.Dict) (value.Value, error) { return read(d) }
}

// Decode returns v with the dictionaries in it made into the data classes that a socket of type t takes. A dictionary
// that is none of them is an error; where t names no data class, v is returned as it is.
func Decode(t *pytype.Type, v value.Value) (value.Value, error) {
	classes := t.DataClasses()
	if len(classes) == 0 {
		return v, nil
	}
	return decodeAt(classes, 0, v)
}

func decodeAt(classes []pytype.DataClass, depth int, v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.List:
		out := make([]value.Value, len(v.Items))
		for i, it := range v.Items {
			var err error
			if out[i], err = decodeAt(classes, depth+1, it); err != nil {
				return nil, err
			}
		}
		return &value.List{Items: out}, nil
	case *value.Dict:
		return decodeDict(classes, depth, v)
	}
	return v, nil
}

// decodeDict tries the classes the type allows at this depth, in the type's order. A class is skipped when the
// dictionary lacks the key that tells it from the others.
func decodeDict(classes []pytype.DataClass, depth int, d *value.Dict) (value.Value, error) {
	var first error
	for _, c := range classes {
		read := reader(c.Path)
		if c.Lists != depth || read == nil || !plausible(c.Path, d) {
			continue
		}
		v, err := read(d)
		if err == nil {
			return v, nil
		}
		if first == nil {
			first = err
		}
	}
	if first != nil {
		return nil, first
	}
	want := names(classes, depth)
	if want == "" {
		return d, nil // no data class at this depth: an ordinary dictionary
	}
	return nil, fault.New(fault.Invalid, "a dictionary here must be %s", want).
		WithHint("send the dictionary that its to_dict() gives")
}

func plausible(path string, d *value.Dict) bool {
	switch path {
	case "haystack.dataclasses.byte_stream.ByteStream":
		_, ok := d.Get("data")
		return ok
	case "haystack.dataclasses.chat_message.ChatMessage":
		_, role := d.Get("role")
		_, older := d.Get("_role")
		return role || older
	}
	return true
}

func names(classes []pytype.DataClass, depth int) string {
	out := ""
	for _, c := range classes {
		if c.Lists == depth {
			if out != "" {
				out += " or "
			}
			out += "a " + shortName(c.Path)
		}
	}
	return out
}

func shortName(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[i+1:]
		}
	}
	return path
}
