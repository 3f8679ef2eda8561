package app

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/rotation"
)

// Settings is what a server is started with. The zero value of a field is its default unless it says otherwise.
type Settings struct {
	DataDir string // required; made if need be
	// Postgres is the database of a server of several processes; nil is SQLite in the data directory. The data directory is
	// each process's own in either case: it holds the heads and checkpoints of its part of the record.
	Postgres *db.PostgresOptions
	Node     string           // names this process among those on the database; default "node-1"
	Root     keyring.Provider // where the root key comes from; required
	// CloseRoot is called when nobody needs Root any more, also if the server could not be opened; nil is nothing to close.
	CloseRoot func() error
	Listen    string // default 127.0.0.1:1416
	Issuer    string // the "iss" of access tokens; default: the URL it listens on
	App       string // slug of the app; default "default"

	CertFile, KeyFile    string
	PlaintextOffLoopback bool
	Hosts                []string // allowed Host headers; default on loopback: localhost, 127.0.0.1, [::1]
	TrustedProxies       []netip.Prefix

	TokenLifetime time.Duration
	// SigningKeyLifetime is how long one key signs access tokens before the next one does; default 30 days.
	SigningKeyLifetime time.Duration
	// CheckpointEvery is the longest an audit entry waits until it is under a signed checkpoint; default 10 s.
	CheckpointEvery time.Duration
	// Sinks get copies of the record.
	Sinks Sinks
	// Rotation changes how secrets are rotated by themselves, after the options of the server's own.
	Rotation []rotation.Option
	// RotationTLS holds the roots for databases whose roles are rotated; nil is the system's. Names are always checked.
	RotationTLS *tls.Config
	RunTimeout  time.Duration
	Grace       time.Duration
	MaxBody     int64
	MaxUpload   int64

	EgressAllow []string                        // "host:port" beyond the public internet
	EnvAllow    map[string][]sealed.Destination // variables that pipelines may have, and where each may go

	Sources     Sources         // of secrets, outside the vault
	Traces      Traces          // of runs
	Prices      pipeline.Prices // of models; nil counts tokens only
	Concurrency int             // components of one run that may run at once; default 1

	// Registry is the table of component types; nil is the built-in one. A program with components of its own adds them here.
	Registry *component.Registry

	Requests map[string]limit.Rate // "ip", "tenant", "user"; missing ones take defaults
	Login    limit.LoginOptions
	// MetricsKey reads GET /metrics and nothing else; the zero key is nobody's.
	MetricsKey auth.MachineKey
	Password   password.Options

	Version string
	Log     *slog.Logger

	metrics *counts // a server's; nil counts nothing
}
