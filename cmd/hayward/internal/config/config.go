package config

import (
	"time"

	"github.com/haywardhq/hayward/sealed"
)

// Config is every setting of a server. Its tags are the settings' names, defaults and sentences.
type Config struct {
	DataDir              string `name:"data-dir" help:"Directory of the database. Empty: hayward in the user's data directory."`
	RootKeyFile          string `name:"root-key-file" help:"File with the root key, mode 0600, outside the data directory. Empty: hayward/root.key in the user's configuration directory. The variable HAYWARD_ROOT_KEY wins over it."`
	DatabaseURL          string `name:"database-url" help:"PostgreSQL database for several servers at once: postgres://user@host:5432/database?sslmode=verify-full, without a password. Empty: SQLite in the data directory."`
	DatabasePasswordFile string `name:"database-password-file" help:"File with the password of the PostgreSQL database, mode 0600. The variable HAYWARD_DATABASE_PASSWORD wins over it. Empty: none."`
	NodeName             string `name:"node-name" default:"node-1" help:"Name of this server among those on one database: each must have one of its own, and a data directory."`
	App                  string `name:"app" default:"default" help:"App that tenants belong to when a request names none."`

	Listen                        string   `name:"listen" default:"127.0.0.1:1416" help:"Address to listen on, host:port."`
	TLSCert                       string   `name:"tls-cert" help:"PEM file with the certificate chain. Empty: no TLS. Needs tls-key."`
	TLSKey                        string   `name:"tls-key" help:"PEM file with the certificate's private key. Needs tls-cert."`
	AllowPlaintextOnPublicAddress bool     `name:"allow-plaintext-on-public-address" default:"false" help:"Serve without TLS on an address that other machines reach. Passwords and keys then cross the network readable, unless a proxy in front ends TLS."`
	AllowedHosts                  []string `name:"allowed-hosts" help:"Host names that requests may ask for. Empty: on loopback the loopback names, elsewhere all."`
	TrustedProxies                []string `name:"trusted-proxies" help:"Addresses or networks of proxies whose X-Forwarded-For is believed. Empty: none."`

	Issuer              string        `name:"issuer" help:"URL that tokens name as their issuer. Empty: made from the address to listen on."`
	AccessTokenLifetime time.Duration `name:"access-token-lifetime" default:"30m" help:"How long an access token is good for, 1m to 24h."`

	SigningKeyLifetime time.Duration `name:"signing-key-lifetime" default:"720h" help:"How long one key signs access tokens before the next one does, 1h to 8760h."`

	AuditCheckpointInterval time.Duration `name:"audit-checkpoint-interval" default:"10s" help:"The longest an audit entry waits until it is under a signed checkpoint, 100ms to 1m."`

	AuditSinkFile    string `name:"audit-sink-file" help:"File that gets a copy of the record as JSON lines. Empty: none."`
	AuditSinkSyslog  string `name:"audit-sink-syslog" help:"Syslog collector that gets a copy of the record: tls://host:port, or tcp://host:port in clear for one on this machine. Empty: none."`
	AuditSinkWebhook string `name:"audit-sink-webhook" help:"URL that gets a copy of the record in batches of JSON. Empty: none."`
	AuditSinkOTLP    string `name:"audit-sink-otlp" help:"OpenTelemetry collector that gets a copy of the record as log records: https://host:4318. Empty: none."`

	RotationCheckInterval time.Duration `name:"rotation-check-interval" default:"1m" help:"How often the server looks for secrets that are due to be rotated, 1s to 24h."`

	MaxBodyBytes   Size          `name:"max-body-bytes" default:"16MiB" help:"Largest body of an ordinary request."`
	MaxUploadBytes Size          `name:"max-upload-bytes" default:"256MiB" help:"Largest body of a request with files, all files together."`
	RunTimeout     time.Duration `name:"run-timeout" default:"10m" help:"Longest run of a pipeline."`
	ShutdownGrace  time.Duration `name:"shutdown-grace" default:"30s" help:"How long requests under way may take after a signal to stop."`

	EgressAllow    []string `name:"egress-allow" help:"Private addresses that pipelines may reach, host:port each, no wildcards. Empty: the public internet only."`
	SecretEnvAllow []string `name:"secret-env-allow" help:"Environment variables that pipelines may use as secrets, and the origin each may go to: NAME=https://host. A name may come several times. Empty: none."`

	LoginFailures           int `name:"login-failures" default:"5" help:"Wrong passwords in 15 minutes for one user name from one address, before it must wait."`
	LoginFailuresPerAddress int `name:"login-failures-per-address" default:"50" help:"Wrong passwords in 15 minutes for all user names from one address, before it must wait."`
	IPPerMinute             int `name:"ip-per-minute" default:"600" help:"Requests per minute from one address without an identity. 0: no limit."`
	IPBurst                 int `name:"ip-burst" default:"200" help:"Such requests that may come at once before that rate holds."`
	TenantPerMinute         int `name:"tenant-per-minute" default:"0" help:"Requests per minute of one tenant. 0: no limit."`
	TenantBurst             int `name:"tenant-burst" default:"200" help:"Such requests that may come at once before that rate holds."`

	LogFormat string `name:"log-format" default:"auto" help:"text, json, or auto: text on a terminal, json elsewhere."`
	LogLevel  string `name:"log-level" default:"info" help:"debug, info, warn or error."`

	// RootKey is the variable HAYWARD_ROOT_KEY, or zero. It has no flag and no line in the file: both are read by others.
	RootKey sealed.Value
	// DatabasePassword is the variable HAYWARD_DATABASE_PASSWORD, or zero; likewise.
	DatabasePassword sealed.Value
}

// The variables that hold a secret.
const (
	RootKeyVariable          = "HAYWARD_ROOT_KEY"
	DatabasePasswordVariable = "HAYWARD_DATABASE_PASSWORD"
)

// FileFlag and FileVariable name the YAML file.
const (
	FileFlag     = "config"
	FileVariable = "HAYWARD_CONFIG"
)

// Default returns every setting at its default.
func Default() Config {
	var c Config
	for _, s := range bind(&c) {
		if err := s.set(s.defaults()); err != nil {
			panic("config: bad default of " + s.Name + ": " + err.Error())
		}
	}
	return c
}
