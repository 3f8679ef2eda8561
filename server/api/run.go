package api

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/server/router"
)

// RunBody is the body of a run.
type RunBody struct {
	Inputs             json.RawMessage `json:"inputs,omitempty"` // an object: declared inputs, or {component: {socket: value}}
	IncludeOutputsFrom []string        `json:"include_outputs_from,omitempty"`
	Context            *RunContext     `json:"context,omitempty"`
	Stream             bool            `json:"stream,omitempty"` // answer with server-sent events: chunk, then result or error
}

// RunContext is what one run brings along.
type RunContext struct {
	// Secrets are values, or {"value", "destinations"}; without destinations a value goes to the documented host of the
	// component that asks.
	Secrets   map[string]router.SealedFor `json:"secrets,omitempty"`
	RequestID string                      `json:"request_id,omitempty"` // the caller's own id, beside the server's
	// Session names a conversation of the caller's own, for pipelines that remember.
	Session string `json:"session,omitempty"`
	// Budget is what the run may spend.
	Budget *RunBudget `json:"budget,omitempty"`
}

// RunBudget bounds one run. What is left out is no bound.
type RunBudget struct {
	Tokens  int64   `json:"tokens,omitempty"`  // sent and received
	Calls   int64   `json:"calls,omitempty"`   // of models
	Cost    float64 `json:"cost,omitempty"`    // in the currency of the server's price table
	Seconds float64 `json:"seconds,omitempty"` // of the whole run
}

// UnmarshalJSON is as strict as the body around it.
func (b *RunBudget) UnmarshalJSON(text []byte) error {
	type plain RunBudget
	return router.DecodeJSON(text, (*plain)(b))
}

func (b *RunBudget) limits() *pipeline.BudgetLimits {
	if b == nil {
		return nil
	}
	const longest = float64(24 * time.Hour)
	return &pipeline.BudgetLimits{Tokens: b.Tokens, Calls: b.Calls, Cost: host.Nanos(b.Cost),
		Wall: time.Duration(min(b.Seconds*float64(time.Second), longest))}
}

// UnmarshalJSON is as strict as the body around it.
func (c *RunContext) UnmarshalJSON(b []byte) error {
	type plain RunContext
	return router.DecodeJSON(b, (*plain)(c))
}

func (d *Door) run(ctx context.Context, r *router.Request) (any, error) {
	req, stream, err := readRun(r)
	if err != nil {
		return nil, err
	}
	if stream {
		return d.stream(ctx, r, req), nil
	}
	out, err := d.Host.Run(ctx, req)
	if err != nil {
		return nil, err
	}
	return &router.Response{Header: http.Header{"Content-Type": {jsonType}}, Body: encode(out, r.RequestID)}, nil
}

func readRun(r *router.Request) (host.RunRequest, bool, error) {
	req := host.RunRequest{Pipeline: r.PathValue("name")}
	if mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mt == "multipart/form-data" {
		var err error
		req.Text = true
		req.Inputs, req.Files, err = router.ReadForm(r)
		return req, wantsEvents(r), err
	}
	var b RunBody
	if err := r.Decode(&b); err != nil {
		return req, false, err
	}
	if len(b.Inputs) > 0 && string(b.Inputs) != "null" {
		var err error
		if req.Inputs, err = router.DecodeDict(b.Inputs); err != nil {
			return req, false, fault.Wrap(fault.Invalid, err, "inputs: %s", fault.From(err).Message).At(fault.Where{Field: "inputs"})
		}
	}
	req.IncludeOutputsFrom = b.IncludeOutputsFrom
	if b.Context != nil {
		req.CallerRequestID, req.Session, req.Budget = b.Context.RequestID, b.Context.Session, b.Context.Budget.limits()
		req.Secrets = map[string]sealed.Value{}
		for name, v := range b.Context.Secrets {
			req.Secrets[name] = v.Value
		}
	}
	return req, b.Stream || wantsEvents(r), nil
}

func wantsEvents(r *router.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// stream answers with server-sent events. The run is over before "result" or "error" is sent, and so is its audit. A run
// that fails before its first chunk gets the status of its error, as without a stream.
func (d *Door) stream(ctx context.Context, r *router.Request, req host.RunRequest) *router.Response {
	return &router.Response{
		Header: http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}, "X-Accel-Buffering": {"no"}},
		Write: func(w io.Writer, flush func() error) error {
			begun := false
			req.Stream = func(component string, chunk *chat.StreamingChunk) error {
				begun = true
				ev := value.NewDict("component", value.Str(component), "chunk", chunk.ToDict())
				return event(w, flush, "chunk", value.AppendJSON(nil, ev))
			}
			out, err := d.Host.Run(ctx, req)
			switch {
			case err != nil && !begun:
				return err
			case err != nil:
				return event(w, flush, "error", router.EncodeProblem(r.RequestID, err))
			}
			return event(w, flush, "result", encode(out, r.RequestID))
		},
	}
}

func event(w io.Writer, flush func() error, name string, data []byte) error {
	buf := append([]byte("event: "+name+"\ndata: "), data...)
	if _, err := w.Write(append(buf, "\n\n"...)); err != nil {
		return err
	}
	return flush()
}
