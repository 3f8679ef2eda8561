package chatext

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

var roles = []chat.Role{chat.User, chat.System, chat.Assistant, chat.Tool}

func roleList() string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// attribute reads "=" and an expression.
func attribute(p *jinja.Parser) (jinja.Expr, error) {
	if err := p.ExpectAssign(); err != nil {
		return jinja.Expr{}, err
	}
	return p.Expression()
}

// parseMessage reads {% message role="user" name="..." meta={...} %}.
func (s sentinels) parseMessage(p *jinja.Parser, line int) (jinja.Node, error) {
	if err := p.ExpectName("role"); err != nil {
		return jinja.Node{}, err
	}
	role, err := attribute(p)
	if err != nil {
		return jinja.Node{}, err
	}
	if c, ok := role.Const(); ok {
		if name, isText := c.(value.Str); !isText || !chat.Role(name).Valid() {
			return jinja.Node{}, p.Fail(line, "Role must be one of: %s", roleList())
		}
	}
	name, meta := jinja.Literal(value.None), jinja.Literal(&value.Dict{})
	if p.AtName("name") {
		if name, err = nameAttribute(p, line); err != nil {
			return jinja.Node{}, err
		}
	}
	if p.AtName("meta") {
		_ = p.ExpectName("meta")
		if meta, err = attribute(p); err != nil {
			return jinja.Node{}, err
		}
		if !meta.IsDict() {
			return jinja.Node{}, p.Fail(line, "meta must be a dictionary")
		}
	}
	return p.CallBlock(line, "endmessage", s.message, role, name, meta)
}

func nameAttribute(p *jinja.Parser, line int) (jinja.Expr, error) {
	_ = p.ExpectName("name")
	name, err := attribute(p)
	if err != nil {
		return name, err
	}
	c, _ := name.Const()
	if _, ok := c.(value.Str); !ok {
		return name, p.Fail(line, "name must be a string")
	}
	return name, nil
}

// message renders a message block to a line of JSON. Args are role, name and meta.
func (s sentinels) message(c *jinja.Call) (value.Value, error) {
	content, err := c.Body()
	if err != nil {
		return nil, err
	}
	parts, err := s.parse(content)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, jinja.Raise("ValueError", "Message template produced content that couldn't be parsed into any message parts. "+
			"Content: %s", value.Repr(value.Str(s.redact(content))))
	}
	meta, _ := c.Args[2].(*value.Dict)
	m, err := build(c, parts, meta)
	if err != nil {
		return nil, err
	}
	return messageLine(c, m)
}

func messageLine(c *jinja.Call, m *chat.Message) (value.Value, error) {
	text, err := value.ToJSON(m.ToDict(), value.JSONOptions{})
	if err != nil {
		return nil, err
	}
	return value.Str(text + "\n"), c.Alloc(len(text) + 1)
}

// build makes a message of its parts, by the rules of its role.
func build(c *jinja.Call, parts []chat.Part, meta *value.Dict) (*chat.Message, error) {
	role, err := c.Text(c.Args[0])
	if err != nil {
		return nil, err
	}
	m := &chat.Message{Role: chat.Role(role), Meta: meta, Content: parts}
	if name, ok := c.Args[1].(value.Str); ok {
		text := string(name)
		m.Name = &text
	}
	switch m.Role {
	case chat.User:
		err = userParts(parts)
	case chat.System:
		err = systemParts(parts)
	case chat.Assistant:
		m.Content, err = assistantParts(parts)
	case chat.Tool:
		m.Name = nil
		if _, ok := parts[0].(*chat.ToolCallResult); !ok || len(parts) != 1 {
			err = jinja.Raise("ValueError", "Tool message must contain only one tool call result.")
		}
	default:
		err = jinja.Raise("ValueError", "Unsupported role: %s", role)
	}
	return m, err
}

func userParts(parts []chat.Part) error {
	for _, p := range parts {
		switch p.(type) {
		case *chat.TextContent, *chat.ImageContent, *chat.FileContent:
		default:
			return jinja.Raise("ValueError", "User message must contain only TextContent, string, ImageContent or FileContent parts.")
		}
	}
	return nil
}

func systemParts(parts []chat.Part) error {
	if _, ok := parts[0].(*chat.TextContent); !ok {
		return jinja.Raise("ValueError", "System message must contain a text part.")
	}
	if len(parts) > 1 {
		return jinja.Raise("ValueError", "System message must contain only one text part.")
	}
	return nil
}

// assistantParts puts the parts of an assistant's message in order: the first reasoning, the text, tool calls.
func assistantParts(parts []chat.Part) ([]chat.Part, error) {
	var texts, calls, reasoning []chat.Part
	for _, p := range parts {
		switch p.(type) {
		case *chat.TextContent:
			texts = append(texts, p)
		case *chat.ToolCall:
			calls = append(calls, p)
		case *chat.ReasoningContent:
			reasoning = append(reasoning, p)
		}
	}
	switch {
	case len(texts) > 1:
		return nil, jinja.Raise("ValueError", "Assistant message must contain one text part at most.")
	case len(texts) == 0 && len(calls) == 0:
		return nil, jinja.Raise("ValueError", "Assistant message must contain at least one text or tool call part.")
	case len(parts) > len(texts)+len(calls)+len(reasoning):
		return nil, jinja.Raise("ValueError", "Assistant message must contain only text, tool call or reasoning parts.")
	}
	return append(append(reasoning[:min(len(reasoning), 1)], texts...), calls...), nil
}

// parseInsert reads {% insert messages %}.
func parseInsert(p *jinja.Parser, line int) (jinja.Node, error) {
	if p.AtEnd() {
		return jinja.Node{}, p.Fail(line, "%s", "The 'insert' tag requires an expression that evaluates to a ChatMessage or a "+
			"list of ChatMessage objects, for example '{% insert messages %}' or '{% insert messages[-1:] %}'.")
	}
	e, err := p.Expression()
	if err != nil {
		return jinja.Node{}, err
	}
	return p.CallBlock(line, "", insert, e)
}

// insert prints messages as lines of JSON. Nothing, or an empty value, prints nothing.
func insert(c *jinja.Call) (value.Value, error) {
	v := c.Args[0]
	if m, ok := v.(*chat.Message); ok {
		return messageLine(c, m)
	}
	if u := jinja.IsUndefined(v); u || !value.Truthy(v) {
		if u {
			if _, err := c.Text(v); err != nil { // a strict undefined
				return nil, err
			}
		}
		return value.Str(""), nil
	}
	items, ok := messageList(v)
	if !ok {
		return nil, jinja.Raise("ValueError", "The '{%% insert %%}' expression must evaluate to a ChatMessage or a list of ChatMessage "+
			"objects. Got: %s.", value.TypeName(v))
	}
	var out strings.Builder
	for _, m := range items {
		line, err := messageLine(c, m)
		if err != nil {
			return nil, err
		}
		out.WriteString(string(line.(value.Str)))
	}
	return value.Str(out.String()), nil
}

func messageList(v value.Value) ([]*chat.Message, bool) {
	var items []value.Value
	switch v := v.(type) {
	case *value.List:
		items = v.Items
	case value.Tuple:
		items = v
	default:
		return nil, false
	}
	out := make([]*chat.Message, len(items))
	for i, x := range items {
		m, ok := x.(*chat.Message)
		if !ok {
			return nil, false
		}
		out[i] = m
	}
	return out, true
}
