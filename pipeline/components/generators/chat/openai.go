package chat

import (
	"context"
	"net/http"
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
	typ          string // the type that asks for the key
	keys         []keySlot
	documented   []sealed.Destination
	model        string
	streaming    bool
	endpoint     string // of chat completions
	origin       sealed.Destination
	organization *string
	headers      http.Header // of every request
	kwargs       *value.Dict
	timeout      time.Duration
	retries      int
	toolsStrict  bool
	plain        bool // only what generation_kwargs say is sent along, as the generators of 2.x do
}

// keySlot is a secret that opens the provider, and the header it goes into. The first slot that has a value is used.
type keySlot struct {
	param          string
	secret         component.Secret
	header, prefix string
}

var openAIDestination = sealed.MustDestination(openAIOrigin)

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
	g, err := NewOpenAI(b, openAIType)
	if err != nil {
		return nil, nil, err
	}
	return g, chatSpec(), nil
}

// NewOpenAI reads the init parameters that OpenAI's generators share, for the type that asks. Parameters that the type does
// not have count as none.
func NewOpenAI(b *component.Builder, typ string) (*OpenAIChatGenerator, error) {
	g, err := common(b, typ)
	if err != nil {
		return nil, err
	}
	if b.IsNone("api_key") {
		b.Fail("api_key", "component '%s': init parameter 'api_key' must name a secret", b.Name)
	}
	g.keys = []keySlot{{param: "api_key", secret: b.Secret("api_key"), header: "Authorization", prefix: "Bearer "}}
	g.documented = []sealed.Destination{openAIDestination}
	g.model = b.Str("model")
	if b.Err() != nil {
		return nil, b.Err()
	}
	base := openAIBase
	if s := b.OptStr("api_base_url"); s != nil && *s != "" {
		base = *s
	}
	if err := g.readURL("api_base_url", base, "/chat/completions"); err != nil {
		return nil, part.Refuse(b, "api_base_url", err)
	}
	return g, nil
}

// common reads what the generators for OpenAI and for Azure share.
func common(b *component.Builder, typ string) (*OpenAIChatGenerator, error) {
	g := &OpenAIChatGenerator{typ: typ, organization: b.OptStr("organization"), kwargs: b.Dict("generation_kwargs"),
		timeout: defaultTimeout, retries: defaultRetries}
	if b.Has("tools_strict") {
		g.toolsStrict = b.Bool("tools_strict")
		if err := noTools(b.Get("tools")); err != nil {
			return nil, part.Refuse(b, "tools", err)
		}
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
	var err error
	if g.streaming, err = callback(b.Get("streaming_callback")); err != nil {
		return nil, part.Refuse(b, "streaming_callback", err)
	}
	if !b.IsNone("http_client_kwargs") {
		return nil, part.Refuse(b, "http_client_kwargs", fault.New(fault.Unsupported,
			"'http_client_kwargs' configures Python's HTTP client, which is not used here").
			WithHint("leave it out; proxies and certificates are settings of the server"))
	}
	return g, b.Err()
}

// chatSpec is the sockets of a chat generator.
func chatSpec() *component.Spec {
	return part.Spec([]component.Input{
		part.In("messages", messagesType),
		part.Opt("streaming_callback", callbackType),
		part.Opt("generation_kwargs", part.OptDict),
		part.Opt("tools", toolsType),
		part.Opt("tools_strict", part.OptBool),
	}, part.Out("replies", part.Messages))
}

// readURL finds the endpoint and the origin that will receive the key.
func (g *OpenAIChatGenerator) readURL(param, base, path string) error {
	u, err := url.Parse(base)
	if err != nil {
		return part.ValueError("'%s' is not a URL", param)
	}
	if g.origin, err = sealed.FromURL(u); err != nil {
		return err
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + path
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
	if err := noTools(in[3]); err != nil {
		return component.Out{}, err
	}
	replies, err := g.Replies(ctx, env, messages, in[1], in[2])
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(part.MessageList(replies)), nil
}

// Replies sends messages and returns what the model answers. streamTo is a streaming callback and kwargs are generation
// arguments, as a run gives them; both may be None.
func (g *OpenAIChatGenerator) Replies(ctx context.Context, env *component.Env, messages []*chat.Message, streamTo, kwargs value.Value) ([]*chat.Message, error) {
	stream, err := callback(streamTo)
	if err != nil {
		return nil, err
	}
	req, err := g.request(messages, kwargs, stream || g.streaming || env.Streams())
	if err != nil {
		return nil, err
	}
	resp, err := g.send(ctx, env, req)
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	if req.stream {
		return g.readStream(env, resp)
	}
	return readCompletion(env, resp)
}

// Plain has the generator send what the generators of 2.x sent: no number of replies, no format of its own, unless
// generation_kwargs name them.
func (g *OpenAIChatGenerator) Plain() { g.plain = true }

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
