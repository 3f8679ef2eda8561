package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/session"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/docstore/memory/journal"
	"github.com/haywardhq/hayward/server"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/sink"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/key"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/rotation/jwtkeys"
	"github.com/haywardhq/hayward/vault/rotation/postgresrole"
	"github.com/haywardhq/hayward/vault/rotation/webhook"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// App is a server, put together and listening, not yet serving.
type App struct {
	Host     *host.Host
	People   *host.People
	Secrets  *secret.Service
	Flags    *host.Flags
	Settings *host.Settings
	Keys     *host.Keys
	Rotation *rotation.Manager
	Audit    *audit.Service
	Metrics  *host.Metrics
	Auth     *auth.Service
	AppID    string // the app's id
	Router   *router.Router

	registry    *component.Registry
	settings    Settings
	log         *slog.Logger
	vault       *Vault
	checkpoints *audit.Checkpointer
	sources     []source.Source
	tracer      *sdktrace.TracerProvider
	sinks       []*sink.Runner
	server      *server.Server
}

// Reserved are first path segments that no pipeline and no tenant may be called, besides those the router uses: doors
// that are to come keep their names free.
var reserved = []string{"token", "users", "logout", "status", "deploy-yaml", "deploy_files", "undeploy", "healthz", "readyz", ".well-known", "api", "v1", "docs", "openapi.json", "chat", "models", "responses", "files", "mcp", "oauth", "ofrep", "authorize",
	"console", "metrics", "debug", "static", "assets", "system", "default", "shared", "operator", "admin", "login", "device"}

// Open puts a server together and takes its address. Close must be called, also after Serve.
func Open(ctx context.Context, s Settings) (a *App, err error) {
	if s.Log == nil {
		s.Log = slog.Default()
	}
	if s.Listen == "" {
		s.Listen = "127.0.0.1:1416"
	}
	if s.App == "" {
		s.App = "default"
	}
	if s.SigningKeyLifetime <= 0 {
		s.SigningKeyLifetime = 30 * 24 * time.Hour
	}
	if s.Registry == nil {
		s.Registry = components.Registry()
	}
	s.metrics = newCounts()
	v, err := OpenVault(ctx, s)
	if err != nil {
		return nil, err
	}
	a = &App{settings: s, log: s.Log, vault: v, registry: s.Registry}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := v.DB.Migrate(ctx, Schemas()...); err != nil {
		return a, err
	}
	v.warnOfFence(ctx, s)
	if err := a.wire(ctx); err != nil {
		return a, err
	}
	return a, nil
}

// Schemas are the tables of every room.
func Schemas() []db.Schema {
	return append([]db.Schema{sqlite.Schema(), auth.Schema(), journal.Schema()}, host.Schemas()...)
}

