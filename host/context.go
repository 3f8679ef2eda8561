package host

import (
	"math"

	"go.opentelemetry.io/otel/trace"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/session"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/vault/scope"
)

// Sessions keeps conversations; *session.Store does. The memory it gives knows whose it is.
type Sessions interface {
	For(app, tenant, user string) component.Memory
}

// Tracing is where the spans of runs go.
type Tracing struct {
	Tracer trace.Tracer
	// Content writes inputs and outputs into spans, redacted. Off by default.
	Content bool
}

// checkContext refuses a session's id and a budget that cannot be meant.
func (h *Host) checkContext(req RunRequest) error {
	if req.Session != "" {
		if err := session.CheckID(req.Session); err != nil {
			return err
		}
		if h.c.Sessions == nil {
			return fault.New(fault.Unsupported, "this server keeps no sessions").At(fault.Where{Field: "context.session"})
		}
	}
	b := req.Budget
	if b == nil {
		return nil
	}
	if b.Tokens < 0 || b.Cost < 0 || b.Calls < 0 || b.Wall < 0 || b.MaxOut < 0 {
		return fault.New(fault.Invalid, "a budget's limits are not negative").At(fault.Where{Field: "context.budget"})
	}
	if b.Cost > 0 && len(h.c.Prices) == 0 {
		return fault.New(fault.Unsupported, "this server has no price table, so that a budget cannot limit the cost").
			At(fault.Where{Field: "context.budget.cost"}).WithHint("limit tokens or calls")
	}
	return nil
}

// runContext is what one run of a caller brings along.
func (h *Host) runContext(c scope.Caller, req RunRequest, w words) pipeline.RunContext {
	rc := pipeline.RunContext{Secrets: req.Secrets, RequestID: c.RequestID, Ledger: true, Prices: h.c.Prices}
	if h.c.Flags != nil {
		rc.Flags = runFlags{h.c.Flags, c}
	}
	if req.Session != "" {
		rc.Memory, rc.Session = h.c.Sessions.For(c.App, c.Tenant, c.User), req.Session
	}
	if req.Budget != nil {
		rc.Budget = pipeline.NewBudget(*req.Budget)
	}
	if t := h.c.Tracing; t.Tracer != nil {
		rc.Trace = &pipeline.Trace{Tracer: t.Tracer, Content: t.Content,
			Redact: func(s string) string { return w.own.String(w.secrets.String(s)) }}
	}
	return rc
}

// paid is what of a ledger is worth telling: nothing, if nothing was paid for.
func paid(l *pipeline.Ledger) *pipeline.Ledger {
	if l == nil || (l.Total.Calls == 0 && l.Total.Refused == 0) {
		return nil
	}
	return l
}

// Nanos is a sum of money as a price table counts it, in billionths; the largest sum there is stands for all beyond it.
func Nanos(amount float64) int64 {
	if n := amount * 1e9; n < math.MaxInt64 {
		return int64(math.Round(n))
	}
	return math.MaxInt64
}
