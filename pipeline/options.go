package pipeline

import (
	"log/slog"
	"time"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/sealed"
)

// RunContext is what one run brings along. Every part is optional.
type RunContext struct {
	// Secrets are asked first for every secret the pipeline names, by variable name ("OPENAI_API_KEY").
	Secrets map[string]sealed.Value
	// RequestID goes to every component, for logs and traces.
	RequestID string
	// Ledger asks for the run's account in [Result].Ledger. Prices or a Budget ask for it as well.
	Ledger bool
	// Prices turns tokens into money.
	Prices Prices
	// Budget is what this run may spend, together with every other run that has the same one.
	Budget *Budget
	// Flags answers for feature flags that components look at.
	Flags component.Flags
	// Memory keeps the messages of the conversation that Session names.
	Memory  component.Memory
	Session string
	// Trace has the run open OpenTelemetry spans.
	Trace *Trace
}

// StreamEvent is a chunk on its way from a component to whoever listens.
type StreamEvent struct {
	Component string
	Type      string
	Chunk     *chat.StreamingChunk
}

// Step is one run of one component, for observers. Inputs and outputs are read-only.
type Step struct {
	Component string
	Type      string
	Visit     int // from 1
	Inputs    component.In
	Sockets   []component.Input // what Inputs belong to
	Outputs   component.Out     // after
	Declared  []component.Output
	Err       error         // after
	Took      time.Duration // after
}

// Observer is told about each component run, in order, on the run's own goroutine. Either func may be nil.
type Observer struct {
	Before func(*Step)
	After  func(*Step)
}

// Option changes one run.
type Option func(*config)

type config struct {
	context    RunContext
	include    []string
	resolver   Resolver
	http       component.Doer
	stores     docstore.Provider
	files      component.Files
	stream     func(StreamEvent) error
	streamFrom []string
	log        *slog.Logger
	now        func() time.Time
	observer   Observer
	limits     *Limits

	secrets component.SecretResolver // of the run this one is a part of
	ports   *component.Ports         // likewise
	nested  bool                     // it is a part of another run

	breakAt   *Breakpoint
	keepState bool
	resume    *Snapshot

	concurrency int
	concurrent  bool // concurrency was asked for
}

// WithRunContext gives the run its own secrets, request id, account, budget, flags and memory.
func WithRunContext(rc RunContext) Option { return func(c *config) { c.context = rc } }

// WithRequestID sets only the request id.
func WithRequestID(id string) Option { return func(c *config) { c.context.RequestID = id } }

// IncludeOutputsFrom adds the full outputs of the named components to the result, also those that other components
// consumed. A component that ran several times gives its last outputs. Names that do not exist are a warning.
func IncludeOutputsFrom(components ...string) Option {
	return func(c *config) { c.include = append(c.include, components...) }
}

// WithResolver gives the back end that is asked for a secret after the run, init and ambient contexts. None by default.
func WithResolver(r Resolver) Option { return func(c *config) { c.resolver = r } }

// WithHTTP gives components their way out; *egress.Client is one. Without it a component that sends requests fails.
func WithHTTP(d component.Doer) Option { return func(c *config) { c.http = d } }

// WithStores gives components their document stores, as this run's tenant sees them.
func WithStores(p docstore.Provider) Option { return func(c *config) { c.stores = p } }

// WithFiles lets components open local files. A server gives one that refuses.
func WithFiles(f component.Files) Option { return func(c *config) { c.files = f } }

// WithStream receives chunks while models answer, from the named components or from all that stream. An error from fn
// stops the component that streams. Naming a component that does not exist, or that does not stream, is a ValueError.
func WithStream(fn func(StreamEvent) error, components ...string) Option {
	return func(c *config) { c.stream, c.streamFrom = fn, components }
}

// WithLogger gives the run's logger; by default nothing is logged. Inputs, outputs and secrets are never logged.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.log = l } }

// WithClock replaces time.Now, for tests.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithObserver is told about every component run.
func WithObserver(o Observer) Option { return func(c *config) { c.observer = o } }

// WithLimits replaces the plan's limits on this run; zero fields keep their defaults.
func WithLimits(l Limits) Option {
	return func(c *config) {
		filled := l.withDefaults()
		c.limits = &filled
	}
}
