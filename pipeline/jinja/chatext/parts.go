package chatext

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// sentinels are the tags around a part of a message.
type sentinels struct{ start, end string }

func sentinelsFor(nonce string) sentinels {
	return sentinels{"<" + tagName + ":" + nonce + ">", "</" + tagName + ":" + nonce + ">"}
}

// redact takes the nonce out of a text for a message.
func (s sentinels) redact(text string) string {
	return strings.NewReplacer(s.start, "<"+tagName+":redacted>", s.end, "</"+tagName+":redacted>").Replace(text)
}

// templatize is the filter templatize_part: a part of a message as JSON between its tags.
func (s sentinels) templatize(c *jinja.Call) (value.Value, error) {
	got, err := c.Bind("templatize_part", 1, "value")
	if err != nil {
		return nil, err
	}
	part, ok := got[0].(chat.Part)
	if !ok {
		text, err := c.Text(got[0])
		if err != nil {
			return nil, err
		}
		return nil, jinja.Raise("TypeError", "Unsupported type in ChatMessage content: `%s` for `%s`.",
			value.TypeName(got[0]), text)
	}
	text, err := value.ToJSON(partDict(part), value.JSONOptions{})
	if err != nil {
		return nil, err
	}
	return jinja.MarkSafe(s.start+text+s.end, mark), c.Alloc(len(text))
}

// partDict is the form of a part inside a message's dict.
func partDict(p chat.Part) value.Value {
	m := chat.Message{Role: chat.User, Content: []chat.Part{p}, Meta: &value.Dict{}}
	content, _ := m.ToDict().Get("content")
	return content.(*value.List).Items[0]
}

// parse cuts the text of a message into text and parts.
func (s sentinels) parse(content string) ([]chat.Part, error) {
	if value.PyStrip(content) == "" {
		return nil, jinja.Raise("ValueError", "Message content in template is empty or contains only whitespace characters. "+
			"Content: %s", value.Repr(value.Str(s.redact(content))))
	}
	var parts []chat.Part
	text := func(t string) {
		if t = value.PyStrip(t); t != "" {
			parts = append(parts, chat.NewText(t))
		}
	}
	rest := content
	for rest != "" {
		before, after, found := strings.Cut(rest, s.start)
		text(before)
		if !found {
			break
		}
		body, tail, closed := strings.Cut(after, s.end)
		if !closed {
			at := value.StrLen(content[:len(content)-len(rest)+len(before)])
			return nil, jinja.Raise("ValueError", "Found unclosed <haystack_content_part> tag at position %d. Content: '%s...'",
				at, value.PySlice(s.redact(content), at, at+50))
		}
		p, err := readPart(body)
		if err != nil {
			return nil, err
		}
		parts, rest = append(parts, p), tail
	}
	return parts, nil
}

func readPart(text string) (chat.Part, error) {
	v, err := value.FromJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	return chat.PartFromValue(v)
}
