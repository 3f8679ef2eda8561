package config

import (
	"time"

	"github.com/haywardhq/hayward/sealed"
)

// Config is every setting of a server. Its tags are the settings' names, defaults and sentences.
type Config struct {
	DataDir              string `name:"data-dir" help:"Directory of the database. Empty: hayward in the user's data directory."`
	RootKeyFrom          string `name:"root-key-from" default:"auto" help:"Where the root key comes from: variable (HAYWARD_ROOT_KEY), file (root-key-file), or a service that wraps it: aws-kms, gcp-kms or transit. auto is the variable if it is set, else the file."`
	RootKeyFormer        string `name:"root-key-former" help:"Where it came from before, until 'hayward key rotate-root' was run: variable, file, aws-kms, gcp-kms or transit. A service may be followed by its former key, as in aws-kms:alias/old. Empty: from the same place."`
	RootKeyFile          string `name:"root-key-file" help:"File with the root key, mode 0600, outside the data directory. Empty: hayward/root.key in the user's configuration directory."`
	RootKeyWrappedFile   string `name:"root-key-wrapped-file" help:"File with the root key as a service wrapped it, mode 0600, outside the data directory. Empty: hayward/root.key.wrapped in the user's configuration directory."`
	DatabaseURL          string `name:"database-url" help:"PostgreSQL database for several servers at once: postgres://user@host:5432/database?sslmode=verify-full, without a password. Empty: SQLite in the data directory."`
	DatabasePasswordFile string `name:"database-password-file" help:"File with the password of the PostgreSQL database, mode 0600. The variable HAYWARD_DATABASE_PASSWORD wins over it. Empty: none."`
	NodeName             string `name:"node-name" default:"node-1" help:"Name of this server among those on one database: each must have one of its own, and a data directory."`
	App                  string `name:"app" default:"default" help:"App that tenants belong to when a request names none."`

	AWSKMSRegion          string `name:"aws-kms-region" help:"Region of AWS KMS, such as eu-central-1, for root-key-from or root-key-former. Empty: neither is aws-kms."`
	AWSKMSKey             string `name:"aws-kms-key" help:"Key that wraps the root key: id, ARN or alias of a symmetric one. Empty: the one that root-key-former names."`
	AWSKMSCredentialsFile string `name:"aws-kms-credentials-file" help:"File with aws_access_key_id, aws_secret_access_key and maybe aws_session_token, as AWS's tools write it with one part, mode 0600. It is read again when it changes. Empty: neither is aws-kms."`
	AWSKMSEndpoint        string `name:"aws-kms-endpoint" help:"Endpoint to ask. Needs no entry in egress-allow. Empty: the region's own."`

	GCPKMSKey         string `name:"gcp-kms-key" help:"Key of Google Cloud KMS that wraps the root key: projects/P/locations/L/keyRings/R/cryptoKeys/K. Empty: the one that root-key-former names."`
	GCPKMSAccountFile string `name:"gcp-kms-account-file" help:"File with the JSON key of a service account that may use it, mode 0600. Empty: neither is gcp-kms."`
	GCPKMSEndpoint    string `name:"gcp-kms-endpoint" help:"Endpoint to ask. Needs no entry in egress-allow. Empty: Google's own."`
	GCPKMSTokenURL    string `name:"gcp-kms-token-url" help:"Where the service account logs in. Needs no entry in egress-allow. Empty: Google's own."`

	TransitAddress        string `name:"transit-address" help:"OpenBao or Vault server whose transit engine wraps the root key: https://host:8200. Needs no entry in egress-allow. Empty: neither is transit."`
	TransitKey            string `name:"transit-key" help:"Name of the key. Empty: the one that root-key-former names."`
	TransitMount          string `name:"transit-mount" default:"transit" help:"Where the engine is mounted."`
	TransitNamespace      string `name:"transit-namespace" help:"Namespace of the engine. Empty: the root namespace."`
	TransitTokenFile      string `name:"transit-token-file" help:"File with a token to log in with, mode 0600. Empty: another way is set."`
	TransitRoleID         string `name:"transit-role-id" help:"AppRole to log in as. Empty: another way is set."`
	TransitSecretIDFile   string `name:"transit-secret-id-file" help:"File with the AppRole's secret id, mode 0600. Empty: the role asks for none."`
	TransitKubernetesRole string `name:"transit-kubernetes-role" help:"Role to log in as with the pod's service account. Empty: another way is set."`
	TransitCAFile         string `name:"transit-ca-file" help:"PEM file with certificates to trust besides the system's. Empty: none."`

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

	AuditSinkFile           string `name:"audit-sink-file" help:"File that gets a copy of the record as JSON lines. Empty: none."`
	AuditSinkSyslog         string `name:"audit-sink-syslog" help:"Syslog collector that gets a copy of the record: tls://host:port, or tcp://host:port in clear for one on this machine. Needs no entry in egress-allow. Empty: none."`
	AuditSinkWebhook        string `name:"audit-sink-webhook" help:"URL that gets a copy of the record in batches of JSON, signed as Standard Webhooks says. Needs audit-sink-webhook-key-file, and no entry in egress-allow. Empty: none."`
	AuditSinkWebhookKeyFile string `name:"audit-sink-webhook-key-file" help:"File with the key that signs them, mode 0600: whsec_ and base64, or at least 24 bytes as they are. Empty: there is no webhook."`
	AuditSinkOTLP           string `name:"audit-sink-otlp" help:"OpenTelemetry collector that gets a copy of the record as log records: https://host:4318. Needs no entry in egress-allow. Empty: none."`

	RotationCheckInterval  time.Duration `name:"rotation-check-interval" default:"1m" help:"How often the server looks for secrets that are due to be rotated, 1s to 24h."`
	RotationPostgresCAFile string        `name:"rotation-postgres-ca-file" help:"PEM file with certificates to trust, besides the system's, for databases whose roles are rotated: the name of each is always checked, and only one on localhost may be reached without TLS. Empty: none."`

	MaxBodyBytes   Size          `name:"max-body-bytes" default:"16MiB" help:"Largest body of an ordinary request."`
	MaxUploadBytes Size          `name:"max-upload-bytes" default:"256MiB" help:"Largest body of a request with files, all files together."`
	RunTimeout     time.Duration `name:"run-timeout" default:"10m" help:"Longest run of a pipeline."`
	ShutdownGrace  time.Duration `name:"shutdown-grace" default:"30s" help:"How long requests under way may take after a signal to stop."`

	EgressAllow    []string `name:"egress-allow" help:"Private addresses that pipelines may reach, host:port each, no wildcards. Empty: the public internet only."`
	SecretEnvAllow []string `name:"secret-env-allow" help:"Environment variables that pipelines may use as secrets, and the origin each may go to: NAME=https://host. A name may come several times. Empty: none."`

	OpenBaoAddress        string `name:"openbao-address" help:"OpenBao or Vault server whose secrets (KV version 2) are asked after the vault: https://host:8200. Needs no entry in egress-allow. Empty: none."`
	OpenBaoTokenFile      string `name:"openbao-token-file" help:"File with a token to log in with, mode 0600. Empty: another way is set."`
	OpenBaoRoleID         string `name:"openbao-role-id" help:"AppRole to log in as. Empty: another way is set."`
	OpenBaoSecretIDFile   string `name:"openbao-secret-id-file" help:"File with the AppRole's secret id, mode 0600. Empty: the role asks for none."`
	OpenBaoKubernetesRole string `name:"openbao-kubernetes-role" help:"Role to log in as with the pod's service account. Empty: another way is set."`
	OpenBaoNamespace      string `name:"openbao-namespace" help:"Namespace of the secrets. Empty: the root namespace."`
	OpenBaoMount          string `name:"openbao-mount" default:"secret" help:"Where the KV engine is mounted."`
	OpenBaoCAFile         string `name:"openbao-ca-file" help:"PEM file with certificates to trust besides the system's. Empty: none."`
	OpenBaoTemplate       string `name:"openbao-template" default:"{app}/{tenant}/{name}" help:"Path of a tenant's secret below the mount, made of ids; the shared ones' tenant is =2Fshared."`

	AWSSecretsRegion           string `name:"aws-secrets-region" help:"Region of an AWS Secrets Manager that is asked after OpenBao, such as eu-central-1. Empty: none."`
	AWSSecretsAccessKeyID      string `name:"aws-secrets-access-key-id" help:"Id of the access key. Empty: there is no region."`
	AWSSecretsSecretKeyFile    string `name:"aws-secrets-secret-key-file" help:"File with the access key, mode 0600. Empty: there is no region."`
	AWSSecretsSessionTokenFile string `name:"aws-secrets-session-token-file" help:"File with the session token of temporary keys, mode 0600. Empty: the keys are not temporary."`
	AWSSecretsCredentialsFile  string `name:"aws-secrets-credentials-file" help:"File with all keys in place of the three settings before, as aws-kms-credentials-file; it is read again when it changes. Empty: those three."`
	AWSSecretsEndpoint         string `name:"aws-secrets-endpoint" help:"Endpoint to ask. Needs no entry in egress-allow. Empty: the region's own."`
	AWSSecretsTemplate         string `name:"aws-secrets-template" default:"{app}/{tenant}/{name}" help:"Name of a tenant's secret, as openbao-template."`

	SecretsDir         string        `name:"secrets-dir" help:"Directory of mounted secrets, one file each, that is asked after OpenBao and AWS. Empty: none."`
	SecretsDirTemplate string        `name:"secrets-dir-template" default:"{app}/{tenant}/{name}" help:"File of a tenant's secret in it, as openbao-template."`
	SecretSourceShared []string      `name:"secret-source-shared" help:"Secrets that OpenBao, AWS or the directory hold for every tenant, and the origin each may go to, besides what their metadata says: NAME=https://host. A name may come several times. Empty: only what the metadata says."`
	SecretSourceCache  time.Duration `name:"secret-source-cache" default:"1m" help:"How long a secret of OpenBao, AWS or the directory is used without asking again, 1s to 1h."`

	TraceEndpoint  string `name:"trace-endpoint" help:"OpenTelemetry collector that gets the spans of runs: https://host:4318. Needs no entry in egress-allow. Empty: none."`
	TraceTokenFile string `name:"trace-token-file" help:"File with a bearer token for the collector, mode 0600. Empty: none."`
	TraceContent   bool   `name:"trace-content" default:"false" help:"Write inputs and outputs of runs into spans, with the secrets of the run taken out. Whoever reads traces then reads what people asked."`

	MetricsKeyFile string `name:"metrics-key-file" help:"File with a key of at least 24 bytes that reads GET /metrics as a bearer, and nothing else, mode 0600. It is read again when it changes. Empty: only operators' tokens do."`

	PricesFile     string `name:"prices" help:"YAML or JSON file with what models cost, in a currency's units for a million tokens and for a call: {gpt-x: {in: 2.5, out: 10, call: 0}}. The model \"\" is every other. Empty: tokens are counted, money is not."`
	RunConcurrency int    `name:"run-concurrency" default:"1" help:"How many components of one run may run at once, 1 to 64. 1: in Haystack's sequential order."`

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
	NextRootKeyVariable      = "HAYWARD_ROOT_KEY_NEXT" // during a change of the root key, see keyring.EnvRoot
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
