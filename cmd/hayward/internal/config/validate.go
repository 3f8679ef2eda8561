package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Validate reports everything that is wrong with c, as one Invalid fault.
func (c Config) Validate() error {
	if found := c.problems(); len(found) > 0 {
		return report(found)
	}
	return nil
}

// rules are what must hold. Each returns what is wrong, or nothing.
var rules = []struct {
	name  string
	check func(Config) string
}{
	{"listen", func(c Config) string { return notHostPort(c.Listen) }},
	{"tls-cert", func(c Config) string {
		return unless((c.TLSCert == "") == (c.TLSKey == ""), "tls-cert and tls-key go together")
	}},
	{"allow-plaintext-on-public-address", func(c Config) string {
		return unless(c.TLSCert != "" || c.AllowPlaintextOnPublicAddress || c.OnLoopback() || notHostPort(c.Listen) != "", "%s is not loopback and there is no TLS: "+
			"set tls-cert and tls-key, listen on 127.0.0.1, or allow plaintext with this setting", c.Listen)
	}},
	{"app", func(c Config) string {
		return unless(slug.MatchString(c.App), "%q is not a name of small letters, digits and hyphens", c.App)
	}},
	{"root-key-from", Config.badRootKey},
	{"root-key-former", Config.badFormer},
	{"root-key-file", func(c Config) string { return c.notOutside(c.RootKeyFile) }},
	{"root-key-wrapped-file", func(c Config) string { return c.notOutside(c.RootKeyWrappedFile) }},
	{"aws-kms-region", Config.badAWSKMS},
	{"gcp-kms-key", Config.badGCPKMS},
	{"transit-address", Config.badTransit},
	{"database-url", func(c Config) string { _, err := c.Database(); return textOf(err) }},
	{"node-name", func(c Config) string {
		return unless(nodeName.MatchString(c.NodeName), "%q is not a name of 1 to 64 letters, digits, dots and hyphens", c.NodeName)
	}},
	{"issuer", func(c Config) string {
		return unless(c.Issuer == "" || isOrigin(c.Issuer), "%q is not an http or https URL without query", c.Issuer)
	}},
	{"access-token-lifetime", func(c Config) string { return outside(c.AccessTokenLifetime, time.Minute, 24*time.Hour) }},
	{"signing-key-lifetime", func(c Config) string { return outside(c.SigningKeyLifetime, time.Hour, 8760*time.Hour) }},
	{"audit-checkpoint-interval", func(c Config) string { return outside(c.AuditCheckpointInterval, 100*time.Millisecond, time.Minute) }},
	{"audit-sink-syslog", func(c Config) string {
		scheme, addr, _ := strings.Cut(c.AuditSinkSyslog, "://")
		return unless(c.AuditSinkSyslog == "" || (scheme == "tls" || scheme == "tcp") && notHostPort(addr) == "", "it is neither tls://host:port nor tcp://host:port")
	}},
	{"audit-sink-webhook", func(c Config) string {
		if c.AuditSinkWebhook != "" && !isOrigin(c.AuditSinkWebhook) {
			return fmt.Sprintf("%q is not an http or https URL without query", c.AuditSinkWebhook)
		}
		return unless((c.AuditSinkWebhook == "") == (c.AuditSinkWebhookKeyFile == ""), "it goes together with audit-sink-webhook-key-file: what is sent is signed")
	}},
	{"audit-sink-otlp", func(c Config) string {
		return unless(c.AuditSinkOTLP == "" || isOrigin(c.AuditSinkOTLP), "%q is not an http or https URL without query", c.AuditSinkOTLP)
	}},
	{"rotation-check-interval", func(c Config) string { return outside(c.RotationCheckInterval, time.Second, 24*time.Hour) }},
	{"run-timeout", func(c Config) string { return outside(c.RunTimeout, time.Second, 24*time.Hour) }},
	{"shutdown-grace", func(c Config) string { return outside(c.ShutdownGrace, 0, time.Hour) }},
	{"max-body-bytes", func(c Config) string { return unless(c.MaxBodyBytes >= 1<<10, "it is at least 1KiB") }},
	{"max-upload-bytes", func(c Config) string {
		return unless(c.MaxUploadBytes >= c.MaxBodyBytes, "it is at least max-body-bytes (%s)", c.MaxBodyBytes)
	}},
	{"egress-allow", func(c Config) string { _, err := egress.NewPolicy(c.EgressAllow...); return textOf(err) }},
	{"secret-env-allow", func(c Config) string { return firstOf(c.SecretEnvAllow, notNameAndOrigin) }},
	{"openbao-address", Config.badOpenBao},
	{"openbao-template", func(c Config) string { return badTemplate(c.OpenBaoTemplate) }},
	{"aws-secrets-region", Config.badAWS},
	{"aws-secrets-template", func(c Config) string { return badTemplate(c.AWSSecretsTemplate) }},
	{"secrets-dir-template", func(c Config) string { return badTemplate(c.SecretsDirTemplate) }},
	{"secret-source-shared", func(c Config) string { return firstOf(c.SecretSourceShared, notSecretAndOrigin) }},
	{"secret-source-cache", func(c Config) string { return outside(c.SecretSourceCache, time.Second, time.Hour) }},
	{"trace-endpoint", Config.badTracing},
	{"run-concurrency", func(c Config) string {
		return unless(c.RunConcurrency >= 1 && c.RunConcurrency <= 64, "it is 1 to 64")
	}},
	{"trusted-proxies", func(c Config) string { return firstOf(c.TrustedProxies, notNetwork) }},
	{"allowed-hosts", func(c Config) string { return firstOf(c.AllowedHosts, notHost) }},
	{"login-failures", func(c Config) string {
		return unless(c.LoginFailures >= 1 && c.LoginFailures <= 1000, "it is 1 to 1000: guessing passwords must cost time")
	}},
	{"login-failures-per-address", func(c Config) string {
		return unless(c.LoginFailuresPerAddress >= c.LoginFailures && c.LoginFailuresPerAddress <= 100_000, "it is login-failures to 100000")
	}},
	{"ip-per-minute", func(c Config) string { return unless(c.IPPerMinute >= 0, "it is not negative") }},
	{"ip-burst", func(c Config) string { return unless(c.IPBurst >= 1, "it is at least 1") }},
	{"tenant-per-minute", func(c Config) string { return unless(c.TenantPerMinute >= 0, "it is not negative") }},
	{"tenant-burst", func(c Config) string { return unless(c.TenantBurst >= 1, "it is at least 1") }},
	{"log-format", func(c Config) string { return notOneOf(c.LogFormat, "auto", "text", "json") }},
	{"log-level", func(c Config) string { return notOneOf(c.LogLevel, "debug", "info", "warn", "error") }},
}

