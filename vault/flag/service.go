package flag

import (
	"context"
	"log/slog"
	"math"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/report"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Service evaluates flags with types, and changes them. It is safe for concurrent use.
//
// The accessors give the caller's default when the flag cannot be evaluated or is of another type, and log that; the
// Detail forms say it. Managing asks the gate and writes the record: defining flags and rules is the operator's, because a
// flag belongs to every tenant of the app; a tenant's own value is that tenant's.
type Service struct {
	engine *Engine
	table  *Table // nil: this store's flags cannot be changed from here
	gate   audit.Gate
	app    string
	log    *report.Log
}

// ServiceOption changes a service.
type ServiceOption func(*Service)

// WithAppID sets the app of every call. It must agree with the app in scope, if there is one.
func WithAppID(appID string) ServiceOption { return func(s *Service) { s.app = appID } }

// WithGate sets who authorises and records changes. Without it the entries go into the engine's store, an operator is who
// has no tenant in scope, and a tenant may set its own values (see audit.TenantOnly).
func WithGate(g audit.Gate) ServiceOption { return func(s *Service) { s.gate = g } }

// WithLogger sets where it is logged that a default was used because of an error; the default is slog.Default.
func WithLogger(l *slog.Logger) ServiceOption { return func(s *Service) { s.log = report.New(l) } }

// NewService returns a service over an engine.
func NewService(engine *Engine, opts ...ServiceOption) *Service {
	s := &Service{engine: engine, log: report.New(nil)}
	for _, o := range opts {
		o(s)
	}
	if t, ok := engine.store.(interface{ flagTable() *Table }); ok {
		s.table = t.flagTable()
	}
	if st, ok := engine.store.(driver.Store); ok && s.gate == nil {
		s.gate = audit.NewGate(audit.NewLogger(st), nil)
	}
	return s
}

// Engine returns the engine that evaluates.
func (s *Service) Engine() *Engine { return s.engine }

// AppID returns the app of every call, "" for the app in scope.
func (s *Service) AppID() string { return s.app }

// Target returns a context in which flags are evaluated for a user of the caller's own tenant, with these attributes in place
// of all there were: what OpenFeature calls the targeting key and the evaluation context. An empty user leaves the caller's
// own. App and tenant stay those of the scope, whatever the attributes say. It is an error if the scope is missing or
// contradicts itself.
func (s *Service) Target(ctx context.Context, user string, a Attributes) (context.Context, error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return ctx, err
	}
	if user != "" {
		c.User = user
	}
	return WithAttributes(scope.WithCaller(ctx, c), a), nil
}

// value evaluates a flag of one type.
func value[T any](ctx context.Context, s *Service, key string, as func(any) (T, error)) (result, T, error) {
	r, err := s.engine.evaluate(ctx, key, "", s.app)
	if err != nil {
		var none T
		return r, none, err
	}
	v, err := as(r.out.value)
	if err != nil {
		err = mismatch(key, err)
	}
	return r, v, err
}

func mismatch(key string, err error) error {
	return fault.Wrap(fault.Invalid, base.ErrTypeMismatch, "the flag %s: %s", key, fault.From(err).Message).WithCode(typed.CodeMismatch)
}

func get[T any](ctx context.Context, s *Service, key string, def T, as func(any) (T, error)) T {
	_, v, err := value(ctx, s, key, as)
	if err != nil {
		s.defaulted(ctx, key, err)
		return def
	}
	return v
}

func (s *Service) defaulted(ctx context.Context, key string, err error) {
	c, _ := who.Of(ctx, "", s.app)
	s.log.Error(ctx, "a flag could not be evaluated; the caller's default is used", c.App, key, err)
}

func detail[T any](ctx context.Context, s *Service, key string, def T, as func(any) (T, error)) Of[T] {
	r, v, err := value(ctx, s, key, as)
	if err != nil {
		s.defaulted(ctx, key, err)
		d := failed(key, err)
		d.Value = def
		return Of[T]{def, d}
	}
	d := r.detail()
	d.Value = v
	return Of[T]{v, d}
}

