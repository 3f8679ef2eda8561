package pipeline

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// The layers this package asks itself. A back end names its own ("vault", "shared", "environment").
const (
	LayerRun     = "run context"
	LayerInit    = "init context"
	LayerAmbient = "ambient context"
)

// Resolver is the host's back end for secrets: the tenant's vault, what the app shares, the process environment.
type Resolver interface {
	// Resolve answers for one name. A zero Found.Value means that no layer has it; an error ends the search.
	Resolve(ctx context.Context, name string, req component.SecretRequest) (Found, error)
}

// Found is a back end's answer.
type Found struct {
	// Value is the secret, with the destinations its owner decided on, or without any if he did not decide. Zero: not found.
	Value sealed.Value
	// Layer is the word for where it was found, for the audit.
	Layer string
	// Tried lists the layers that were asked, for the hint of an error.
	Tried []string
	// MayChange says who can change the value's destinations, for the hint of an error ("the tenant's editors").
	MayChange string
}

// secretChain answers for the secrets of one run and remembers what it gave. Components may ask from several goroutines;
// the lock is this run's own. Most runs have no secrets, so that it is small.
type secretChain struct {
	held *held // nil when only the ambient context may have some
	mu   sync.Mutex
	use  atomic.Pointer[[]SecretUse] // nil until the first; what it points to is guarded by mu
}

// held is where a run's secrets are, beside the ambient context.
type held struct {
	run, init map[string]sealed.Value
	resolver  Resolver
}

type layer struct {
	name      string
	values    map[string]sealed.Value
	mayChange string
}

func (c *secretChain) used() []SecretUse {
	use := c.use.Load()
	if use == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(*use)
}

func (c *secretChain) note(name, layer string, req component.SecretRequest, denied bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	use := c.use.Load()
	if use == nil {
		use = new([]SecretUse)
		c.use.Store(use)
	}
	*use = append(*use, SecretUse{Name: name, Layer: layer, Destination: req.For, Component: req.Component, Type: req.Type,
		Param: req.Param, Denied: denied})
}

// ResolveSecret implements [component.SecretResolver]: each name through all layers before the next name, first hit wins
// (haystack/utils/auth.py, EnvVarSecret.resolve_value, with more than one place to look).
func (c *secretChain) ResolveSecret(ctx context.Context, req component.SecretRequest) (sealed.Value, error) {
	if req.Secret.IsZero() {
		return sealed.Value{}, nil
	}
	if req.For.IsZero() {
		return sealed.Value{}, fault.New(fault.Denied, "component '%s' asks for a secret without saying where it goes", req.Component).
			WithCode(CodeDestinationMismatch).At(whereOf(req))
	}
	var tried []string
	for _, name := range req.Secret.EnvVars {
		found, asked, err := c.lookup(ctx, name, req)
		if err != nil {
			return sealed.Value{}, err
		}
		if !found.Value.IsZero() {
			return c.release(name, found, req)
		}
		tried = union(tried, asked)
	}
	if !req.Secret.Strict {
		return sealed.Value{}, nil
	}
	return sealed.Value{}, notSet(req, tried)
}

// lookup asks every layer for one name.
func (c *secretChain) lookup(ctx context.Context, name string, req component.SecretRequest) (Found, []string, error) {
	asked := make([]string, 0, 4)
	from := c.held
	if from == nil {
		from = &held{}
	}
	for _, l := range [...]layer{
		{name: LayerRun, values: from.run, mayChange: "whoever started the run"},
		{name: LayerInit, values: from.init, mayChange: "whoever gave the plan its init context"},
		{name: LayerAmbient, values: ambientSecrets(ctx), mayChange: "whoever set the ambient context"},
	} {
		if v, ok := l.values[name]; ok && !v.IsZero() {
			return Found{Value: v, Layer: l.name, MayChange: l.mayChange}, nil, nil
		}
		asked = append(asked, l.name)
	}
	if from.resolver == nil {
		return Found{}, asked, nil
	}
	found, err := from.resolver.Resolve(ctx, name, req)
	return found, append(asked, found.Tried...), err
}

// release applies the destination rule: a value whose owner decided where it may go goes only there; one without a
// decision goes only to where the component's type is documented to talk to. Otherwise whoever edits a pipeline file could
// send a key he may not read to a host of his own.
func (c *secretChain) release(name string, found Found, req component.SecretRequest) (sealed.Value, error) {
	dests, decided := found.Value.Destinations()
	if !decided {
		dests = req.Documented
	}
	allowed := slices.ContainsFunc(dests, func(d sealed.Destination) bool { return d.Covers(req.For) })
	c.note(name, found.Layer, req, !allowed)
	if allowed {
		return found.Value.For(req.For), nil
	}
	return sealed.Value{}, mismatch(name, found, req, dests, decided)
}

func mismatch(name string, found Found, req component.SecretRequest, dests []sealed.Destination, decided bool) *fault.Error {
	mayChange := found.MayChange
	if mayChange == "" {
		mayChange = "whoever set it"
	}
	list := "no host at all"
	if len(dests) > 0 {
		list = joinDestinations(dests)
	}
	err := fault.New(fault.Denied, "%s (from the %s) may not be sent to %s: it is for %s", name, found.Layer, req.For, list)
	if !decided {
		err = fault.New(fault.Denied, "%s (from the %s) may not be sent to %s: nobody has said where it may go, and %s is known to talk to %s",
			name, found.Layer, req.For, className(req.Type), list)
	}
	return err.WithCode(CodeDestinationMismatch).At(whereOf(req)).
		WithHint("%s can name %s as a destination; or change the address in the pipeline", mayChange, req.For)
}

func joinDestinations(dests []sealed.Destination) string {
	texts := make([]string, len(dests))
	for i, d := range dests {
		texts[i] = d.String()
	}
	return strings.Join(texts, ", ")
}

// notSet is Haystack's own message, with the names and layers in the hint.
func notSet(req component.SecretRequest, tried []string) *fault.Error {
	names := make(value.Tuple, len(req.Secret.EnvVars))
	for i, n := range req.Secret.EnvVars {
		names[i] = value.Str(n)
	}
	return fault.New(fault.Invalid, "None of the following authentication environment variables are set: %s", value.Repr(names)).
		WithCode(CodeValueError).At(whereOf(req)).
		WithHint("looked for %s in: %s", strings.Join(req.Secret.EnvVars, ", "), strings.Join(tried, ", "))
}

func whereOf(req component.SecretRequest) fault.Where {
	return fault.Where{Component: req.Component, Type: req.Type, Field: req.Param}
}

func union(list, more []string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
