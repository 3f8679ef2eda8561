package host

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// words is what a run's own words are cleaned of. The caller's own run secrets are taken out of the server's log only:
// taken out of the answer, they would tell a caller whether a guess of his is a value the pipeline knows.
type words struct {
	secrets *redact.Set // what the vault and the environment gave
	own     *redact.Set // what the caller brought
}

func newWords(given map[string]sealed.Value) words {
	w := words{secrets: &redact.Set{}, own: &redact.Set{}}
	for _, v := range given {
		w.own.Add(v)
	}
	return w
}

func (w words) logger(log *slog.Logger) *slog.Logger {
	return slog.New(redact.Handler(log.Handler(), w.secrets, w.own))
}

func (h *Host) execute(ctx context.Context, c scope.Caller, entry *audit.Pending, d *Deployed, req RunRequest,
	in *value.Dict, include []string) (*RunResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.c.RunTimeout, fault.New(fault.Timeout, "the run took longer than %s", h.c.RunTimeout))
	defer cancel()
	w := newWords(req.Secrets)
	opts := []pipeline.Option{
		pipeline.WithRunContext(h.runContext(c, req, w)),
		pipeline.WithResolver(&resolver{vault: h.c.Vault, sources: h.c.Sources, environment: h.c.Environment, log: w.logger(h.c.Log),
			under: entry, redact: w.secrets}),
		pipeline.WithHTTP(h.c.HTTP),
		pipeline.WithStores(h.c.Stores.Provider(c.App, c.Tenant, d.Name)),
		pipeline.WithFiles(noFiles{}),
		pipeline.IncludeOutputsFrom(include...),
		pipeline.WithLogger(w.logger(h.c.Log)),
	}
	if h.c.Concurrency > 1 {
		opts = append(opts, pipeline.WithConcurrency(h.c.Concurrency))
	}
	flush := func() error { return nil }
	if req.Stream != nil {
		s := newStreamer(w.secrets, req.Stream)
		defer s.discard()
		opts, flush = append(opts, pipeline.WithStream(s.next)), s.flush
	}
	start := time.Now()
	res, err := d.Plan.Run(ctx, in, opts...)
	if err == nil {
		err = flush()
	}
	took := time.Since(start)
	noteRun(entry, res, took)
	if err != nil {
		return nil, w.error(err)
	}
	return w.result(entry.ID(), d, res, took)
}

func noteRun(entry *audit.Pending, res *pipeline.Result, took time.Duration) {
	if res != nil {
		noteSecrets(entry, res.Secrets)
		entry.Note(audit.Detail{Key: "steps", Value: strconv.Itoa(res.Steps)})
		if l := paid(res.Ledger); l != nil {
			entry.Note(audit.Detail{Key: "calls", Value: strconv.FormatInt(l.Total.Calls, 10)},
				audit.Detail{Key: "tokens_in", Value: strconv.FormatInt(l.Total.TokensIn, 10)},
				audit.Detail{Key: "tokens_out", Value: strconv.FormatInt(l.Total.TokensOut, 10)})
		}
	}
	entry.Note(audit.Detail{Key: "ms", Value: strconv.FormatInt(took.Milliseconds(), 10)})
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

// result is what leaves of a run that went well.
func (w words) result(id string, d *Deployed, res *pipeline.Result, took time.Duration) (*RunResult, error) {
	outputs, ok := w.secrets.Value(res.Outputs).(*value.Dict)
	if !ok {
		return nil, fault.New(fault.Internal, "the outputs of a run are not a dictionary")
	}
	warnings := make([]string, len(res.Warnings))
	for i, text := range res.Warnings {
		warnings[i] = w.secrets.String(text)
	}
	out := &RunResult{RunID: id, Pipeline: d.Name, Version: d.Version, Outputs: outputs, Warnings: warnings, Took: took, Usage: paid(res.Ledger)}
	if declared := d.Plan.Declared(); len(declared.Outputs) > 0 {
		out.Declared = declared.Gather(outputs)
	}
	return out, nil
}

// error returns err with the run's secrets taken out of its words; several problems stay several.
func (w words) error(err error) error {
	many, ok := err.(pipeline.Problems) //nolint:errorlint // a list wrapped in a fault is that fault
	if !ok {
		return w.fault(fault.From(err))
	}
	clean := make(pipeline.Problems, len(many))
	for i, e := range many {
		clean[i] = w.fault(e)
	}
	return clean
}

// fault cleans one fault. The chain underneath is dropped, since it may quote what a provider answered: only of an
// internal error the text is kept, for the log, without the caller's secrets either.
func (w words) fault(f *fault.Error) *fault.Error {
	clean := *f
	clean.Cause = nil
	if f.Cause != nil && f.Kind == fault.Internal {
		clean.Cause = fault.New(fault.Internal, "%s", w.own.String(w.secrets.String(f.Cause.Error())))
	}
	at := &clean.Where
	for _, text := range []*string{&clean.Message, &clean.Hint, &at.File, &at.Component, &at.Type, &at.Socket, &at.Field} {
		*text = w.secrets.String(*text)
	}
	return &clean
}