// wire makes the services, innermost first.
func (a *App) wire(ctx context.Context) error {
	s, v := a.settings, a.vault
	policy, err := egress.NewPolicy(s.EgressAllow...)
	if err != nil {
		return err
	}
	issuer := s.Issuer
	if issuer == "" {
		issuer = "http://" + s.Listen
	}
	a.Auth, err = auth.Open(ctx, v.DB, auth.Config{
		Recorder: host.Recorder{Log: v.Log},
		Token:    token.Options{Issuer: issuer, Audience: "hayward", Wrapper: wrapper{v.Ring}, Lifetime: s.TokenLifetime},
		Identity: identity.Options{Reserved: reserved},
		Password: s.Password,
		Login:    s.Login,
	})
	if err != nil {
		return err
	}
	app, err := a.Auth.Identity.EnsureApp(ctx, s.App)
	if err != nil {
		return err
	}
	a.AppID = app.ID
	roles := host.RoleBook{Store: a.Auth.Identity}
	gate := host.NewGate(v.Log, roles)
	inTx := func(tx *db.Tx) driver.Tx { return v.Store.In(tx) }
	a.People = &host.People{Gate: gate, Users: a.Auth, InTx: inTx}
	a.Secrets = secret.NewService(v.Store, v.Ring, secret.WithGate(gate), secret.WithMetrics(s.metrics.all()))
	a.Flags = &host.Flags{Gate: gate, Roles: roles, Tenants: a.Auth.Identity,
		Service: flag.NewService(flag.NewEngine(v.Store, flag.WithTenantTags(host.TenantTags(a.Auth.Identity)), flag.WithMetrics(s.metrics.all())), flag.WithGate(gate), flag.WithLogger(a.log))}
	a.Settings = &host.Settings{Gate: gate, Entries: v.Store, Overrides: v.Store,
		Service: config.NewService(v.Store, config.WithGate(gate), config.WithSecrets(a.Secrets), config.WithLogger(a.log), config.WithMetrics(s.metrics.all()))}
	a.Rotation = rotation.NewManager(v.Store, a.Secrets, append([]rotation.Option{rotation.WithGate(gate), rotation.WithAudit(v.Log),
		rotation.WithLogger(a.log), rotation.WithMetrics(s.metrics.all())}, s.Rotation...)...)
	httpClient := egress.New(policy, egress.Options{})
	a.Rotation.RegisterKind("webhook", webhook.New(httpClient))
	a.Rotation.RegisterKind("postgres-role", postgresrole.New(postgresrole.Options{Dial: httpClient.Dial, TLS: s.RotationTLS, LoopbackPlaintext: true}))
	a.Rotation.RegisterKind("jwt-keys", jwtkeys.New())
	a.Audit = audit.NewService(v.Store, gate, audit.WithOpener(v.Blinder))
	if a.sinks, err = s.Sinks.runners(v.Log, a.log); err != nil {
		return err
	}
	a.measureSinks(s.metrics.reg)
	if a.checkpoints, err = v.Checkpointer(s.CheckpointEvery, a.publish, a.log); err != nil {
		return err
	}
	a.Keys = &host.Keys{Gate: gate, Tenants: a.Auth.Identity, Ring: v.Ring, Secrets: a.Secrets,
		Service: key.NewService(v.Store, v.Ring, key.WithGate(gate), key.WithCheckpoint(func(ctx context.Context) (string, error) {
			cp, _, err := a.checkpoints.Checkpoint(ctx)
			return cp.Text, err
		}))}
	v.Ring.OnRewrap("signing keys of access tokens", a.rewrapSigningKeys)
	var environment pipeline.Resolver
	if len(s.EnvAllow) > 0 {
		environment = pipeline.Environment(os.LookupEnv, pipeline.Trust{Allow: s.EnvAllow})
	}
	sources, err := a.openSources()
	if err != nil {
		return err
	}
	tracing, err := a.openTraces()
	if err != nil {
		return err
	}
	a.Metrics = &host.Metrics{Gate: gate, Roles: roles, Registry: s.metrics.reg}
	a.Host = host.New(host.Config{
		DB: v.DB, Gate: gate, Roles: roles, Vault: a.Secrets, Registry: a.registry,
		HTTP:   httpClient,
		Stores: memory.NewManager(journal.New(v.DB), memory.Options{}),
		InTx:   inTx,

		Sources: sources, Tracing: tracing, Prices: s.Prices, Concurrency: s.Concurrency,
		Environment: environment, Flags: a.Flags.Service, Sessions: session.New(v.DB, session.Limits{}), Reserved: reserved, Log: a.log, RunTimeout: s.RunTimeout,
	})
	return a.open(ctx, gate)
}

// open mounts the doors and takes the address.
func (a *App) open(ctx context.Context, gate audit.Gate) error {
	s := a.settings
	hosts := s.Hosts
	if len(hosts) == 0 && server.IsLoopback(s.Listen) {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
		if name, _, err := net.SplitHostPort(s.Listen); err == nil && !slices.Contains(hosts, name) {
			hosts = append(hosts, name) // 127.0.0.2, say
		}
	}
	a.mount(gate, hosts)
	var err error
	a.server, err = server.Listen(ctx, server.Options{Address: s.Listen, Handler: a.Router, Log: a.log, CertFile: s.CertFile, KeyFile: s.KeyFile,
		PlaintextOffLoopback: s.PlaintextOffLoopback, Grace: s.Grace})
	return err
}

