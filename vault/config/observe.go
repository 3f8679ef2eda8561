package config

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Plugins is told of every entry that this service has written, once that is on disk. *plugin.Registry is one.
type Plugins interface {
	ConfigChange(ctx context.Context, key string, oldValue, newValue any) error
}

// WithPlugins sets who else is told of writes. The default is nobody.
func WithPlugins(p Plugins) ServiceOption { return func(s *Service) { s.plugins = p } }

// WithMetrics has values asked for and entries written counted. The default is nothing.
func WithMetrics(c *metrics.Collector) ServiceOption { return func(s *Service) { s.metrics = c } }

// observed is a write that remembers what there was before and after it, if anybody wants to know, and what to do once it is
// on disk.
func (s *Service) observed(ctx context.Context, c call, key string, fn func(driver.Tx) ([]audit.Detail, error)) (
	write func(driver.Tx) ([]audit.Detail, error), written func()) {
	if s.plugins == nil {
		return fn, s.counted
	}
	var before, after any
	write = func(tx driver.Tx) (details []audit.Detail, err error) {
		if before, err = valueNow(ctx, tx, c.Owner, key); err != nil {
			return nil, err
		}
		if details, err = fn(tx); err == nil {
			after, err = valueNow(ctx, tx, c.Owner, key)
		}
		return details, err
	}
	return write, func() {
		s.counted()
		if err := s.plugins.ConfigChange(ctx, key, before, after); err != nil {
			s.log.Error(ctx, "a plugin failed when it was told of a config change", c.App, key, err)
		}
	}
}

func (s *Service) counted() {
	if s.metrics != nil {
		s.metrics.ConfigWritten.Inc()
	}
}

// valueNow is an owner's own value, or nil.
func valueNow(ctx context.Context, tx driver.Tx, o Owner, key string) (any, error) {
	e, err := Read(ctx, tx, o, key)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return e.Value, nil
}