// Bool evaluates a bool flag.
func (s *Service) Bool(ctx context.Context, key string, defaultVal bool) bool {
	return get(ctx, s, key, defaultVal, typed.AsBool)
}

// String evaluates a string flag.
func (s *Service) String(ctx context.Context, key, defaultVal string) string {
	return get(ctx, s, key, defaultVal, typed.AsString)
}

// Int evaluates an int flag. A value that an int cannot hold is an error, not a smaller number.
func (s *Service) Int(ctx context.Context, key string, defaultVal int) int {
	return get(ctx, s, key, defaultVal, asInt)
}

// Int64 evaluates an int flag.
func (s *Service) Int64(ctx context.Context, key string, defaultVal int64) int64 {
	return get(ctx, s, key, defaultVal, asInt64)
}

// Float evaluates a float flag, or an int flag whose value a float64 holds exactly.
func (s *Service) Float(ctx context.Context, key string, defaultVal float64) float64 {
	return get(ctx, s, key, defaultVal, typed.AsFloat)
}

// asInt64 is for int flags alone: that a float flag happens to have no fraction now says nothing about tomorrow.
func asInt64(v any) (int64, error) {
	if t := typed.Type(v); t != "int" {
		return 0, fault.New(fault.Invalid, "the value is %s, not an integer", typed.Name(v)).WithCode(typed.CodeMismatch)
	}
	return typed.AsInt(v)
}

func asInt(v any) (int, error) {
	n, err := asInt64(v)
	if err == nil && (n > math.MaxInt || n < math.MinInt) {
		err = fault.New(fault.Invalid, "the value does not fit an int").WithCode(typed.CodeMismatch)
	}
	return int(n), err
}

// JSON evaluates a flag of any type and decodes its value into target, which is a pointer.
func (s *Service) JSON(ctx context.Context, key string, target any) error {
	r, err := s.engine.evaluate(ctx, key, "", s.app)
	if err != nil {
		return err
	}
	if err := typed.AsJSON(r.out.value, target); err != nil {
		return mismatch(key, err)
	}
	return nil
}

// BoolDetail is [Service.Bool] with the reason.
func (s *Service) BoolDetail(ctx context.Context, key string, defaultVal bool) Of[bool] {
	return detail(ctx, s, key, defaultVal, typed.AsBool)
}

// StringDetail is [Service.String] with the reason.
func (s *Service) StringDetail(ctx context.Context, key, defaultVal string) Of[string] {
	return detail(ctx, s, key, defaultVal, typed.AsString)
}

// IntDetail is [Service.Int64] with the reason.
func (s *Service) IntDetail(ctx context.Context, key string, defaultVal int64) Of[int64] {
	return detail(ctx, s, key, defaultVal, asInt64)
}

// FloatDetail is [Service.Float] with the reason.
func (s *Service) FloatDetail(ctx context.Context, key string, defaultVal float64) Of[float64] {
	return detail(ctx, s, key, defaultVal, typed.AsFloat)
}

// JSONDetail evaluates a flag of any type with the reason. The value is the caller's own tree of maps and slices.
func (s *Service) JSONDetail(ctx context.Context, key string, defaultVal any) Of[any] {
	return detail(ctx, s, key, defaultVal, func(v any) (any, error) { return typed.Clone(v), nil })
}

// Detail evaluates a flag of any type with the reason, see [Engine.Detail].
func (s *Service) Detail(ctx context.Context, key string) (Detail, error) {
	return s.engine.detail(ctx, key, "", s.app)
}

// All evaluates every flag of the app for the caller, see [Engine.EvaluateAll].
func (s *Service) All(ctx context.Context) ([]Detail, error) { return s.engine.all(ctx, "", s.app) }