func (c Config) problems() (out []string) {
	for _, r := range rules {
		if wrong := r.check(c); wrong != "" {
			out = append(out, r.name+": "+wrong)
		}
	}
	return out
}

var (
	slug     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$`)
	envName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func unless(holds bool, format string, args ...any) string {
	if holds {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func firstOf(items []string, check func(string) string) string {
	for _, item := range items {
		if wrong := check(item); wrong != "" {
			return wrong
		}
	}
	return ""
}

func outside(d, least, most time.Duration) string {
	return unless(d >= least && d <= most, "%s is outside %s to %s", d, least, most)
}

func notOneOf(s string, allowed ...string) string {
	return unless(slices.Contains(allowed, s), "%q is none of %s", s, strings.Join(allowed, ", "))
}

func notHostPort(s string) string {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	return unless(err == nil, "%q is not host:port", s)
}

// OnLoopback reports whether the address to listen on is of this machine alone.
func (c Config) OnLoopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	addr, notIP := netip.ParseAddr(host)
	return err == nil && (strings.EqualFold(host, "localhost") || notIP == nil && addr.Unmap().IsLoopback())
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func notNetwork(s string) string {
	_, notAddr := netip.ParseAddr(s)
	_, notPrefix := netip.ParsePrefix(s)
	return unless(notAddr == nil || notPrefix == nil, "%q is neither an address nor a network such as 10.0.0.0/8", s)
}

func notHost(s string) string {
	return unless(s != "" && !strings.ContainsAny(s, "/@?#* \t"), "%q is not a host name", s)
}

// notNameAndOrigin checks NAME=https://host: what is in the environment belongs to the operator, who says where it may go.
func notNameAndOrigin(item string) string {
	name, origin, ok := strings.Cut(item, "=")
	if wrong := notForTenants(name); wrong != "" {
		return wrong
	}
	if !ok {
		return fmt.Sprintf("%s names no destination: write %s=https://api.example.com, the origin that may receive it", name, name)
	}
	_, err := sealed.ParseDestination(origin)
	return textOf(err)
}

// notForTenants refuses the names that the server itself, its drivers and its libraries use: a tenant that could name
// one would read the operator's own credentials.
func notForTenants(name string) string {
	if !envName.MatchString(name) {
		return fmt.Sprintf("%q is not the name of a variable; there are no wildcards", name)
	}
	upper := strings.ToUpper(name)
	for _, prefix := range []string{"HAYWARD_", "PG", "AWS_", "GOOGLE_"} {
		if strings.HasPrefix(upper, prefix) {
			return name + " belongs to the server and never reaches a tenant"
		}
	}
	return unless(!strings.HasSuffix(upper, "_PROXY"), "%s belongs to the server and never reaches a tenant", name)
}

func inside(file, dir string) bool {
	absFile, err1 := filepath.Abs(file)
	absDir, err2 := filepath.Abs(dir)
	rel, err := filepath.Rel(absDir, absFile)
	return err1 == nil && err2 == nil && err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// DataPath returns the data directory: the setting, or hayward in XDG_DATA_HOME or ~/.local/share.
func (c Config) DataPath() (string, error) {
	if c.DataDir != "" {
		return filepath.Abs(c.DataDir)
	}
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "hayward"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "there is no home directory to keep data in").WithHint("set data-dir")
	}
	return filepath.Join(home, ".local", "share", "hayward"), nil
}
