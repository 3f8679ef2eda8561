package chat

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// ToOpenAI returns the message as OpenAI's Chat Completions API takes it (ChatMessage.to_openai_dict_format of 3.4):
// reasoning and meta are left out, except a refusal; of several texts of an assistant only the first is sent. With
// requireIDs a tool call without an id is an error; APIs that are less strict take it.
//
// A message that also has tool calls loses its refusal, because OpenAI would ignore the calls and then reject their
// results: [Message.DropsRefusal] tells, for a warning.
func (m *Message) ToOpenAI(requireIDs bool) (*value.Dict, error) {
	results := m.ToolCallResults()
	if m.Role != Assistant && len(m.Content) == len(m.Reasonings()) {
		return nil, invalid("ValueError", "A `ChatMessage` from `%s` must contain at least one `TextContent`, `ToolCall`, "+
			"`ToolCallResult`, `ImageContent`, or `FileContent`. Only assistant messages can be empty.", m.Role)
	}
	if len(results) > 0 && len(m.Content) > 1 {
		return nil, invalid("ValueError",
			"For OpenAI compatibility, a `ChatMessage` with a `ToolCallResult` cannot contain any other content.")
	}
	out := value.NewDict("role", value.Str(m.Role))
	if m.Name != nil {
		out.Set("name", value.Str(*m.Name))
	}
	switch {
	case m.Role == User:
		m.userToOpenAI(out)
		return out, nil
	case len(results) > 0:
		return out, resultToOpenAI(out, results[0], requireIDs)
	}
	return out, m.replyToOpenAI(out, requireIDs)
}

func (m *Message) userToOpenAI(out *value.Dict) {
	if len(m.Content) == 1 {
		if t, ok := m.Content[0].(*TextContent); ok {
			out.Set("content", value.Str(t.Text))
			return
		}
	}
	parts := &value.List{}
	for _, p := range m.Content {
		switch p := p.(type) {
		case *TextContent:
			parts.Items = append(parts.Items, textToOpenAI(p))
		case *ImageContent:
			url := value.NewDict("url", value.Str("data:"+or(p.MIMEType, "image/jpeg")+";base64,"+p.Base64))
			if or(p.Detail, "") != "" {
				url.Set("detail", value.Str(*p.Detail))
			}
			parts.Items = append(parts.Items, value.NewDict("type", value.Str("image_url"), "image_url", url))
		case *FileContent:
			file := value.NewDict("file_data", value.Str("data:"+or(p.MIMEType, "application/pdf")+";base64,"+p.Base64),
				"filename", value.Str(or(p.Filename, "filename")))
			parts.Items = append(parts.Items, value.NewDict("type", value.Str("file"), "file", file))
		}
	}
	out.Set("content", parts)
}

func textToOpenAI(t *TextContent) *value.Dict {
	return value.NewDict("type", value.Str("text"), "text", value.Str(t.Text))
}

// or returns the string, or other when it is nil or empty, as Python's or does.
func or(s *string, other string) string {
	if s == nil || *s == "" {
		return other
	}
	return *s
}

const missingID = "`ToolCall` must have a non-null `id` attribute to be used with OpenAI."

func resultToOpenAI(out *value.Dict, r *ToolCallResult, requireIDs bool) error {
	if r.Text != nil {
		out.Set("content", value.Str(*r.Text))
	} else {
		parts := &value.List{}
		for _, p := range r.Parts {
			t, ok := p.(*TextContent)
			if !ok {
				return invalid("ValueError", "Unsupported tool result: %s. If you need to pass images in tool results, use OpenAI "+
					"Responses API instead.", r.Repr())
			}
			parts.Items = append(parts.Items, textToOpenAI(t))
		}
		out.Set("content", parts)
	}
	if r.Origin.ID != nil {
		out.Set("tool_call_id", value.Str(*r.Origin.ID))
	} else if requireIDs {
		return invalid("ValueError", missingID)
	}
	return nil
}

// refusal returns the refusal of an assistant message; only a non-empty str is one.
func (m *Message) refusal() string {
	if m.Role != Assistant {
		return ""
	}
	v, _ := m.Meta.Get("refusal")
	s, _ := v.(value.Str)
	return string(s)
}

// DropsRefusal reports whether ToOpenAI leaves out a refusal because the message has tool calls.
func (m *Message) DropsRefusal() bool { return m.refusal() != "" && len(m.ToolCalls()) > 0 }

func (m *Message) replyToOpenAI(out *value.Dict, requireIDs bool) error {
	text, hasText := m.Text()
	if hasText {
		out.Set("content", value.Str(text))
	}
	calls := m.ToolCalls()
	if refusal := m.refusal(); refusal != "" && len(calls) == 0 {
		if hasText {
			out.Set("refusal", value.Str(refusal))
		} else {
			out.Set("content", value.NewList(value.NewDict("type", value.Str("refusal"), "refusal", value.Str(refusal))))
		}
	}
	if len(calls) > 0 {
		list := &value.List{}
		for _, c := range calls {
			call, err := callToOpenAI(c, requireIDs)
			if err != nil {
				return err
			}
			list.Items = append(list.Items, call)
		}
		out.Set("tool_calls", list)
		return nil
	}
	if _, ok := out.Get("content"); !ok {
		out.Set("content", value.Str(""))
	}
	return nil
}

func callToOpenAI(c *ToolCall, requireIDs bool) (*value.Dict, error) {
	arguments, err := value.ToJSON(orEmpty(c.Arguments), value.JSONOptions{RawUnicode: true})
	if err != nil {
		return nil, err
	}
	out := value.NewDict("type", value.Str("function"),
		"function", value.NewDict("name", value.Str(c.ToolName), "arguments", value.Str(arguments)))
	if c.ID != nil {
		out.Set("id", value.Str(*c.ID))
	} else if requireIDs {
		return nil, invalid("ValueError", missingID)
	}
	return out, nil
}
