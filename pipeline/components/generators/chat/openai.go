package chat

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

const openAIType = "haystack.components.generators.chat.openai.OpenAIChatGenerator"

// printChunk is the only streaming callback that a file may name: it asks for streaming; who listens decides the host.
const printChunk = "haystack.components.generators.utils.print_streaming_chunk"

// The defaults of OpenAIChatGenerator.
const (
	openAIOrigin   = "https://api.openai.com"
	openAIBase     = openAIOrigin + "/v1"
	defaultTimeout = 30 * time.Second
	defaultRetries = 5
	maxRetries     = 100
)

// OpenAIChatGenerator talks to OpenAI's chat completions, or to a server that speaks the same language
// (haystack/components/generators/chat/openai.py). It resolves its key in each run, for the origin of api_base_url, and
// keeps nothing. Variables such as OPENAI_BASE_URL and OPENAI_TIMEOUT, which Python reads behind the author's back, are
// not looked at.
type OpenAIChatGenerator struct {
	secret       component.Secret
	model        string
	streaming    bool
	endpoint     string // of chat completions
	origin       sealed.Destination
	organization *string
	kwargs       *value.Dict
	timeout      time.Duration
	retries      int
	toolsStrict  bool
}

var (
	messagesType = pytype.MustParse("list[haystack.dataclasses.chat_message.ChatMessage] | str")
	callbackType = pytype.MustParse("collections.abc.Callable[[haystack.dataclasses.streaming_chunk.StreamingChunk], None] | " +
		"collections.abc.Callable[[haystack.dataclasses.streaming_chunk.StreamingChunk], collections.abc.Awaitable[None]] | None")
	toolsType = pytype.MustParse("collections.abc.Sequence[haystack.tools.tool.Tool | haystack.tools.toolset.Toolset] | " +
		"haystack.tools.toolset.Toolset | None")
)

// OpenAIChatGeneratorType describes [OpenAIChatGenerator].
func OpenAIChatGeneratorType() *component.Type {
	return &component.Type{
		Name: openAIType,
		Doc:  "Asks a chat model of OpenAI, or of a server that speaks its language.",
		Params: []component.Param{
			component.Optional("api_key", component.EnvSecret(true, "OPENAI_API_KEY")),
			component.Optional("model", value.Str("gpt-5-mini")),
			component.Optional("streaming_callback", nil),
			component.Optional("api_base_url", nil),
			component.Optional("organization", nil),
			component.Optional("generation_kwargs", nil),
			component.Optional("timeout", nil),
			component.Optional("max_retries", nil),
			component.Optional("tools", nil),
			component.Optional("tools_strict", value.Bool(false)),
			component.Optional("http_client_kwargs", nil),
		},
		New: newOpenAI,
	}
}

func newOpenAI(b *component.Builder) (component.Component, *component.Spec, error) {
	g := &OpenAIChatGenerator{secret: b.Secret("api_key"), model: b.Str("model"), organization: b.OptStr("organization"),
		kwargs: b.Dict("generation_kwargs"), toolsStrict: b.Bool("tools_strict"), timeout: defaultTimeout, retries: defaultRetries}
	if b.IsNone("api_key") {
		b.Fail("api_key", "component '%s': init parameter 'api_key' must name a secret", b.Name)
	}
	if t := b.OptFloat("timeout"); t != nil {
		if g.timeout = time.Duration(*t * float64(time.Second)); g.timeout <= 0 || *t > 86400 {
			b.Fail("timeout", "component '%s': init parameter 'timeout' must be seconds between 0 and 86400", b.Name)
		}
	}
	if n := b.OptInt("max_retries"); n != nil {
		if g.retries = *n; *n < 0 || *n > maxRetries {
			b.Fail("max_retries", "component '%s': init parameter 'max_retries' must be between 0 and %d", b.Name, maxRetries)
		}
	}
	if err := noTools(b.Get("tools")); err != nil {
		return nil, nil, part.Refuse(b, "tools", err)
	}
	var err error
	if g.streaming, err = callback(b.Get("streaming_callback")); err != nil {
		return nil, nil, part.Refuse(b, "streaming_callback", err)
	}
	if !b.IsNone("http_client_kwargs") {
		return nil, nil, part.Refuse(b, "http_client_kwargs", fault.New(fault.Unsupported,
			"'http_client_kwargs' configures Python's HTTP client, which is not used here").
			WithHint("leave it out; proxies and certificates are settings of the server"))
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	if err := g.readURL(b.OptStr("api_base_url")); err != nil {
		return nil, nil, part.Refuse(b, "api_base_url", err)
	}
	return g, part.Spec([]component.Input{
		part.In("messages", messagesType),
		part.Opt("streaming_callback", callbackType),
		part.Opt("generation_kwargs", part.OptDict),
		part.Opt("tools", toolsType),
		part.Opt("tools_strict", part.OptBool),
	}, part.Out("replies", part.Messages)), nil
}

// readURL finds the endpoint and the origin that will receive the key.
func (g *OpenAIChatGenerator) readURL(base *string) error {
	s := openAIBase
	if base != nil && *base != "" {
		s = *base
	}
	u, err := url.Parse(s)
	if err != nil {
		return part.ValueError("'api_base_url' is not a URL")
	}
	if g.origin, err = sealed.FromURL(u); err != nil {
		return err
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/chat/completions"
	u.RawPath, u.Fragment = "", ""
	g.endpoint = u.String()
	return nil
}

// noTools refuses tools: none and an empty list mean none.
func noTools(v value.Value) error {
	if items, ok := part.Items(v); value.IsNone(v) || ok && len(items) == 0 {
		return nil
	}
	return fault.New(fault.Unsupported, "tools are not supported yet").WithHint("leave 'tools' out")
}

// callback reads a streaming callback, which can only be a known name.
func callback(v value.Value) (bool, error) {
	if value.IsNone(v) {
		return false, nil
	}
	if v == value.Str(printChunk) {
		return true, nil
	}
	return false, fault.New(fault.Unsupported, "a streaming callback names Python code, which cannot run here").
		WithHint("use '%s', or stream the pipeline's run", printChunk)
}

// Run sends the messages and returns the replies. What the provider refuses is a Failed fault with its own words.
func (g *OpenAIChatGenerator) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	messages, err := readMessages(in[0])
	if err != nil {
		return component.Out{}, err
	}
	if len(messages) == 0 {
		return component.Outputs(value.NewList()), nil
	}
	stream, err := callback(in[1])
	if err == nil {
		err = noTools(in[3])
	}
	if err != nil {
		return component.Out{}, err
	}
	req, err := g.request(messages, in[2], stream || g.streaming || env.Stream != nil)
	if err != nil {
		return component.Out{}, err
	}
	resp, err := g.send(ctx, env, req)
	if err != nil {
		return component.Out{}, err
	}
	defer resp.Close()
	var replies []*chat.Message
	if req.stream {
		replies, err = g.readStream(env, resp)
	} else {
		replies, err = readCompletion(env, resp)
	}
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(part.MessageList(replies)), nil
}

// readMessages reads a list of messages; a plain string is one from the user.
func readMessages(v value.Value) ([]*chat.Message, error) {
	if s, ok := v.(value.Str); ok {
		return []*chat.Message{chat.FromUser(string(s))}, nil
	}
	items, ok := part.Items(v)
	if ok {
		if list, ok := part.AllMessages(items); ok {
			return list, nil
		}
	}
	return nil, part.Wrong("messages", "a list of ChatMessages or a string", v)
}
