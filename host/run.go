package host

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// Limits of the secrets a caller may bring for one run.
const (
	MaxRunSecrets     = 16
	MaxRunSecretBytes = 8 << 10
)

const maxIncluded = 1000

// RunRequest asks for one run.
type RunRequest struct {
	Pipeline string
	// Inputs are either the file's declared inputs by name, or Haystack's own form: {component: {socket: value}}, or a flat
	// {socket: value}. Reaching a socket the file does not declare needs pipeline:run-any.
	Inputs *value.Dict
	// DeclaredOnly reads Inputs as declared inputs and nothing else, as Hayhooks does.
	DeclaredOnly bool
	// Text says that Inputs came from a form: strings for sockets that take none are read as JSON.
	Text bool
	// Files are uploads: they go to a declared input by its name, or to the pipeline's sources socket.
	Files []inputs.File
	// IncludeOutputsFrom adds components' full outputs; beyond those of the file's declared outputs it needs pipeline:run-any.
	IncludeOutputsFrom []string
	// Secrets are the caller's own for this run; needs pipeline:run-with-secrets.
	Secrets map[string]sealed.Value
	// CallerRequestID is the caller's own id for the request; it is recorded, never trusted. At most 128 bytes.
	CallerRequestID string
	// Session names a conversation of the caller's own, for components that read and add to it.
	Session string
	// Budget is what this run may spend; nil is no bound but the server's.
	Budget *pipeline.BudgetLimits
	// Stream takes redacted chunks as they come; may be nil.
	Stream func(component string, chunk *chat.StreamingChunk) error
}

// RunResult is what a run gave.
type RunResult struct {
	RunID    string
	Pipeline string
	Version  int64
	// Outputs is {component: {socket: value}}, data classes as their dictionaries, secrets removed.
	Outputs *value.Dict
	// Declared is {declared output: value}; nil when the file declares no outputs.
	Declared *value.Dict
	Warnings []string
	Took     time.Duration
	// Usage is what the run paid for, by component; nil when it called no model.
	Usage *pipeline.Ledger
}

// Run runs a deployed pipeline. Two audit entries frame it; the second names every secret that was used, the layer that
// had it and where it went. If that entry cannot be written, the result does not leave.
func (h *Host) Run(ctx context.Context, req RunRequest) (*RunResult, error) {
	c, entry, err := h.enter(ctx, "pipeline.run", req.Pipeline)
	if err != nil {
		return nil, err
	}
	defer endPanic(ctx, entry)
	out, err := h.run(ctx, c, entry, req)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return out, nil
}

// endPanic completes the record of an action that panicked, and lets the panic go on.
func endPanic(ctx context.Context, entry *audit.Pending) {
	if p := recover(); p != nil {
		_ = entry.End(ctx, audit.Error, audit.Detail{Key: "kind", Value: fault.Internal.String()}, audit.Detail{Key: "internal", Value: "panic"})
		panic(p)
	}
}

func (h *Host) run(ctx context.Context, c scope.Caller, entry *audit.Pending, req RunRequest) (*RunResult, error) {
	deployed, err := h.deployed(ctx, c, req.Pipeline)
	if err != nil {
		return nil, err
	}
	entry.Note(audit.Detail{Key: "version", Value: strconv.FormatInt(deployed.Version, 10)})
	if id := req.CallerRequestID; id != "" {
		if len(id) > 128 {
			return nil, fault.New(fault.TooLarge, "the request id is longer than 128 bytes").At(fault.Where{Field: "context.request_id"})
		}
		entry.Note(audit.Detail{Key: "caller_request_id", Value: id})
	}
	if err := h.checkContext(req); err != nil {
		return nil, err
	}
	in, include, err := h.prepare(c, deployed, req)
	if err != nil {
		return nil, err
	}
	release, err := h.slots.take(c.App, c.Tenant)
	if err != nil {
		return nil, err
	}
	defer release()
	return h.execute(ctx, c, entry, deployed, req, in, include)
}

