package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/rotation"
)

func (c *cli) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Start the server", Args: cobra.NoArgs,
		Long: "Starts the server. Every setting is a flag, a HAYWARD_ variable and a line of one YAML file, in that order of precedence.\n" +
			"On its first start it makes its data directory and its root key; it creates no users: see 'hayward operator create'.",
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(cmd.Flags(), os.Environ(), serverVariable, tokenVariable)
			if err != nil {
				return err
			}
			return c.serve(cmd.Context(), conf)
		})}
	config.AddFlags(cmd.Flags())
	return cmd
}

func (c *cli) serve(ctx context.Context, conf config.Config) error {
	log := newLog(c.err, conf.LogFormat, conf.LogLevel)
	s, err := settings(conf, log)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, s)
	if err != nil {
		return err
	}
	if err := c.welcome(ctx, a); err != nil {
		_ = a.Close()
		return err
	}
	err = a.Serve(ctx)
	if cerr := a.Close(); err == nil {
		err = cerr
	}
	log.Info("stopped")
	return err
}

// welcome says where things are, and "ready" once the address is taken.
func (c *cli) welcome(ctx context.Context, a *app.App) error {
	where, created := a.Origin()
	if created {
		c.rootKeyMade(where)
	}
	users, err := a.HasUsers(ctx)
	if err != nil {
		return err
	}
	if !users {
		fmt.Fprintln(c.err, "nobody can log in yet: stop the server and run 'hayward operator create NAME' with the same settings")
	}
	return c.print(map[string]string{"status": "ready", "url": a.URL()}, func(w io.Writer) error {
		return say(w, "ready %s", a.URL())
	})
}

func (c *cli) rootKeyMade(where string) {
	fmt.Fprintf(c.err, "a root key was made: %s. Back it up apart from the data: without it no secret can be opened again.\n", tui.Clean(where))
}

// settings turns what was configured into what the server is started with.
func settings(c config.Config, log *slog.Logger) (app.Settings, error) {
	dir, err := c.DataPath()
	if err != nil {
		return app.Settings{}, err
	}
	database, err := c.OpenDatabase()
	if err != nil {
		return app.Settings{}, err
	}
	s := app.Settings{
		Log: log, Postgres: database, Node: c.NodeName,
		DataDir: dir, Listen: c.Listen, Issuer: c.Issuer, App: c.App,
		CertFile: c.TLSCert, KeyFile: c.TLSKey, PlaintextOffLoopback: c.AllowPlaintextOnPublicAddress, Hosts: c.AllowedHosts,
		TokenLifetime: c.AccessTokenLifetime, RunTimeout: c.RunTimeout, Grace: c.ShutdownGrace,
		SigningKeyLifetime: c.SigningKeyLifetime, CheckpointEvery: c.AuditCheckpointInterval,
		Sinks: app.Sinks{File: c.AuditSinkFile, Syslog: c.AuditSinkSyslog, Webhook: c.AuditSinkWebhook, OTLP: c.AuditSinkOTLP}, Rotation: []rotation.Option{rotation.WithCheckInterval(c.RotationCheckInterval)},
		MaxBody: int64(c.MaxBodyBytes), MaxUpload: int64(c.MaxUploadBytes), EgressAllow: c.EgressAllow, Version: version,
		Requests: map[string]limit.Rate{"ip": rate(c.IPPerMinute, c.IPBurst), "tenant": rate(c.TenantPerMinute, c.TenantBurst)},
		Login: limit.LoginOptions{PerUserIP: limit.Rate{Quota: c.LoginFailures, Window: loginWindow},
			PerIP: limit.Rate{Quota: c.LoginFailuresPerAddress, Window: loginWindow}},
	}
	if s.TrustedProxies, err = prefixes(c.TrustedProxies); err != nil {
		return s, err
	}
	if s.EnvAllow, err = namesAndOrigins("secret-env-allow", c.SecretEnvAllow); err != nil {
		return s, err
	}
	if s.Sinks.WebhookKey, err = config.SecretFile("audit-sink-webhook-key-file", c.AuditSinkWebhookKeyFile); err != nil {
		return s, err
	}
	if err := around(c, &s); err != nil {
		return s, err
	}
	return s, setRootKey(c, &s)
}

// loginWindow is the time in which wrong passwords are counted.
const loginWindow = 15 * time.Minute

// unlimited is a rate that nobody reaches.
const unlimited = 1 << 30

// rate makes "so many per minute, and so many at once" a quota that comes back over a window. Zero is no limit.
func rate(perMinute, burst int) limit.Rate {
	if perMinute <= 0 {
		return limit.Rate{Quota: unlimited, Window: time.Minute}
	}
	return limit.Rate{Quota: burst, Window: time.Duration(burst) * time.Minute / time.Duration(perMinute)}
}

func prefixes(texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if a, aerr := netip.ParseAddr(text); aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "%q is neither an address nor a network such as 10.0.0.0/8", text).At(fault.Where{Field: "trusted-proxies"})
		}
		out[i] = p
	}
	return out, nil
}

// namesAndOrigins reads which secrets pipelines may have of the operator's, and where each may go: NAME=https://api.example.com. A
// name may come several times.
func namesAndOrigins(setting string, items []string) (map[string][]sealed.Destination, error) {
	out := map[string][]sealed.Destination{}
	for _, item := range items {
		name, origin, ok := strings.Cut(item, "=")
		if !ok {
			return nil, fault.New(fault.Invalid, "%s: %s names no destination", setting, name).At(fault.Where{Field: setting}).
				WithHint("write %s=https://api.example.com: the origin that may receive it", name)
		}
		dest, err := sealed.ParseDestination(origin)
		if err != nil {
			return nil, err
		}
		out[name] = append(out[name], dest)
	}
	return out, nil
}

// mustBeData refuses a directory without a database: opening it would make one.
func mustBeData(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, app.DatabaseFile)); err != nil {
		return fault.Wrap(fault.NotFound, err, "%s is not a data directory", dir).WithHint("name one with --data-dir")
	}
	return nil
}