// URL returns where the server listens.
func (a *App) URL() string { return a.server.URL() }

// Serve serves until ctx ends, and does the housekeeping meanwhile.
func (a *App) Serve(ctx context.Context) error {
	background, stop := context.WithCancel(ctx)
	defer stop()
	if err := a.Rotation.Start(background); err != nil {
		return err
	}
	var under sync.WaitGroup
	under.Go(func() { a.sweep(background) })
	under.Go(func() { a.checkpoints.Run(background) })
	under.Go(func() { a.finishKeys(background) })
	under.Go(func() { a.copyRecord(background) })
	behind := func(err error) { a.log.Warn("what another process changed could not be read yet", "error", err) }
	under.Go(func() { a.Auth.Identity.Follow(background, behind) })
	under.Go(func() { a.Auth.Tokens.Follow(background, behind) })
	err := a.server.Serve(ctx)
	stop()
	under.Wait()
	return errors.Join(err, a.Rotation.Stop(context.WithoutCancel(ctx)))
}

func (a *App) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for minute := 0; ; minute++ {
		if minute%60 == 0 {
			if err := a.destroyDeleted(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("deleted secrets could not be destroyed yet", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, err := a.Auth.Tokens.RotateAfter(ctx, a.settings.SigningKeyLifetime)
			if err = errors.Join(err, a.Auth.Sweep(ctx)); err != nil && ctx.Err() == nil {
				a.log.Warn("housekeeping failed", "error", err)
			}
		}
	}
}

// Close closes the database and gives the data directory back.
func (a *App) Close() error {
	if a.Flags != nil {
		a.Flags.Engine().Close()
	}
	if a.Settings != nil {
		a.Settings.Close()
	}
	if a.Host != nil {
		a.Host.Close()
	}
	a.closeTraces()
	return errors.Join(a.closeSources(), a.vault.Close())
}

// Verify checks every audit chain against the heads kept outside the database.
func (a *App) Verify(ctx context.Context) (Report, error) { return a.vault.Verify(ctx) }

// Origin says where the root key is, for people, and whether it was made just now.
func (a *App) Origin() (string, bool) { return a.vault.Ring.Origin() }

// wrapper encrypts token signing keys under the root key.
type wrapper struct{ ring *keyring.Ring }

func (w wrapper) Wrap(_ context.Context, plaintext []byte, aad string) ([]byte, error) {
	return w.ring.Wrap(signingKeyPurpose+aad, plaintext)
}

func (w wrapper) Unwrap(_ context.Context, ciphertext []byte, aad string) ([]byte, error) {
	return w.ring.Unwrap(signingKeyPurpose+aad, ciphertext)
}

// rewrapSigningKeys moves signing keys of an early version's data out from under the root key that changes.
func (a *App) rewrapSigningKeys(ctx context.Context, again func(purpose string, wrapped []byte) ([]byte, bool, error)) error {
	return a.Auth.Tokens.Rewrap(ctx, func(wrapped []byte, aad string) ([]byte, bool, error) { return again(signingKeyPurpose+aad, wrapped) })
}

// finishKeys goes on with a change of the root key and with destructions that were interrupted.
func (a *App) finishKeys(ctx context.Context) {
	_, err := a.vault.Ring.Resume(ctx)
	if err = errors.Join(err, a.vault.Ring.ResumeShreds(ctx)); err != nil && ctx.Err() == nil {
		a.log.Error("an interrupted change of keys could not be finished", "error", err)
	}
}

const signingKeyPurpose = "hayward/signing-key/1 "

// DefaultRates are the request limits.
func DefaultRates() map[string]limit.Rate {
	return map[string]limit.Rate{
		"ip":     {Quota: 60000, Window: time.Minute},
		"tenant": {Quota: 120000, Window: time.Minute},
		"user":   {Quota: 60000, Window: time.Minute},
	}
}

// DataFile is a file in the data directory.
func DataFile(dir, name string) string { return filepath.Join(dir, name) }