// prepare turns a request into what the engine takes, and asks for every permission the request needs.
func (h *Host) prepare(c scope.Caller, d *Deployed, req RunRequest) (*value.Dict, []string, error) {
	read, err := inputs.Read(d.Plan, inputs.Request{Given: req.Inputs, DeclaredOnly: req.DeclaredOnly, Text: req.Text, Files: req.Files})
	if err != nil {
		return nil, nil, err
	}
	if err := checkIncluded(d.Plan, req.IncludeOutputsFrom); err != nil {
		return nil, nil, err
	}
	declared := d.Plan.Declared().Components()
	include := slices.Concat(declared, req.IncludeOutputsFrom)
	beyond := slices.ContainsFunc(req.IncludeOutputsFrom, func(name string) bool { return !slices.Contains(declared, name) })
	if read.BeyondDeclared || beyond {
		if err := h.may(c, policy.PipelineRunAny); err != nil {
			return nil, nil, beyondDeclared(err, d.Plan.Declared())
		}
	}
	if len(req.Secrets) > 0 {
		if err := h.may(c, policy.PipelineRunWithSecrets); err != nil {
			return nil, nil, err
		}
		if err := checkRunSecrets(d.Plan, req.Secrets); err != nil {
			return nil, nil, err
		}
	}
	return read.Inputs, include, nil
}

func beyondDeclared(cause error, d pipeline.Declared) error {
	err := fault.Wrap(fault.Denied, cause, "you may run this pipeline through its declared inputs only").WithCode(string(policy.PipelineRunAny))
	if d.IsZero() {
		return err.WithHint("the file declares none; %s is needed", policy.PipelineRunAny)
	}
	return err.WithHint("declared inputs: %s; outputs come from: %s", orNone(d.InputNames()), orNone(d.Components()))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// checkIncluded refuses components that the pipeline does not have. Haystack only warns.
func checkIncluded(p *pipeline.Plan, names []string) error {
	if len(names) > maxIncluded {
		return fault.New(fault.TooLarge, "include_outputs_from names more than %d components", maxIncluded).At(fault.Where{Field: "include_outputs_from"})
	}
	have := make([]string, 0, len(p.Components()))
	for _, c := range p.Components() {
		have = append(have, c.Name)
	}
	for _, name := range names {
		if slices.Contains(have, name) {
			continue
		}
		err := fault.New(fault.Invalid, "include_outputs_from names '%s', which is not a component of the pipeline", name).
			At(fault.Where{Component: name, Field: "include_outputs_from"})
		if near := component.Nearest(name, have, 3); len(near) > 0 {
			return err.WithHint("did you mean '%s'?", strings.Join(near, "' or '"))
		}
		return err.WithHint("there are: %s", strings.Join(have, ", "))
	}
	return nil
}

// checkRunSecrets lets only names through that the file declares: anything else would be a way to plant values.
func checkRunSecrets(p *pipeline.Plan, given map[string]sealed.Value) error {
	if len(given) > MaxRunSecrets {
		return fault.New(fault.TooLarge, "a run may bring %d secrets at most", MaxRunSecrets)
	}
	var names []string
	for _, s := range p.Secrets() {
		names = append(names, s.Secret.EnvVars...)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v, where := given[name], fault.Where{Field: "context.secrets"}
		switch size := redact.Size(v); {
		case !slices.Contains(names, name):
			return fault.New(fault.Invalid, "the pipeline names no secret %q", name).At(where).WithHint("it names: %s", orNone(names))
		case size == 0:
			return fault.New(fault.Invalid, "the secret %q is empty", name).At(where).WithHint("leave it out to use the vault's")
		case size > MaxRunSecretBytes:
			return fault.New(fault.TooLarge, "the secret %q is longer than %d bytes", name, MaxRunSecretBytes).At(where)
		}
	}
	return nil
}
