package flag

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Evaluator decides a custom rule. The params are the rule's own copy for this call. It must be quick: it runs inside the
// evaluation. A panic is an error of the evaluation, not of the program.
type Evaluator func(ctx context.Context, t Target, params map[string]any) (bool, error)

// TagSource returns the tags of a tenant. It is asked only for flags with a rule on tags, and must be quick.
type TagSource func(ctx context.Context, appID, tenantID string) (map[string]string, error)

// Engine evaluates flags. Create it once per store; it is safe for concurrent use.
type Engine struct {
	store      Store
	ttl        time.Duration
	told       bool // the store tells of changes
	stop       func()
	now        func() time.Time
	tags       TagSource
	evaluators map[string]Evaluator
	more       func(name string) Evaluator // nil: there are no others
	metrics    *metrics.Collector          // nil: nothing is counted

	hearers hearers
	buckets buckets
	serial  atomic.Uint64 // of compiled rules

	mu   sync.Mutex // growing apps
	apps atomic.Pointer[map[string]*appFlags]
	main atomic.Pointer[mainApp] // one of apps, found without hashing: most programs have one
}

type mainApp struct {
	name  string
	flags *appFlags
}

// EngineOption changes an engine.
type EngineOption func(*Engine)

// WithCacheTTL sets how long a flag of a store that does not tell of changes (see driver.Watcher) may be served without
// reading it again; without it such a store is read at every evaluation. The stores of this wing tell: for them it means
// nothing, and no change is ever missed.
func WithCacheTTL(ttl time.Duration) EngineOption { return func(e *Engine) { e.ttl = ttl } }

// WithTenantTags sets where the tags of tenants come from. Without it, and without [WithTags], a flag with a rule on tags
// is an error.
func WithTenantTags(src TagSource) EngineOption { return func(e *Engine) { e.tags = src } }

// WithEvaluator adds an evaluator for custom rules under a name. A rule that names another is an error when it is reached.
func WithEvaluator(name string, fn Evaluator) EngineOption {
	return func(e *Engine) { e.evaluators[name] = fn }
}

// WithEvaluators sets where evaluators come from that [WithEvaluator] did not add; it returns nil for a name it does not know.
// *plugin.Registry has such a method, Evaluator.
func WithEvaluators(find func(name string) Evaluator) EngineOption {
	return func(e *Engine) { e.more = find }
}

// WithMetrics has evaluations counted, and one in 64 timed. The default is nothing.
func WithMetrics(c *metrics.Collector) EngineOption { return func(e *Engine) { e.metrics = c } }

// WithClock sets the clock of schedules; the default is time.Now.
func WithClock(now func() time.Time) EngineOption { return func(e *Engine) { e.now = now } }

// NewEngine returns an engine over a store.
func NewEngine(store Store, opts ...EngineOption) *Engine {
	e := &Engine{store: store, now: time.Now, evaluators: map[string]Evaluator{}, stop: func() {},
		buckets: buckets{seed: rand.Uint64()}}
	e.apps.Store(&map[string]*appFlags{})
	for _, o := range opts {
		o(e)
	}
	if w, ok := store.(driver.Watcher); ok {
		e.told = true
		e.stop = w.Watch(e.changed)
	}
	return e
}

// Close ends listening to the store. Evaluating afterwards is an error.
func (e *Engine) Close() {
	e.stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.apps.Store(nil)
	e.main.Store(nil)
}

// appFlags are the flags of one app that were compiled so far.
type appFlags struct {
	flags atomic.Pointer[map[string]*compiled] // replaced as a whole
	mu    sync.Mutex                           // replacing it
	gen   atomic.Uint64                        // rises with each change of any flag
}

// Bounds of what is kept: flags that exist are bounded by the store, names that do not exist by these.
const (
	maxApps    = 1024
	maxUnknown = 1024
)

func (a *appFlags) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gen.Add(1)
	a.flags.Store(&map[string]*compiled{})
}

func (a *appFlags) drop(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gen.Add(1)
	if _, ok := (*a.flags.Load())[key]; ok {
		m := maps.Clone(*a.flags.Load())
		delete(m, key)
		a.flags.Store(&m)
	}
}

