package chat

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// request is what is sent, however often.
type request struct {
	doc     *value.Dict // the body
	body    []byte
	url     string
	headers http.Header
	stream  bool
}

// request builds the body: model, messages, n, generation_kwargs (those of the run win, key by key), stream.
func (g *OpenAIChatGenerator) request(messages []*chat.Message, given value.Value, stream bool) (*request, error) {
	kwargs := g.kwargs.Clone()
	more, err := part.DictOr("generation_kwargs", given)
	if err != nil {
		return nil, err
	}
	for k, v := range more.All() {
		kwargs.SetKey(k, v)
	}
	n, asked := kwargs.Get("n")
	if !asked {
		n = value.Int(1)
	}
	kwargs.Delete("n")
	if several, err := value.Compare(">", n, value.Int(1)); err == nil && several && stream {
		return nil, part.ValueError("Cannot stream multiple responses, please set n=1.")
	}
	format, _ := kwargs.Get("response_format")
	kwargs.Delete("response_format")
	wire, err := toWire(messages)
	if err != nil {
		return nil, err
	}
	r := &request{url: g.endpoint, headers: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}, stream: stream}
	for k, v := range g.headers {
		r.headers[k] = v
	}
	if g.organization != nil && *g.organization != "" {
		r.headers.Set("OpenAI-Organization", *g.organization)
	}
	if err := r.extras(kwargs); err != nil {
		return nil, err
	}
	extra, _ := kwargs.Get("extra_body")
	kwargs.Delete("extra_body")
	body := value.NewDict("model", value.Str(g.model), "messages", wire)
	if asked || !g.plain {
		body.Set("n", n)
	}
	for k, v := range kwargs.All() {
		body.SetKey(k, v)
	}
	withFormat := value.Truthy(format)
	if withFormat {
		body.Set("response_format", format)
	}
	if !withFormat || stream || g.plain { // with a format and without streaming, Haystack uses an endpoint that sends no such key
		body.Set("stream", value.Bool(stream))
	}
	if d, ok := extra.(*value.Dict); ok {
		for k, v := range d.All() {
			body.SetKey(k, v)
		}
	}
	text, err := value.ToJSON(body, value.JSONOptions{})
	if err != nil {
		return nil, err
	}
	r.doc, r.body = body, []byte(text)
	return r, nil
}

func toWire(messages []*chat.Message) (*value.List, error) {
	out := &value.List{Items: make([]value.Value, len(messages))}
	for i, m := range messages {
		d, err := m.ToOpenAI(true)
		if err != nil {
			return nil, err
		}
		out.Items[i] = d
	}
	return out, nil
}

// extras takes the arguments of the OpenAI client out of kwargs that are no part of the body.
func (r *request) extras(kwargs *value.Dict) error {
	if v, ok := kwargs.Get("extra_headers"); ok {
		kwargs.Delete("extra_headers")
		headers, err := part.DictOr("extra_headers", v)
		if err != nil {
			return err
		}
		for k, v := range headers.Strings() {
			s, ok := v.(value.Str)
			if !ok || !allowedHeader(k) {
				return fault.New(fault.Invalid, "the header '%s' cannot be set in 'extra_headers'", k).
					WithHint("credentials come from 'api_key'; other headers are strings")
			}
			r.headers.Set(k, string(s))
		}
	}
	if v, ok := kwargs.Get("extra_query"); ok {
		kwargs.Delete("extra_query")
		query, err := part.DictOr("extra_query", v)
		if err != nil {
			return err
		}
		values := url.Values{}
		for k, v := range query.Strings() {
			values.Set(k, value.ToStr(v))
		}
		if len(values) > 0 {
			r.url += "?" + values.Encode()
		}
	}
	if _, ok := kwargs.Get("timeout"); ok {
		return fault.New(fault.Unsupported, "'timeout' in generation_kwargs is not supported").WithHint("set the init parameter 'timeout'")
	}
	return nil
}

// allowedHeader keeps credentials and what frames a request out of a caller's hands.
func allowedHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "host", "connection", "content-length", "transfer-encoding", "upgrade",
		"te", "trailer", "keep-alive", "content-type", "accept-encoding":
		return false
	}
	return name != "" && !strings.ContainsAny(name, " \r\n\t:")
}
