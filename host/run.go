package host

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
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
}

// Run runs a deployed pipeline. Two audit entries frame it; the second names every secret that was used, the layer that
// had it and where it went. If that entry cannot be written, the result does not leave.
func (h *Host) Run(ctx context.Context, req RunRequest) (*RunResult, error) {
	c, entry, err := h.enter(ctx, "pipeline.run", req.Pipeline)
	if err != nil {
		return nil, err
	}
	out, err := h.run(ctx, c, entry, req)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return out, nil
}

func (h *Host) run(ctx context.Context, c scope.Caller, entry *audit.Pending, req RunRequest) (*RunResult, error) {
	deployed, err := h.catalogue.Get(ctx, c.App, c.Tenant, req.Pipeline)
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
	declared := d.Plan.Declared().Components()
	include := slices.Concat(declared, req.IncludeOutputsFrom)
	beyond := slices.ContainsFunc(req.IncludeOutputsFrom, func(name string) bool { return !slices.Contains(declared, name) })
	if read.BeyondDeclared || beyond {
		if err := h.may(c, policy.PipelineRunAny); err != nil {
			return nil, nil, fault.Wrap(fault.Denied, err, "you may run this pipeline through its declared inputs only").
				WithCode(string(policy.PipelineRunAny)).WithHint("declared inputs: %v", d.Plan.Declared().InputNames())
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

// checkRunSecrets lets only names through that the file declares: anything else would be a way to plant values.
func checkRunSecrets(p *pipeline.Plan, given map[string]sealed.Value) error {
	if len(given) > MaxRunSecrets {
		return fault.New(fault.TooLarge, "a run may bring %d secrets at most", MaxRunSecrets)
	}
	var names []string
	for _, s := range p.Secrets() {
		names = append(names, s.Secret.EnvVars...)
	}
	for name := range given {
		if !slices.Contains(names, name) {
			return fault.New(fault.Invalid, "the pipeline names no secret %q", name).At(fault.Where{Field: "context.secrets"}).
				WithHint("it names: %v", names)
		}
	}
	return nil
}

func (h *Host) execute(ctx context.Context, c scope.Caller, entry *audit.Pending, d *Deployed, req RunRequest,
	in *value.Dict, include []string) (*RunResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.c.RunTimeout, fault.New(fault.Timeout, "the run took longer than %s", h.c.RunTimeout))
	defer cancel()
	secrets := &redact.Set{}
	opts := []pipeline.Option{
		pipeline.WithRunContext(pipeline.RunContext{Secrets: req.Secrets, RequestID: c.RequestID}),
		pipeline.WithResolver(&resolver{vault: h.c.Vault, environment: h.c.Environment, under: entry, redact: secrets}),
		pipeline.WithHTTP(h.c.HTTP),
		pipeline.WithStores(h.c.Stores.Provider(c.App, c.Tenant, d.Name)),
		pipeline.WithFiles(noFiles{}),
		pipeline.IncludeOutputsFrom(include...),
		pipeline.WithLogger(h.c.Log),
	}
	if req.Stream != nil {
		s := newStreamer(secrets, req.Stream)
		opts = append(opts, pipeline.WithStream(s.next))
		defer s.discard()
		return h.collect(ctx, entry, d, secrets, func() (*pipeline.Result, error) {
			res, err := d.Plan.Run(ctx, in, opts...)
			if err == nil {
				err = s.flush()
			}
			return res, err
		})
	}
	return h.collect(ctx, entry, d, secrets, func() (*pipeline.Result, error) { return d.Plan.Run(ctx, in, opts...) })
}

// collect runs, notes which secrets were used, and removes them from what leaves.
func (h *Host) collect(_ context.Context, entry *audit.Pending, d *Deployed, secrets *redact.Set, run func() (*pipeline.Result, error)) (*RunResult, error) {
	start := time.Now()
	res, err := run()
	took := time.Since(start)
	if res != nil {
		noteSecrets(entry, res.Secrets)
		entry.Note(audit.Detail{Key: "steps", Value: strconv.Itoa(res.Steps)})
	}
	entry.Note(audit.Detail{Key: "ms", Value: strconv.FormatInt(took.Milliseconds(), 10)})
	if err != nil {
		return nil, redactError(secrets, err)
	}
	outputs, ok := secrets.Value(res.Outputs).(*value.Dict)
	if !ok {
		return nil, fault.New(fault.Internal, "the outputs of a run are not a dictionary")
	}
	warnings := make([]string, len(res.Warnings))
	for i, w := range res.Warnings {
		warnings[i] = secrets.String(w)
	}
	out := &RunResult{RunID: entry.ID(), Pipeline: d.Name, Version: d.Version, Outputs: outputs, Warnings: warnings, Took: took}
	if declared := d.Plan.Declared(); len(declared.Outputs) > 0 {
		out.Declared = declared.Gather(outputs)
	}
	return out, nil
}

// noteSecrets adds one line per name, layer and destination, however often it was asked for.
func noteSecrets(entry *audit.Pending, used []pipeline.SecretUse) {
	var seen []string
	for _, u := range used {
		text := u.Name + " from " + u.Layer + " to " + u.Destination.String() + " for " + u.Component
		if u.Denied {
			text += " (refused)"
		}
		if !slices.Contains(seen, text) {
			seen = append(seen, text)
			entry.Note(audit.Detail{Key: "secret", Value: text})
		}
	}
}

// redactError returns err with the run's secrets taken out of its words. The chain underneath is dropped: it may quote
// what a provider answered.
func redactError(secrets *redact.Set, err error) error {
	f := fault.From(err)
	clean := *f
	clean.Message = secrets.String(f.Message)
	clean.Hint = secrets.String(f.Hint)
	clean.Cause = nil
	if f.Cause != nil && f.Kind == fault.Internal {
		clean.Cause = fault.New(fault.Internal, "%s", secrets.String(f.Cause.Error()))
	}
	return &clean
}
