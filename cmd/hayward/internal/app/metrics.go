package app

import (
	"context"

	"github.com/haywardhq/hayward/vault/metrics"
)

// counts is the registry that GET /metrics writes, with the vault's instruments in it. A nil one counts nothing: commands
// that work on the files have none.
type counts struct {
	reg       *metrics.Registry
	collector *metrics.Collector
}

func newCounts() *counts {
	reg := metrics.NewRegistry()
	return &counts{reg, metrics.NewCollector(reg)}
}

// all returns the vault's instruments, or nil.
func (c *counts) all() *metrics.Collector {
	if c == nil {
		return nil
	}
	return c.collector
}

// registry returns where further instruments are made.
func (c *counts) registry() metrics.MetricFactory {
	if c == nil {
		return metrics.NoopFactory{}
	}
	return c.reg
}

// warnOfFence says what to do about a database role that walks through the second fence between tenants.
func (v *Vault) warnOfFence(ctx context.Context, s Settings) {
	if s.Postgres == nil || s.Log == nil {
		return
	}
	holds, why, err := v.DB.FenceHolds(ctx)
	switch {
	case err != nil:
		s.Log.Warn("it could not be found out whether row-level security binds this server", "error", err)
	case !holds:
		s.Log.Warn("row-level security does not bind this server: only the conditions of its own statements keep tenants apart", "why", why,
			"do", "let the server enter with a role of its own, made with NOSUPERUSER NOBYPASSRLS, that owns its tables")
	}
}
