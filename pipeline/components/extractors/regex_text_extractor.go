package extractors

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/value/pyre"
)

// RegexTextExtractor takes a piece out of a text by a regular expression
// (haystack/components/extractors/regex_text_extractor.py).
type RegexTextExtractor struct{ regex *pyre.Regexp }

var textType = pytype.MustParse("str | list[haystack.dataclasses.chat_message.ChatMessage]")

// RegexTextExtractorType describes [RegexTextExtractor].
func RegexTextExtractorType() *component.Type {
	return &component.Type{
		Name: "haystack.components.extractors.regex_text_extractor.RegexTextExtractor",
		Doc:  "Takes a piece out of a text by a regular expression.",
		Params: []component.Param{
			component.Required("regex_pattern"),
			component.Optional("return_empty_on_no_match", nil), // of older files; Haystack ignores it too
		},
		New: newRegexTextExtractor,
	}
}

func newRegexTextExtractor(b *component.Builder) (component.Component, *component.Spec, error) {
	pattern := b.Str("regex_pattern")
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	re, err := pyre.Compile(pattern, 0)
	if err != nil {
		return nil, nil, part.Refuse(b, "regex_pattern", err)
	}
	return &RegexTextExtractor{re}, part.Spec([]component.Input{part.In("text_or_messages", textType)},
		part.Out("captured_text", part.Str)), nil
}

// InitParameters returns the pattern alone.
func (e *RegexTextExtractor) InitParameters() *value.Dict {
	return value.NewDict("regex_pattern", value.Str(e.regex.String()))
}

// Run returns the first group of the first match, or the match when there is no group, or "". Of messages the last one is
// searched.
func (e *RegexTextExtractor) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	text, err := lastText(env, in[0])
	if err != nil || text == nil {
		return component.Outputs(value.Str("")), err
	}
	m, err := e.regex.Search(ctx, *text)
	if err != nil || m == nil {
		return component.Outputs(value.Str("")), err
	}
	if e.regex.Groups() == 0 {
		s, _ := m.Group(0)
		return component.Outputs(value.Str(s)), nil
	}
	s, ok := m.Group(1)
	if !ok {
		return component.Outputs(value.None), nil
	}
	return component.Outputs(value.Str(s)), nil
}

// lastText returns nil when there is no text to search.
func lastText(env *component.Env, v value.Value) (*string, error) {
	if s, ok := v.(value.Str); ok {
		text := string(s)
		return &text, nil
	}
	items, ok := part.Items(v)
	if !ok {
		return nil, part.Wrong("text_or_messages", "a string or a list of ChatMessages", v)
	}
	if len(items) == 0 {
		part.Log(env).Warn("there are no messages to search", "component", env.Component())
		return nil, nil
	}
	m, ok := items[len(items)-1].(*chat.Message)
	if !ok {
		return nil, part.TypeError("Expected ChatMessage object, got <class '%s'>", value.TypeName(items[len(items)-1]))
	}
	text, ok := m.Text()
	if !ok {
		part.Log(env).Warn("the last message has no text", "component", env.Component())
		return nil, nil
	}
	return &text, nil
}