// keep stores a compiled flag unless something changed since gen.
func (a *appFlags) keep(c *compiled, gen uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gen.Load() != gen {
		return false
	}
	old := *a.flags.Load()
	if c.err != nil && len(old) >= maxUnknown {
		return true // served this once, not kept
	}
	m := maps.Clone(old)
	m[c.key] = c
	a.flags.Store(&m)
	return true
}

// app returns the flags of an app, making room for them at the first call.
func (e *Engine) app(name string) (*appFlags, error) {
	if m := e.main.Load(); m != nil && m.name == name {
		return m.flags, nil
	}
	if apps := e.apps.Load(); apps == nil {
		return nil, fault.New(fault.Unavailable, "the flag engine is closed")
	} else if a := (*apps)[name]; a != nil {
		return a, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.apps.Load()
	if old == nil {
		return nil, fault.New(fault.Unavailable, "the flag engine is closed")
	}
	if a := (*old)[name]; a != nil {
		return a, nil
	}
	m := map[string]*appFlags{}
	if len(*old) < maxApps {
		m = maps.Clone(*old)
	}
	a := &appFlags{}
	a.flags.Store(&map[string]*compiled{})
	m[name] = a
	e.apps.Store(&m)
	if len(m) == 1 { // the first, or the first after all were forgotten
		e.main.Store(&mainApp{name, a})
	}
	return a, nil
}

// flag returns a compiled flag. It is never nil without an error.
func (e *Engine) flag(ctx context.Context, app, key string) (*compiled, error) {
	a, err := e.app(app)
	if err != nil {
		return nil, err
	}
	if c := (*a.flags.Load())[key]; c != nil && (e.told || e.fresh(c)) {
		return c, c.err
	}
	return e.load(ctx, a, app, key)
}

func (e *Engine) fresh(c *compiled) bool { return e.ttl > 0 && e.now().Sub(c.loadedAt) < e.ttl }

// attempts bounds how often a load starts over because somebody writes all the time.
const attempts = 100

// load reads and compiles a flag. What it returns is of one moment: if a flag changed meanwhile, it starts over.
func (e *Engine) load(ctx context.Context, a *appFlags, app, key string) (*compiled, error) {
	for range attempts {
		gen := a.gen.Load()
		c, err := e.read(scope.WithCaller(ctx, scope.Caller{App: app}), app, key)
		if err != nil {
			return nil, who.Unread(err, "flag", key)
		}
		if !e.told && e.ttl <= 0 || a.keep(c, gen) {
			return c, c.err
		}
	}
	return nil, fault.New(fault.Unavailable, "the flag %s changes faster than it can be read", key)
}

// read returns an error only for a store that could not answer; a flag that is not there, or does not compile, is a
// compiled one that says so.
func (e *Engine) read(ctx context.Context, app, key string) (*compiled, error) {
	broken := &compiled{key: key, loadedAt: e.now()}
	d, err := e.store.GetFlagDefinition(ctx, key, app)
	if err != nil {
		return broken.because(err)
	}
	rules, err := e.store.GetFlagRules(ctx, key, app)
	if err != nil {
		return broken.because(err)
	}
	overrides, err := e.store.ListFlagTenantOverrides(ctx, key, app)
	if err != nil {
		return broken.because(err)
	}
	var down error // the store could not answer for a segment
	c, err := compile(app, d, rules, overrides, e.segments(ctx, app, &down))
	if down != nil {
		return nil, down
	}
	if err != nil {
		broken.err = unreadable(key, err)
		return broken, nil
	}
	c.loadedAt = broken.loadedAt
	for i := range c.rules {
		c.rules[i].serial = e.serial.Add(1)
	}
	return c, nil
}

// segments finds segments in the store. What it could not read is left in down: that says nothing about the flag.
func (e *Engine) segments(ctx context.Context, app string, down *error) segmentSource {
	st, ok := e.store.(SegmentStore)
	if !ok {
		return nil
	}
	return func(key string) (*Segment, error) {
		s, err := st.GetFlagSegment(ctx, key, app)
		if err != nil && !fault.Is(err, fault.NotFound) && fault.From(err).Code != codeParse {
			*down = err
		}
		return s, err
	}
}

func (c *compiled) because(err error) (*compiled, error) {
	switch {
	case fault.Is(err, fault.NotFound):
		c.err = notFound(c.key)
		return c, nil
	case fault.From(err).Code == codeParse:
		c.err = err
		return c, nil
	}
	return nil, err
}
