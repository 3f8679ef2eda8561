package generators

import (
	"context"

	pchat "github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/generators/chat"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

const openAIType = "haystack.components.generators.openai.OpenAIGenerator"

var (
	texts        = pytype.MustParse("list[str]")
	metas        = pytype.MustParse("list[dict[str, typing.Any]]")
	callbackType = pytype.MustParse("collections.abc.Callable[[haystack.dataclasses.streaming_chunk.StreamingChunk], None] | " +
		"collections.abc.Callable[[haystack.dataclasses.streaming_chunk.StreamingChunk], collections.abc.Awaitable[None]] | None")
)

// OpenAIGenerator is Haystack 2's: a prompt in, the replies' texts and what the provider said about each out (haystack-ai
// 2.31, haystack/components/generators/openai.py).
type OpenAIGenerator struct {
	chat   *chat.OpenAIChatGenerator
	system string
}

// OpenAIGeneratorType describes [OpenAIGenerator]. A file that names no model gets gpt-5-mini, the last default it had.
func OpenAIGeneratorType() *component.Type {
	return &component.Type{
		Name:    openAIType,
		Doc:     "Asks a model of OpenAI for text. Of Haystack 2; its successor is OpenAIChatGenerator.",
		Removed: true,
		Params: []component.Param{
			component.Optional("api_key", component.EnvSecret(true, "OPENAI_API_KEY")),
			component.Optional("model", value.Str("gpt-5-mini")),
			component.Optional("streaming_callback", nil),
			component.Optional("api_base_url", nil),
			component.Optional("organization", nil),
			component.Optional("system_prompt", nil),
			component.Optional("generation_kwargs", nil),
			component.Optional("timeout", nil),
			component.Optional("max_retries", nil),
			component.Optional("http_client_kwargs", nil),
		},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			g, err := chat.NewOpenAI(b, openAIType)
			if err != nil {
				return nil, nil, err
			}
			return build(b, g)
		},
	}
}

func build(b *component.Builder, g *chat.OpenAIChatGenerator) (*OpenAIGenerator, *component.Spec, error) {
	g.Plain()
	out := &OpenAIGenerator{chat: g}
	if s := b.OptStr("system_prompt"); s != nil {
		out.system = *s
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	return out, part.Spec([]component.Input{
		part.In("prompt", part.Str),
		part.Opt("system_prompt", part.OptStr),
		part.Opt("streaming_callback", callbackType),
		part.Opt("generation_kwargs", part.OptDict),
	}, part.Out("replies", texts), part.Out("meta", metas)), nil
}

// Run sends the prompt, after a system prompt if there is one: the run's, else the file's.
func (g *OpenAIGenerator) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	prompt, ok := in[0].(value.Str)
	if !ok {
		return component.Out{}, part.Wrong("prompt", "a string", in[0])
	}
	messages := []*pchat.Message{pchat.FromUser(string(prompt))}
	switch system := in[1].(type) {
	case value.Str:
		messages = append([]*pchat.Message{pchat.FromSystem(string(system))}, messages...)
	default:
		if !value.IsNone(system) {
			return component.Out{}, part.Wrong("system_prompt", "a string", system)
		}
		if g.system != "" {
			messages = append([]*pchat.Message{pchat.FromSystem(g.system)}, messages...)
		}
	}
	replies, err := g.chat.Replies(ctx, env, messages, in[2], in[3])
	if err != nil {
		return component.Out{}, err
	}
	said, about := &value.List{}, &value.List{}
	for _, r := range replies {
		var text value.Value = value.None
		if s, ok := r.Text(); ok {
			text = value.Str(s)
		}
		said.Items, about.Items = append(said.Items, text), append(about.Items, r.Meta)
	}
	return component.Outputs(said, about), nil
}
