package app

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/sink"
	"github.com/haywardhq/hayward/vault/metrics"
)

// Sinks are where copies of the record go; an empty field is none. What leaves the machine goes through egress; the address in a
// setting is permission for the record's copy to it, and for no pipeline's requests.
type Sinks struct {
	File       string       // path
	Syslog     string       // tls://host:port, or tcp://host:port
	Webhook    string       // URL
	WebhookKey sealed.Value // signs what is sent there, see sink.Webhook; needed with it
	OTLP       string       // URL of a collector
}

// runners make what copies the record, one for each sink.
func (s Sinks) runners(l *audit.Logger, log *slog.Logger) (out []*sink.Runner, err error) {
	for _, one := range []struct {
		name, address string
		open          func(*slog.Logger) (sink.Target, error)
	}{{"file", s.File, s.file}, {"syslog", s.Syslog, s.syslog}, {"webhook", s.Webhook, s.webhook}, {"otlp", s.OTLP, s.otlp}} {
		if one.address == "" {
			continue
		}
		t, err := one.open(log)
		if err != nil {
			return nil, err
		}
		out = append(out, sink.New(l, one.name, t, sink.Options{Log: log, Alarm: func(s sink.Status) {
			log.Warn("a copy of the record is behind, or is not any more", "sink", one.name, "status", s)
		}}))
	}
	return out, nil
}

func (s Sinks) file(log *slog.Logger) (sink.Target, error) {
	return sink.NewFile(sink.FileOptions{Path: s.File, Lost: func(path string) {
		log.Warn("a file of the record's copy was put aside for good", "file", path)
	}}), nil
}

func (s Sinks) syslog(*slog.Logger) (sink.Target, error) {
	u, err := url.Parse(s.Syslog)
	if err != nil {
		return nil, err
	}
	policy, err := PolicyFor(s.Syslog)
	if err != nil {
		return nil, err
	}
	c := egress.New(policy, egress.Options{})
	dial := sink.DialTLS(c, u.Host, nil)
	if u.Scheme == "tcp" {
		dial = sink.DialTCP(c, u.Host)
	}
	return sink.NewSyslog(sink.SyslogOptions{Dial: dial}), nil
}

func (s Sinks) webhook(*slog.Logger) (sink.Target, error) {
	c, _, err := clientTo(s.Webhook)
	if err != nil {
		return nil, err
	}
	w, err := sink.NewWebhook(sink.WebhookOptions{URL: s.Webhook, Client: c, Key: s.WebhookKey})
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (s Sinks) otlp(log *slog.Logger) (sink.Target, error) {
	c, _, err := clientTo(s.OTLP)
	if err != nil {
		return nil, err
	}
	return sink.NewOTLP(sink.OTLPOptions{Endpoint: s.OTLP, Client: c, Rejected: func(n int64, why string) {
		log.Warn("a collector refused entries of the record's copy", "entries", n, "why", why)
	}}), nil
}

// sinkStatus says how every sink is doing.
func (a *App) sinkStatus() []sink.Status {
	out := make([]sink.Status, len(a.sinks))
	for i, r := range a.sinks {
		out[i] = r.Status()
	}
	return out
}

// measureSinks shows the same among the metrics, one gauge of each kind for a sink.
func (a *App) measureSinks(reg *metrics.Registry) {
	for _, r := range a.sinks {
		gauge := func(name string, read func(sink.Status) float64) {
			reg.Gauge(name, "sink", r.Status().Name, func() float64 { return read(r.Status()) })
		}
		gauge("hayward_audit_sink_lag_entries", func(s sink.Status) float64 { return float64(s.Lag) })
		gauge("hayward_audit_sink_lag_seconds", func(s sink.Status) float64 {
			if s.Since.IsZero() {
				return 0
			}
			return time.Since(s.Since).Seconds()
		})
		gauge("hayward_audit_sink_failures", func(s sink.Status) float64 { return float64(s.Failures) })
		gauge("hayward_audit_sink_alarm", func(s sink.Status) float64 {
			if s.Alarm {
				return 1
			}
			return 0
		})
	}
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
