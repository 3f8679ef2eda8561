package chat

import (
	"context"
	"math"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// What bounds and estimates the tokens of a call, where the provider has not told yet or never does.
const (
	imageTokens   = 4096 // at most, for one image; text has at most one token per byte
	bytesPerToken = 4    // on average
	longestToken  = 16   // bytes; on average over a whole answer no model's tokens are longer
)

// payment is one call to the provider, as the run's meter sees it. Its zero value belongs to a run without one.
type payment struct {
	res   component.Reservation
	in    int64 // at most
	sent  int64 // bytes
	parts int64 // chunks with content
	bytes int64 // of content
	usage component.Usage
	cut   bool // the stream was stopped because the budget is spent
}

// reserve sets the worst case of a request aside. Where nobody bounded the answer and a budget must, the bound is written
// into the request.
func (r *request) reserve(ctx context.Context, env *component.Env) (*payment, error) {
	if !env.Metered() {
		return &payment{}, nil
	}
	doc := r.doc.Clone()
	if _, asked := doc.Get("stream_options"); r.stream && !asked {
		doc.Set("stream_options", value.NewDict("include_usage", value.Bool(true)))
	}
	model, _ := doc.Get("model")
	replies := max(1, number(doc, "n"))
	each := max(number(doc, "max_completion_tokens"), number(doc, "max_tokens"))
	body, err := value.ToJSON(doc, value.JSONOptions{})
	if err != nil {
		return nil, err
	}
	p := &payment{sent: int64(len(body)), in: int64(len(body)) + imageTokens*int64(strings.Count(body, `"type": "image_url"`))}
	if p.res, err = env.Reserve(ctx, component.Call{Model: value.ToStr(model), In: p.in, Out: together(each, replies)}); err != nil {
		return nil, err
	}
	if most := p.res.MaxOut(); each == 0 && most > 0 {
		doc.Set("max_completion_tokens", value.Int(max(1, most/replies)))
		if body, err = value.ToJSON(doc, value.JSONOptions{}); err != nil {
			p.res.Release()
			return nil, err
		}
	}
	r.body = []byte(body)
	return p, nil
}

// together is the bound of a call with several replies.
func together(each, replies int64) int64 {
	if each > math.MaxInt64/replies {
		return math.MaxInt64
	}
	return each * replies
}

// number reads a positive number of a request; 0 for anything else.
func number(d *value.Dict, name string) int64 {
	v, _ := d.Get(name)
	switch v := v.(type) {
	case value.Int:
		return max(0, int64(v))
	case value.Float:
		if v > 0 && v < 1<<53 {
			return int64(math.Ceil(float64(v)))
		}
	}
	return 0
}

// unanswered ends a call that brought no answer. One that was refused costs nothing; one that was given up on may have been
// worked on, and counts as its worst case.
func (p *payment) unanswered(err error, status int) {
	switch {
	case p.res == nil:
	case status == 0 && (fault.Is(err, fault.Timeout) || fault.Is(err, fault.Canceled)):
		p.res.Settle(component.Usage{In: p.in, Out: p.res.MaxOut(), Estimated: true})
	default:
		p.res.Release()
	}
}

// chunk counts what a stream has brought, and says when that is more than there is money for.
func (p *payment) chunk(c *chat.StreamingChunk) error {
	if p.res == nil {
		return nil
	}
	size := len(c.Content)
	for _, d := range c.ToolCalls {
		for _, s := range [...]*string{d.ToolName, d.Arguments} {
			if s != nil {
				size += len(*s)
			}
		}
	}
	if size > 0 {
		p.parts++
		p.bytes += int64(size)
	}
	p.reported(asObject(c.Meta).get("usage"))
	err := p.res.Progress(max(p.counted(), p.usage.Out))
	p.cut = err != nil
	return err
}

func (p *payment) counted() int64 { return max(p.parts, (p.bytes+longestToken-1)/longestToken) }

// reported takes the provider's own count.
func (p *payment) reported(v value.Value) {
	d, ok := v.(*value.Dict)
	if !ok || p.res == nil {
		return
	}
	in, out := number(d, "prompt_tokens"), number(d, "completion_tokens")
	if in > 0 || out > 0 {
		p.usage = component.Usage{In: in, Out: out}
	}
}

// settle ends an answered call: with what the provider reported, or with an estimate.
func (p *payment) settle() {
	if p.res == nil {
		return
	}
	if p.usage != (component.Usage{}) {
		p.res.Settle(p.usage)
		return
	}
	used := component.Usage{In: (p.sent + bytesPerToken - 1) / bytesPerToken, Out: p.counted(), Estimated: true}
	if p.cut { // nobody will tell what it was; an estimate must not make room for another call
		used.In = p.in
	}
	p.res.Settle(used)
}

// whole counts an answer that came in one piece.
func (p *payment) whole(answer object, replies []*chat.Message) {
	if p.res == nil {
		return
	}
	if p.reported(answer.get("usage")); p.usage != (component.Usage{}) {
		return
	}
	for _, m := range replies {
		text, _ := m.Text()
		p.parts += (int64(len(text)) + bytesPerToken - 1) / bytesPerToken
	}
}
