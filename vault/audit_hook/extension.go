package audithook

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/haywardhq/hayward/vault/audit"
)

// AuditEvent is what a recorder gets.
type AuditEvent struct {
	Action     string         `json:"action"`      // a documented name where there is one
	Resource   string         `json:"resource"`    // "secret"
	Category   string         `json:"category"`    // "vault.secret"
	ResourceID string         `json:"resource_id"` // of the audit entry, when a logger tells
	Key        string         `json:"key"`
	Metadata   map[string]any `json:"metadata,omitempty"` // who, where and what was noted; never a secret value
	Outcome    string         `json:"outcome"`            // "success" or "failure"
	Severity   string         `json:"severity"`
	Reason     string         `json:"reason,omitempty"` // of a failure
}

// Recorder takes events. It is called by whoever acts, after the entry is on disk: it must be quick.
type Recorder interface {
	Record(ctx context.Context, event *AuditEvent) error
}

// RecorderFunc is a function as a [Recorder].
type RecorderFunc func(ctx context.Context, event *AuditEvent) error

// Record calls f.
func (f RecorderFunc) Record(ctx context.Context, event *AuditEvent) error { return f(ctx, event) }

// Extension hands events to a recorder. It is safe for concurrent use if the recorder is.
type Extension struct {
	recorder Recorder
	only     map[string]bool
	log      *slog.Logger
}

// Option changes an extension.
type Option func(*Extension)

// WithActions hands on these actions only.
func WithActions(actions ...string) Option {
	return func(e *Extension) {
		e.only = map[string]bool{}
		for _, a := range actions {
			e.only[a] = true
		}
	}
}

// WithLogger has a recorder's failures logged. The default logs nothing.
func WithLogger(l *slog.Logger) Option { return func(e *Extension) { e.log = l } }

// New returns an extension for audit.WithHook.
func New(r Recorder, opts ...Option) *Extension {
	e := &Extension{recorder: r, log: slog.New(slog.DiscardHandler)}
	for _, o := range opts {
		o(e)
	}
	return e
}

// Audited implements audit.Hook: it hands on what has ended, once, under its documented name.
func (e *Extension) Audited(ctx context.Context, entry audit.Entry) {
	if entry.Outcome == audit.Begun {
		return
	}
	meta := map[string]any{"app": entry.AppID, "tenant": entry.TenantID, "user": entry.UserID, "ip": entry.IP, "request_id": entry.RequestID,
		"action": entry.Action, "time": entry.CreatedAt}
	reason := ""
	for _, d := range entry.Details {
		if _, taken := meta[d.Key]; !taken {
			meta[d.Key] = d.Value
		}
	}
	outcome, severity := OutcomeSuccess, SeverityInfo
	if entry.Outcome != audit.OK {
		outcome, severity, reason = OutcomeFailure, SeverityWarning, string(entry.Outcome)
		if code, ok := meta["code"].(string); ok {
			reason += ": " + code
		}
	}
	if entry.Action == "audit.break_glass.open" || entry.Action == "audit.break_glass.use" {
		severity = SeverityCritical
	}
	e.send(ctx, &AuditEvent{Action: name(entry), Resource: entry.Resource, Category: "vault." + entry.Resource, ResourceID: entry.ID.String(),
		Key: entry.Key, Metadata: meta, Outcome: outcome, Severity: severity, Reason: reason})
}

// name is the documented name of an entry's action. A definition of the version 1 is a flag that was created.
func name(entry audit.Entry) string {
	if entry.Action == "flag.define" {
		for _, d := range entry.Details {
			if d.Key == "version" && d.Value == "1" {
				return ActionFlagCreated
			}
		}
	}
	if n, ok := documented[entry.Action]; ok {
		return n
	}
	return entry.Action
}

// Record hands on an event of the caller's own. kvPairs are keys, which are strings, and values in turn; err is the reason of
// a failure.
func (e *Extension) Record(ctx context.Context, action, severity, outcome, resource, resourceID, category, key string, err error, kvPairs ...any) {
	ev := &AuditEvent{Action: action, Resource: resource, Category: category, ResourceID: resourceID, Key: key, Outcome: outcome, Severity: severity}
	if err != nil {
		ev.Reason = audit.Display(err.Error())
	}
	for i := 0; i < len(kvPairs); i += 2 {
		if ev.Metadata == nil {
			ev.Metadata = map[string]any{}
		}
		k := fmt.Sprint(kvPairs[i])
		if ev.Metadata[k] = nil; i+1 < len(kvPairs) {
			ev.Metadata[k] = kvPairs[i+1]
		}
	}
	e.send(ctx, ev)
}

// send calls the recorder. What it returns, and a panic, is logged: the entry is on disk either way.
func (e *Extension) send(ctx context.Context, ev *AuditEvent) {
	if e.recorder == nil || e.only != nil && !e.only[ev.Action] {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			e.log.ErrorContext(ctx, "an audit recorder panicked", "action", ev.Action, "panic", fmt.Sprint(p))
		}
	}()
	if err := e.recorder.Record(ctx, ev); err != nil {
		e.log.WarnContext(ctx, "an audit recorder failed", "action", ev.Action, "error", err)
	}
}
