package app

import (
	"context"
	"log/slog"
	"net/url"
	"sync"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/sink"
)

// Sinks are where copies of the record go; an empty field is none. What leaves the machine goes through egress, so that a
// private address must be allowed like any other.
type Sinks struct {
	File    string // path
	Syslog  string // tls://host:port, or tcp://host:port
	Webhook string // URL
	OTLP    string // URL of a collector
}

// runners make what copies the record, one for each sink.
func (s Sinks) runners(l *audit.Logger, c *egress.Client, log *slog.Logger) (out []*sink.Runner, err error) {
	add := func(name string, t sink.Target) {
		out = append(out, sink.New(l, name, t, sink.Options{Log: log, Alarm: func(s sink.Status) {
			log.Warn("a copy of the record is behind, or is not any more", "sink", name, "status", s)
		}}))
	}
	if s.File != "" {
		add("file", sink.NewFile(sink.FileOptions{Path: s.File, Lost: func(path string) {
			log.Warn("a file of the record's copy was put aside for good", "file", path)
		}}))
	}
	if s.Syslog != "" {
		u, err := url.Parse(s.Syslog)
		if err != nil {
			return nil, err
		}
		dial := sink.DialTLS(c, u.Host, nil)
		if u.Scheme == "tcp" {
			dial = sink.DialTCP(c, u.Host)
		}
		add("syslog", sink.NewSyslog(sink.SyslogOptions{Dial: dial}))
	}
	if s.Webhook != "" {
		add("webhook", sink.NewWebhook(sink.WebhookOptions{URL: s.Webhook, Client: c}))
	}
	if s.OTLP != "" {
		add("otlp", sink.NewOTLP(sink.OTLPOptions{Endpoint: s.OTLP, Client: c, Rejected: func(n int64, why string) {
			log.Warn("a collector refused entries of the record's copy", "entries", n, "why", why)
		}}))
	}
	return out, nil
}

// copyRecord runs the sinks until ctx ends.
func (a *App) copyRecord(ctx context.Context) {
	var under sync.WaitGroup
	for _, r := range a.sinks {
		under.Go(func() { r.Run(ctx) })
	}
	under.Wait()
}

// publish offers a checkpoint to the sinks.
func (a *App) publish(ctx context.Context, cp audit.Checkpoint) {
	for _, r := range a.sinks {
		r.Checkpoint(ctx, cp)
	}
}
