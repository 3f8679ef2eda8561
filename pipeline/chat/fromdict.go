package chat

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// FromDict reads a message in every format that Haystack 3.4 reads: content as a list of parts, content as plain text
// (before 2.9), the underscored fields of 2.9 to 2.11, and parts as flat Pydantic dumps.
func FromDict(d *value.Dict) (*Message, error) {
	_, plain := d.Get("role")
	_, underscored := d.Get("_role")
	if !plain && !underscored {
		return nil, invalid("ValueError", "The `role` field is required in the message dictionary. Expected a dictionary with 'role' "+
			"field containing one of: ['user', 'system', 'assistant', 'tool']. Common roles are 'user' (for user messages) and "+
			"'assistant' (for AI responses). Received dictionary with keys: %s", value.Repr(keys(d)))
	}
	if content, ok := d.Get("content"); ok {
		return currentMessage(d, content)
	}
	if _, ok := d.Get("_content"); ok {
		return underscoredMessage(d)
	}
	return nil, invalid("ValueError", "Missing 'content' or '_content' in serialized ChatMessage: `%s`", value.Repr(d))
}

// FromValue returns a message that is already one, or reads a dict.
func FromValue(v value.Value) (*Message, error) {
	switch v := v.(type) {
	case *Message:
		return v, nil
	case *value.Dict:
		return FromDict(v)
	}
	return nil, invalid("TypeError", "a chat message must be a mapping, but is %s", value.TypeName(v))
}

