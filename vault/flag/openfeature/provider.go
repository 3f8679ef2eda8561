package openfeature

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/haywardhq/hayward/vault/flag"
)

// Name is the provider's name in metadata and events.
const Name = "hayward"

// Provider answers an OpenFeature client. Make one with [New]; it is safe for concurrent use.
type Provider struct {
	flags  *flag.Service
	hooks  []of.Hook
	events *events
}

var (
	_ of.FeatureProvider = (*Provider)(nil)
	_ of.StateHandler    = (*Provider)(nil)
	_ of.EventHandler    = (*Provider)(nil)
)

// Option changes a provider.
type Option func(*Provider)

// WithHooks sets the provider's own hooks, which run for every evaluation.
func WithHooks(hooks ...of.Hook) Option { return func(p *Provider) { p.hooks = hooks } }

// New returns a provider over a service. If the service has an app of its own (flag.WithAppID), events are about that app
// alone; otherwise about every app.
func New(flags *flag.Service, opts ...Option) *Provider {
	p := &Provider{flags: flags, events: newEvents()}
	for _, o := range opts {
		o(p)
	}
	return p
}

// Metadata implements openfeature.FeatureProvider.
func (p *Provider) Metadata() of.Metadata { return of.Metadata{Name: Name} }

// Hooks implements openfeature.FeatureProvider.
func (p *Provider) Hooks() []of.Hook { return p.hooks }

// Init begins to listen for changes. The client emits READY when it returns.
func (p *Provider) Init(of.EvaluationContext) error {
	if p.flags == nil {
		return &of.ProviderInitError{ErrorCode: of.ProviderFatalCode, Message: "the provider has no flag service"}
	}
	p.events.start(p.flags.Engine(), p.flags.AppID())
	return nil
}

// Shutdown ends listening. The service belongs to whoever made it, and goes on.
func (p *Provider) Shutdown() { p.events.stop() }

// EventChannel implements openfeature.EventHandler: PROVIDER_CONFIGURATION_CHANGED with the flags that changed, or with none
// if any may have.
func (p *Provider) EventChannel() <-chan of.Event { return p.events.out }

// BooleanEvaluation implements openfeature.FeatureProvider.
func (p *Provider) BooleanEvaluation(ctx context.Context, key string, def bool, flat of.FlattenedContext) of.BoolResolutionDetail {
	return evaluate(ctx, p, key, def, flat, (*flag.Service).BoolDetail)
}

// StringEvaluation implements openfeature.FeatureProvider.
func (p *Provider) StringEvaluation(ctx context.Context, key, def string, flat of.FlattenedContext) of.StringResolutionDetail {
	return evaluate(ctx, p, key, def, flat, (*flag.Service).StringDetail)
}

// FloatEvaluation implements openfeature.FeatureProvider. An int flag whose value a float64 holds exactly is a float, too.
func (p *Provider) FloatEvaluation(ctx context.Context, key string, def float64, flat of.FlattenedContext) of.FloatResolutionDetail {
	return evaluate(ctx, p, key, def, flat, (*flag.Service).FloatDetail)
}

// IntEvaluation implements openfeature.FeatureProvider. A value that an int64 does not hold is TYPE_MISMATCH.
func (p *Provider) IntEvaluation(ctx context.Context, key string, def int64, flat of.FlattenedContext) of.IntResolutionDetail {
	return evaluate(ctx, p, key, def, flat, (*flag.Service).IntDetail)
}

// ObjectEvaluation implements openfeature.FeatureProvider, for flags of the type json. The value is the caller's own tree.
func (p *Provider) ObjectEvaluation(ctx context.Context, key string, def any, flat of.FlattenedContext) of.InterfaceResolutionDetail {
	return evaluate(ctx, p, key, def, flat, object)
}

func object(s *flag.Service, ctx context.Context, key string, def any) flag.Of[any] { //nolint:revive // the shape of the service's own methods
	d := s.JSONDetail(ctx, key, def)
	if t := d.Type(); t != flag.TypeJSON && d.ErrorCode == "" {
		return flag.Of[any]{Value: def, Detail: flag.Detail{Key: key, Value: def, Reason: flag.ReasonError, ErrorCode: flag.CodeTypeMismatch,
			ErrorMessage: fmt.Sprintf("the flag is of the type %s, not json", t)}}
	}
	return d
}

type evaluation[T any] func(s *flag.Service, ctx context.Context, key string, def T) flag.Of[T]

// evaluate never panics, and gives the default with every error.
func evaluate[T any](ctx context.Context, p *Provider, key string, def T, flat of.FlattenedContext, fn evaluation[T]) (out of.GenericResolutionDetail[T]) {
	defer func() {
		if r := recover(); r != nil {
			out = failed(def, of.NewGeneralResolutionError("the evaluation panicked"))
		}
	}()
	if p.flags == nil {
		return failed(def, of.NewProviderNotReadyResolutionError("the provider has no flag service"))
	}
	ctx, refused := p.target(ctx, flat)
	if refused != nil {
		return failed(def, *refused)
	}
	d := fn(p.flags, ctx, key, def)
	if d.ErrorCode != "" {
		return failed(def, resolutionError(d.ErrorCode, d.ErrorMessage))
	}
	return of.GenericResolutionDetail[T]{Value: d.Value, ProviderResolutionDetail: of.ProviderResolutionDetail{Reason: of.Reason(d.Reason), Variant: d.Variant,
		FlagMetadata: d.Metadata()}}
}

func failed[T any](def T, err of.ResolutionError) of.GenericResolutionDetail[T] {
	return of.GenericResolutionDetail[T]{Value: def, ProviderResolutionDetail: of.ProviderResolutionDetail{ResolutionError: err, Reason: of.ErrorReason}}
}

func resolutionError(code flag.ErrorCode, message string) of.ResolutionError {
	switch code {
	case flag.CodeFlagNotFound:
		return of.NewFlagNotFoundResolutionError(message)
	case flag.CodeParseError:
		return of.NewParseErrorResolutionError(message)
	case flag.CodeTypeMismatch:
		return of.NewTypeMismatchResolutionError(message)
	case flag.CodeInvalidContext:
		return of.NewInvalidContextResolutionError(message)
	}
	return of.NewGeneralResolutionError(message)
}

// target turns the evaluation context into for whom the flag is evaluated, inside the caller's own tenant.
func (p *Provider) target(ctx context.Context, flat of.FlattenedContext) (context.Context, *of.ResolutionError) {
	user, ok := "", true
	if key, given := flat[of.TargetingKey]; given {
		if user, ok = key.(string); !ok {
			err := of.NewInvalidContextResolutionError("the targeting key is not text")
			return ctx, &err
		}
	}
	attributes := make(flag.Attributes, len(flat))
	for k, v := range flat {
		if k != of.TargetingKey {
			attributes[k] = plain(v)
		}
	}
	ctx, err := p.flags.Target(ctx, user, attributes)
	if err != nil {
		invalid := of.NewInvalidContextResolutionError(messageOf(err))
		return ctx, &invalid
	}
	return ctx, nil
}

// plain makes of an attribute what conditions compare: OpenFeature knows a date and time, JSON does not. What nothing can be
// compared with, such as a channel, is as if it were not there.
func plain(v any) any {
	switch x := v.(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case *time.Time:
		if x == nil {
			return nil
		}
		return plain(*x)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
	case error:
		return nil
	}
	switch reflect.ValueOf(v).Kind() { //nolint:exhaustive // the rest is data
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return nil
	}
	return v
}
