package builders

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/jinja/chatext"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// ChatPromptBuilder renders chat messages from templates: a list of messages whose texts are templates, or one string
// template with {% message %} blocks (haystack/components/builders/chat_prompt_builder.py).
type ChatPromptBuilder struct {
	env      *chatext.Env
	template *chatTemplate // nil: one must come with each run
	vars     variables
}

var chatTemplateType = pytype.MustParse("list[haystack.dataclasses.chat_message.ChatMessage] | str | None")

// ChatPromptBuilderType describes [ChatPromptBuilder].
func ChatPromptBuilderType() *component.Type {
	return &component.Type{
		Name:  "haystack.components.builders.chat_prompt_builder.ChatPromptBuilder",
		Doc:   "Renders chat messages from Jinja templates.",
		Older: map[string]value.Value{"required_variables": value.None},
		Params: []component.Param{
			component.Optional("template", nil),
			component.Optional("required_variables", value.Str("*")),
			component.Optional("variables", nil),
		},
		New: newChatPromptBuilder,
	}
}

func newChatPromptBuilder(b *component.Builder) (component.Component, *component.Spec, error) {
	p := &ChatPromptBuilder{env: chatext.New(jinja.Options{}), vars: variables{class: "ChatPromptBuilder", names: b.Strs("variables")}}
	p.vars.readRequired(b)
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	if source := b.Get("template"); value.Truthy(source) {
		t, err := p.compile(source, true)
		if err != nil {
			return nil, nil, part.Refuse(b, "template", err)
		}
		p.template = t
	}
	if len(p.vars.names) == 0 && p.template != nil {
		p.vars.names = p.template.variables()
	}
	p.vars.names = unique(p.vars.names)
	return p, part.Spec(p.vars.inputs(part.Opt("template", chatTemplateType)), part.Out("prompt", part.Messages)), nil
}

// chatTemplate is either a list of messages or one text.
type chatTemplate struct {
	text     *chatext.Template
	messages []messageTemplate
}

// messageTemplate is a message and the templates of its texts, by their place in the content; nil for a message that is
// passed on as it is.
type messageTemplate struct {
	message *chat.Message
	texts   map[int]*jinja.Template
}

// compile reads a template; dicts are allowed where it comes from a file.
func (p *ChatPromptBuilder) compile(source value.Value, file bool) (*chatTemplate, error) {
	if s, ok := source.(value.Str); ok {
		t, err := p.env.Compile(string(s), "")
		if err != nil {
			return nil, err
		}
		return &chatTemplate{text: t}, nil
	}
	items, ok := part.Items(source)
	if !ok {
		return nil, part.Wrong("template", "a string or a list of ChatMessages", source)
	}
	out := &chatTemplate{}
	for _, it := range items {
		m, ok := it.(*chat.Message)
		if d, isDict := it.(*value.Dict); isDict && file {
			var err error
			if m, err = chat.FromDict(d); err != nil {
				return nil, err
			}
			ok = true
		}
		if !ok {
			return nil, part.ValueError("The ChatPromptBuilder expects a list containing only ChatMessage instances. " +
				"The provided list contains other types. Please ensure that all elements in the list are ChatMessage instances.")
		}
		mt, err := p.compileMessage(m)
		if err != nil {
			return nil, err
		}
		out.messages = append(out.messages, mt)
	}
	return out, nil
}

func (p *ChatPromptBuilder) compileMessage(m *chat.Message) (messageTemplate, error) {
	mt := messageTemplate{message: m}
	if m.Role != chat.User && m.Role != chat.System {
		return mt, nil
	}
	if _, ok := m.Text(); !ok {
		return mt, part.ValueError("ChatMessages from %s role must contain text. Received ChatMessage with no text: %s", m.Role, m.Repr())
	}
	mt.texts = map[int]*jinja.Template{}
	for i, c := range m.Content {
		text, ok := c.(*chat.TextContent)
		if !ok {
			continue
		}
		if strings.Contains(text.Text, "templatize_part") {
			return mt, part.ValueError("The templatize_part filter cannot be used with a template containing a list of" +
				"ChatMessage objects. Use a string template or remove the templatize_part filter from the template.")
		}
		t, err := p.env.Jinja().Compile(text.Text, "")
		if err != nil {
			return mt, err
		}
		mt.texts[i] = t
	}
	return mt, nil
}

// variables lists what the templates take from outside, in order.
func (t *chatTemplate) variables() []string {
	if t.text != nil {
		return t.text.Variables()
	}
	var out []string
	for _, m := range t.messages {
		for i := range m.message.Content {
			if text := m.texts[i]; text != nil {
				out = append(out, text.Variables()...)
			}
		}
	}
	return out
}

// needsVariables reports whether anything is rendered at all: a list of assistant messages asks for no variables.
func (t *chatTemplate) needsVariables() bool {
	for _, m := range t.messages {
		if m.texts != nil {
			return true
		}
	}
	return t.text != nil
}

// Run renders the template, or the one that came with the run.
func (p *ChatPromptBuilder) Run(ctx context.Context, _ *component.Env, in component.In) (component.Out, error) {
	n := len(p.vars.names)
	given, err := p.vars.collect(in, in[n+1])
	if err != nil {
		return component.Out{}, err
	}
	template, err := p.choose(in[n])
	if err != nil {
		return component.Out{}, err
	}
	if template.needsVariables() {
		if err := p.vars.check(given); err != nil {
			return component.Out{}, err
		}
	}
	out, err := template.render(ctx, given)
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(part.MessageList(out)), nil
}

// choose takes the run's template before the component's own.
func (p *ChatPromptBuilder) choose(given value.Value) (*chatTemplate, error) {
	switch {
	case value.IsNone(given) && p.template != nil:
		return p.template, nil
	case value.IsNone(given) || !value.Truthy(given):
		return nil, part.ValueError("The ChatPromptBuilder requires a non-empty list of ChatMessage instances. " +
			"Please provide a valid list of ChatMessage instances to render the prompt.")
	}
	return p.compile(given, false)
}

func (t *chatTemplate) render(ctx context.Context, vars *value.Dict) ([]*chat.Message, error) {
	if t.text != nil {
		return t.text.RenderMessages(ctx, vars)
	}
	out := make([]*chat.Message, len(t.messages))
	for i, m := range t.messages {
		out[i] = m.message
		if m.texts == nil {
			continue
		}
		parts := make([]chat.Part, len(m.message.Content))
		copy(parts, m.message.Content)
		for at, text := range m.texts {
			rendered, err := text.Render(ctx, vars)
			if err != nil {
				return nil, err
			}
			parts[at] = chat.NewText(rendered)
		}
		out[i] = m.message.WithContent(parts...)
	}
	return out, nil
}