func currentMessage(d *value.Dict, content value.Value) (*Message, error) {
	f := value.ReadFields("ChatMessage", d, "role", "name", "meta", "content")
	m := &Message{Name: f.OptStr("name"), Meta: f.Dict("meta")}
	role := f.Get("role")
	if err := f.Err(); err != nil {
		return nil, err
	}
	var err error
	if m.Role, err = readRole(role); err != nil {
		return nil, err
	}
	switch c := content.(type) {
	case *value.List:
		m.Content, err = readParts(c.Items)
	case value.Str:
		m.Content = []Part{NewText(string(c))}
	default:
		err = invalid("TypeError", "Unsupported content type in serialized ChatMessage: `%s`", value.ToStr(content))
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func underscoredMessage(d *value.Dict) (*Message, error) {
	f := value.ReadFields("ChatMessage", d, "_role", "_name", "_meta", "_content")
	m := &Message{Name: f.OptStr("_name"), Meta: f.Dict("_meta")}
	role, items := f.Get("_role"), f.List("_content")
	if err := f.Err(); err != nil {
		return nil, err
	}
	var err error
	if m.Role, err = readRole(role); err != nil {
		return nil, err
	}
	if m.Content, err = readParts(items); err != nil {
		return nil, err
	}
	return m, nil
}

func readRole(v value.Value) (Role, error) {
	if s, ok := value.Plain(v).(value.Str); ok && Role(s).Valid() {
		return Role(s), nil
	}
	return "", invalid("ValueError", "%s is not a valid ChatRole", value.Repr(v))
}

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r.Valid() {
		return r, nil
	}
	return "", invalid("ValueError", "Unknown chat role '%s'. Supported roles are: ['user', 'system', 'assistant', 'tool']", s)
}

func readParts(items []value.Value) ([]Part, error) {
	out := make([]Part, 0, len(items))
	for _, it := range items {
		p, err := PartFromValue(it)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// PartFromValue returns a part that is already one, or reads the dict of one: wrapped under its key, a flat text, or a
// flat Pydantic dump.
func PartFromValue(v value.Value) (Part, error) {
	if p, ok := v.(Part); ok {
		return p, nil
	}
	d, ok := v.(*value.Dict)
	if !ok {
		return nil, unsupportedPart(v)
	}
	if _, ok := d.Get("text"); ok {
		return readText(d)
	}
	for _, key := range [...]string{"tool_call", "tool_call_result", "image", "reasoning", "file"} {
		if _, ok := d.Get(key); ok {
			return wrappedPart(d, key)
		}
	}
	return flatPart(d)
}

func wrappedPart(d *value.Dict, key string) (Part, error) {
	f := value.ReadFields("a content part", d, key)
	inner := f.Dict(key)
	if err := f.Err(); err != nil {
		return nil, err
	}
	switch key {
	case "tool_call":
		return asPart(ToolCallFromDict(inner))
	case "tool_call_result":
		return asPart(ToolCallResultFromDict(inner))
	case "image":
		return asPart(ImageFromDict(inner))
	case "reasoning":
		return asPart(ReasoningFromDict(inner))
	}
	return asPart(FileFromDict(inner))
}

// asPart keeps a nil pointer from becoming a Part that is not nil.
func asPart[T Part](p T, err error) (Part, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

func flatPart(d *value.Dict) (Part, error) {
	has := func(key string) bool { _, ok := d.Get(key); return ok }
	switch {
	case has("tool_name") && has("arguments"):
		return asPart(ToolCallFromDict(d))
	case has("result") && has("origin"):
		return asPart(ToolCallResultFromDict(d))
	case has("reasoning_text"):
		return asPart(ReasoningFromDict(d))
	case has("base64_image"):
		return asPart(ImageFromDict(d))
	case has("base64_data"):
		return asPart(FileFromDict(d))
	}
	return nil, unsupportedPart(d)
}

func unsupportedPart(v value.Value) error {
	return invalid("ValueError", "Unsupported content part in the serialized ChatMessage: %s. The `content` field of the serialized "+
		"ChatMessage must be a list of dictionaries, where each dictionary contains one of these keys: 'text', 'image', 'file', "+
		"'reasoning', 'tool_call', or 'tool_call_result'. Valid formats: [{'text': 'Hello'}, {'image': {'base64_image': '...', ...}}, "+
		"{'file': {'base64_data': '...', ...}}, {'reasoning': {'reasoning_text': 'I think...', 'extra': {...}}}, "+
		"{'tool_call': {'tool_name': 'search', 'arguments': {}, 'id': 'call_123'}}, "+
		"{'tool_call_result': {'result': 'data', 'origin': {...}, 'error': false}}]", value.ToStr(v))
}

func readText(d *value.Dict) (Part, error) {
	f := value.ReadFields("TextContent", d, "text")
	t := NewText(f.Str("text"))
	return asPart(t, f.Err())
}

// ToolCallFromDict reads {tool_name, arguments, id, extra}.
func ToolCallFromDict(d *value.Dict) (*ToolCall, error) {
	f := value.ReadFields("ToolCall", d, "tool_name", "arguments", "id", "extra")
	t := &ToolCall{ToolName: f.Str("tool_name"), Arguments: f.OptDict("arguments"), ID: f.OptStr("id"), Extra: f.OptDict("extra")}
	if t.Arguments == nil {
		f.Fail("TypeError", "ToolCall lacks its field 'arguments'")
	}
	return t, f.Err()
}

// ToolCallResultFromDict reads {result, origin, error}.
func ToolCallResultFromDict(d *value.Dict) (*ToolCallResult, error) {
	for _, name := range []string{"result", "origin", "error"} {
		if _, ok := d.Get(name); !ok {
			return nil, invalid("ValueError", "Fields `result`, `origin`, `error` are required for ToolCallResult deserialization. "+
				"Received dictionary with keys %s", value.Repr(keys(d)))
		}
	}
	f := value.ReadFields("ToolCallResult", d, "result", "origin", "error")
	t := &ToolCallResult{Error: f.Bool("error", false)}
	origin := f.Dict("origin")
	var err error
	switch r := f.Get("result").(type) {
	case value.Str:
		text := string(r)
		t.Text = &text
	case *value.List:
		t.Parts, err = readResultParts(r.Items)
	default:
		f.Fail("TypeError", "field 'result' of ToolCallResult must be a string or a list, but is %s", value.TypeName(r))
	}
	f.Note(err)
	if f.Err() != nil {
		return nil, f.Err()
	}
	t.Origin, err = ToolCallFromDict(origin)
	return t, err
}

func readResultParts(items []value.Value) ([]Part, error) {
	parts, err := readParts(items)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		switch p.(type) {
		case *TextContent, *ImageContent, *FileContent:
		default:
			return nil, invalid("ValueError",
				"ToolCallResult result must be a string or a list of TextContent, ImageContent, or FileContent")
		}
	}
	return parts, nil
}

// ReasoningFromDict reads {reasoning_text, extra}.
func ReasoningFromDict(d *value.Dict) (*ReasoningContent, error) {
	f := value.ReadFields("ReasoningContent", d, "reasoning_text", "extra")
	r := &ReasoningContent{Text: f.Str("reasoning_text"), Extra: f.Dict("extra")}
	return r, f.Err()
}

// ImageFromDict reads and checks {base64_image, mime_type, detail, meta, validation}.
func ImageFromDict(d *value.Dict) (*ImageContent, error) {
	f := value.ReadFields("ImageContent", d, "base64_image", "mime_type", "detail", "meta", "validation")
	img := ImageContent{Base64: f.Str("base64_image"), MIMEType: f.OptStr("mime_type"), Detail: f.OptStr("detail"),
		Meta: f.Dict("meta"), Validation: f.Bool("validation", true)}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return NewImage(img)
}

// FileFromDict reads and checks {base64_data, mime_type, filename, extra, validation}.
func FileFromDict(d *value.Dict) (*FileContent, error) {
	f := value.ReadFields("FileContent", d, "base64_data", "mime_type", "filename", "extra", "validation")
	file := FileContent{Base64: f.Str("base64_data"), MIMEType: f.OptStr("mime_type"), Filename: f.OptStr("filename"),
		Extra: f.Dict("extra"), Validation: f.Bool("validation", true)}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return NewFile(file)
}

func keys(d *value.Dict) *value.List {
	out := &value.List{}
	for k := range d.All() {
		out.Items = append(out.Items, k)
	}
	return out
}

func invalid(class, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithCode(class)
}
