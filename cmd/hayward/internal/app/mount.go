package app

import (
	"context"
	"net/netip"
	"time"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/api"
	"github.com/haywardhq/hayward/server/hayhooks"
	"github.com/haywardhq/hayward/server/metrics"
	"github.com/haywardhq/hayward/server/oauth"
	"github.com/haywardhq/hayward/server/ofrep"
	"github.com/haywardhq/hayward/server/openapi"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
)

// mount is the list of doors; this is the only place where they are wired in.
func (a *App) mount(gate audit.Gate, hosts []string) {
	s := a.settings
	describe := &openapi.Door{Info: openapi.Info{Title: "Hayward", Description: "Haystack pipelines for many tenants in one process.", Version: s.Version}, Host: a.Host,
		Mounted: func() []router.Route { return a.Router.Routes() }}
	a.Router = router.New(
		router.Options{Auth: oauth.Authenticator{Auth: a.Auth}, Limit: newLimiter(a.Auth.Limiter, s.Requests), Log: a.log, MaxBody: s.MaxBody,
			TrustedProxies: s.TrustedProxies, Hosts: hosts, TLS: s.CertFile != ""},
		&oauth.Door{Auth: a.Auth, App: a.AppID},
		&api.Door{Host: a.Host, Secrets: a.Secrets, Flags: a.Flags, Settings: a.Settings, Keys: a.Keys, People: a.People, Registry: a.registry,
			Rotations: rotation.NewService(a.Rotation), Rotators: a.Rotation.Kinds,
			Audit: a.Audit, AuditKeys: a.vault.Trusted, AuditStatus: a.checkpoints.Status, AuditSinks: a.sinkStatus, Verify: a.verify(gate),
			Glasses: &host.Glasses{Service: a.Audit, Gate: gate, Tenants: a.Auth.Identity}, Backups: &host.Backups{Gate: gate, House: a.vault.house()},
			Version: s.Version, MaxUpload: s.MaxUpload, Health: a.vault.DB.Ping},
		&hayhooks.Door{Host: a.Host, MaxUpload: s.MaxUpload},
		&ofrep.Door{Flags: a.Flags},
		&metrics.Door{Metrics: a.Metrics, Key: a.monitor()},
		describe,
	)
}

// monitor knows the key that reads the metrics; nil without one.
func (a *App) monitor() func(context.Context, string) (router.Identity, bool) {
	key := a.settings.MetricsKey
	if key.IsZero() {
		return nil
	}
	return func(ctx context.Context, bearer string) (router.Identity, bool) {
		ok, err := key.Is(bearer)
		if err != nil {
			a.log.WarnContext(ctx, "the key that reads the metrics cannot be used", "error", err)
		}
		return router.Identity{App: a.AppID, User: auth.MonitorID, Name: auth.MonitorID}, ok
	}
}

// verify verifies the audit for an operator who asks.
func (a *App) verify(gate audit.Gate) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		c, err := scope.Lenient(ctx)
		if err != nil {
			return nil, err
		}
		entry, err := gate.Enter(ctx, audit.Request{Caller: c, Action: "audit.verify", Resource: "audit", Operator: true})
		if err != nil {
			return nil, err
		}
		report, err := a.vault.Verify(ctx)
		if err := entry.EndErr(ctx, err); err != nil {
			return nil, err
		}
		return report, nil
	}
}

// limiter counts requests per address, tenant and user.
type limiter struct {
	l     *limit.Limiter
	rates map[string]limit.Rate
}

func newLimiter(l *limit.Limiter, rates map[string]limit.Rate) *limiter {
	all := DefaultRates()
	for name, r := range rates {
		all[name] = r
	}
	return &limiter{l: l, rates: all}
}

// Allow implements router.Limiter.
func (l *limiter) Allow(_ context.Context, tenant, user, ip string) error {
	var d limit.Decision
	if tenant == "" && user == "" {
		addr, err := netip.ParseAddr(ip)
		if err != nil {
			addr = netip.IPv6Unspecified() // all clients without an address share one limit
		}
		d = l.l.All(limit.Check{Name: "ip", Key: l.l.KeyIP("request", addr), Rate: l.rates["ip"]})
	} else {
		d = l.l.All(
			limit.Check{Name: "tenant", Key: l.l.Key("tenant", tenant), Rate: l.rates["tenant"]},
			limit.Check{Name: "user", Key: l.l.Key("user", tenant, user), Rate: l.rates["user"]},
		)
	}
	if d.Allowed {
		return nil
	}
	return router.RetryLater(fault.New(fault.Limited, "too many requests (limit %q)", d.Name).WithHint("try again in %s", d.RetryAfter.Round(time.Second)), d.RetryAfter)
}
