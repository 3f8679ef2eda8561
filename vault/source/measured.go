package source

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/vault/metrics"
)

// Measured returns src with the time of each answer observed, failures included. Put it next to the source, behind a cache.
func Measured(src Source, c *metrics.Collector) Source {
	if c == nil {
		return src
	}
	return measured{src, c}
}

type measured struct {
	Source
	c *metrics.Collector
}

func (m measured) observe(begun time.Time) { m.c.SourceLatency.Observe(time.Since(begun).Seconds()) }

func (m measured) Get(ctx context.Context, key string) (*Value, error) {
	defer m.observe(time.Now())
	return m.Source.Get(ctx, key)
}

func (m measured) List(ctx context.Context, prefix string) ([]*Value, error) {
	defer m.observe(time.Now())
	return m.Source.List(ctx, prefix)
}
