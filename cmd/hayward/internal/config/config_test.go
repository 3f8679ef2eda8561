package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
)

var update = flag.Bool("update", false, "write docs/settings.md")

func load(t *testing.T, file string, environ []string, args ...string) (config.Config, error) {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(fs)
	if file != "" {
		path := filepath.Join(t.TempDir(), "hayward.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, "HAYWARD_CONFIG="+path)
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Load(fs, environ, "HAYWARD_URL")
}

func TestFlagThenVariableThenFileThenDefault(t *testing.T) {
	const file = "listen: 127.0.0.1:1\nrun-timeout: 1m\nlog-level: warn\negress-allow: [a.example:1]\nlogin-failures: 7\n"
	env := []string{"HAYWARD_LISTEN=127.0.0.1:2", "HAYWARD_RUN_TIMEOUT=2m", "HAYWARD_EGRESS_ALLOW= b.example:1 , c.example:1,", "HAYWARD_LOG_LEVEL=", "PATH=/bin"}
	c, err := load(t, file, env, "--listen", "127.0.0.1:3")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Listen, " ", c.RunTimeout, " ", c.LogLevel, " ", c.EgressAllow, " ", c.LoginFailures, " ", c.ShutdownGrace)
	if want := "127.0.0.1:3 2m0s warn [b.example:1 c.example:1] 7 30s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEveryTypeFromEverySource(t *testing.T) {
	check := func(where string, c config.Config, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		got := fmt.Sprintf("%v %v %v %v %v", c.AllowPlaintextOnPublicAddress, c.MaxBodyBytes, c.AccessTokenLifetime, c.TenantPerMinute, c.TrustedProxies)
		if want := "true 32MiB 5m0s 60 [10.0.0.0/8 ::1]"; got != want {
			t.Errorf("%s: got %s, want %s", where, got, want)
		}
	}
	c, err := load(t, "", nil, "--allow-plaintext-on-public-address", "--max-body-bytes=32MiB", "--access-token-lifetime=5m",
		"--tenant-per-minute=60", "--trusted-proxies=10.0.0.0/8", "--trusted-proxies=::1")
	check("flags", c, err)
	c, err = load(t, "", []string{"HAYWARD_ALLOW_PLAINTEXT_ON_PUBLIC_ADDRESS=true", "HAYWARD_MAX_BODY_BYTES=33554432",
		"HAYWARD_ACCESS_TOKEN_LIFETIME=300s", "HAYWARD_TENANT_PER_MINUTE=60", "HAYWARD_TRUSTED_PROXIES=10.0.0.0/8,::1"})
	check("variables", c, err)
	c, err = load(t, "# comment\nallow-plaintext-on-public-address: true\nmax-body-bytes: 32MiB\naccess-token-lifetime: 5m\ntenant-per-minute: 60\n"+
		"trusted-proxies:\n- 10.0.0.0/8\n- ::1\n", nil)
	check("file", c, err)
}

func TestTheRootKeyIsSealedAndNoSetting(t *testing.T) {
	c, err := load(t, "", []string{"HAYWARD_ROOT_KEY=canary-key"})
	if err != nil || string(reveal.Inside(c.RootKey)) != "canary-key" || strings.Contains(fmt.Sprintf("%+v %#v", c, c), "canary") {
		t.Errorf("%v", err)
	}
	for _, s := range config.Settings() {
		if s.Env == config.RootKeyVariable {
			t.Error("the root key has a flag")
		}
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		env, args  []string
		says       string
	}{
		{"unknown key", "listen: 127.0.0.1:1\nlissten: x\n", nil, nil, "hayward.yaml:2: lissten: there is no such setting; did you mean listen?"},
		{"key far from all", "zzzzzzzzzzzz: x\n", nil, nil, "zzzzzzzzzzzz: there is no such setting"},
		{"set twice", "app: a\napp: b\n", nil, nil, "hayward.yaml:2: app: it is set twice"},
		{"no value", "app:\n", nil, nil, "hayward.yaml:1: app: it has no value"},
		{"a mapping", "app: {a: b}\n", nil, nil, "hayward.yaml:1: app: it needs a value or a list"},
		{"a list of lists", "egress-allow: [[a]]\n", nil, nil, "egress-allow: line 1: an item"},
		{"a list for a value", "app: [a, b]\n", nil, nil, "hayward.yaml:1: app: needs one value"},
		{"an alias", "app: &a x\nlisten: *a\n", nil, nil, "listen: it needs a value"},
		{"not a mapping", "- a\n", nil, nil, "hayward.yaml:1: settings are lines of the form"},
		{"not YAML", "a: [\n", nil, nil, "this is not YAML"},
		{"no file", "", []string{"HAYWARD_CONFIG=/nonexistent/x"}, nil, "settings file cannot be read"},
		{"a secret in the file", "root-key: abc\n", nil, nil, "root-key: there is no such setting"},
		{"unknown variable", "", []string{"HAYWARD_LISTN=x"}, nil, "variable HAYWARD_LISTN: there is no such setting; did you mean HAYWARD_LISTEN?"},
		{"a duration", "", nil, []string{"--run-timeout=5"}, `flag --run-timeout: "5" is not a duration (write for example 30s`},
		{"a size", "", []string{"HAYWARD_MAX_BODY_BYTES=1MB"}, nil, `variable HAYWARD_MAX_BODY_BYTES: "1MB" is not a size`},
		{"a huge size", "", nil, []string{"--max-body-bytes=99999999999GiB"}, "is not a size"},
		{"a number", "login-failures: many\n", nil, nil, `hayward.yaml:1: login-failures: "many" is not a number`},
		{"yes or no", "allow-plaintext-on-public-address: yes\n", nil, nil, "write true or false"},
		{"listen", "", nil, []string{"--listen=1416"}, "listen: \"1416\" is not host:port"},
		{"plaintext", "", nil, []string{"--listen=0.0.0.0:1416"}, "0.0.0.0:1416 is not loopback and there is no TLS"},
		{"plaintext everywhere", "", nil, []string{"--listen=:1416"}, "is not loopback"},
		{"plaintext on a name", "", nil, []string{"--listen=hay.example:1416"}, "is not loopback"},
		{"half of TLS", "", nil, []string{"--tls-cert=a.pem"}, "tls-cert and tls-key go together"},
		{"app", "", nil, []string{"--app=My App"}, "app: \"My App\" is not a name"},
		{"key beside the data", "", nil, []string{"--data-dir=d", "--root-key-file=d/../d/x/root.key"}, "must not lie in the data directory"},
		{"database", "", nil, []string{"--database-url=mysql://x@y/z"}, "database-url: the URL of the PostgreSQL database cannot be used"},
		{"database with a password", "", []string{"HAYWARD_DATABASE_URL=postgres://u:canary@h/d"}, nil, "database-url: it holds a password"},
		{"password without database", "", nil, []string{"--database-password-file=x"}, "database-url: a password is given, but no database"},
		{"node", "", nil, []string{"--node-name=a b"}, "node-name: "},
		{"issuer", "", nil, []string{"--issuer=ftp://x"}, "issuer: \"ftp://x\" is not"},
		{"token lifetime", "", nil, []string{"--access-token-lifetime=25h"}, "25h0m0s is outside 1m0s to 24h0m0s"},
		{"signing key lifetime", "", nil, []string{"--signing-key-lifetime=1m"}, "1m0s is outside 1h0m0s to 8760h0m0s"},
		{"checkpoints", "", nil, []string{"--audit-checkpoint-interval=1h"}, "1h0m0s is outside 100ms to 1m0s"},
		{"syslog", "", nil, []string{"--audit-sink-syslog=udp://x:1"}, "audit-sink-syslog: it is neither"},
		{"webhook", "", nil, []string{"--audit-sink-webhook=ftp://x"}, "audit-sink-webhook: "},
		{"otlp", "", nil, []string{"--audit-sink-otlp=x"}, "audit-sink-otlp: "},
		{"rotation check", "", nil, []string{"--rotation-check-interval=25h"}, "25h0m0s is outside 1s to 24h0m0s"},
		{"uploads below bodies", "", nil, []string{"--max-upload-bytes=1MiB"}, "at least max-body-bytes (16MiB)"},
		{"egress wildcard", "", nil, []string{"--egress-allow=*:443"}, "egress-allow: "},
		{"own variable", "", nil, []string{"--secret-env-allow=OPENAI_API_KEY=https://api.openai.com,HAYWARD_ROOT_KEY"}, "HAYWARD_ROOT_KEY belongs to the server"},
		{"database variable", "", nil, []string{"--secret-env-allow=PGPASSWORD"}, "PGPASSWORD belongs to the server"},
		{"cloud variable", "", nil, []string{"--secret-env-allow=aws_secret_access_key"}, "belongs to the server"},
		{"proxy variable", "", nil, []string{"--secret-env-allow=https_proxy"}, "belongs to the server"},
		{"variable without destination", "", nil, []string{"--secret-env-allow=OPENAI_API_KEY"}, "OPENAI_API_KEY names no destination"},
		{"variable to nowhere", "", nil, []string{"--secret-env-allow=OPENAI_API_KEY=ftp://x"}, "neither http nor https"},
		{"variable wildcard", "", nil, []string{"--secret-env-allow=OPENAI_*"}, "no wildcards"},
		{"proxies", "", nil, []string{"--trusted-proxies=10.0.0.0/33"}, "trusted-proxies: "},
		{"hosts", "", nil, []string{"--allowed-hosts=*"}, "allowed-hosts: "},
		{"login rate", "", nil, []string{"--login-failures=0"}, "login-failures: it is 1 to 1000"},
		{"log format", "", nil, []string{"--log-format=xml"}, `"xml" is none of auto, text, json`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.file, tc.env, tc.args...)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "settings are wrong") {
				t.Errorf("got %v, want one problem: %s", err, tc.says)
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	_, err := load(t, "lissten: x\nlogin-failures: many\n", []string{"HAYWARD_NOPE=1"}, "--listen=1416", "--log-level=loud")
	for _, want := range []string{"5 settings are wrong", "lissten", "many", "HAYWARD_NOPE", "1416", "loud"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:1416" || !c.OnLoopback() || c.SecretEnvAllow != nil || c.EgressAllow != nil || c.AllowPlaintextOnPublicAddress || c.RunTimeout != 10*time.Minute {
		t.Errorf("got %+v", c)
	}
	loaded, err := load(t, "# nothing\n", []string{"HAYWARD_URL=known elsewhere"})
	if err != nil || fmt.Sprint(loaded) != fmt.Sprint(c) {
		t.Errorf("got %+v, %v", loaded, err)
	}
	c.TLSCert, c.LoginFailures = "x", 0
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "2 settings") {
		t.Errorf("got %v", err)
	}
}

func TestPublicAddressWithTLSOrConsent(t *testing.T) {
	for _, args := range [][]string{{"--listen=0.0.0.0:443", "--tls-cert=c", "--tls-key=k"}, {"--listen=:80", "--allow-plaintext-on-public-address"},
		{"--listen=[::1]:1"}, {"--listen=localhost:1"}, {"--listen=127.9.9.9:1"}} {
		if _, err := load(t, "", nil, args...); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestPlacesOutsideTheDataDirectory(t *testing.T) {
	t.Setenv("HOME", "/home/x")
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("XDG_CONFIG_HOME", "")
	data, err1 := config.Default().DataPath()
	key, err2 := config.Default().RootKeyPath()
	if err1 != nil || err2 != nil || !filepath.IsAbs(data) || !filepath.IsAbs(key) || strings.HasPrefix(key, data) {
		t.Errorf("%s, %s, %v, %v", data, key, err1, err2)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "1": 1, "1KiB": 1024, "16MiB": 16 << 20, "2 GiB": 2 << 30} {
		if got, err := config.ParseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		} else if back, err := config.ParseSize(got.String()); err != nil || back != got {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	for _, text := range []string{"", "-1", "1.5MiB", "1MB", "MiB", "9223372036854775808", "9007199254740993GiB"} {
		if got, err := config.ParseSize(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestEverySettingHasASentence(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(fs)
	if len(config.Settings()) < 20 {
		t.Fatalf("only %d settings are listed", len(config.Settings()))
	}
	for _, s := range config.Settings() {
		f := fs.Lookup(s.Name)
		if f == nil || !strings.Contains(f.Usage, s.Env) || !strings.HasSuffix(s.Help, ".") || strings.Contains(s.Help, "|") {
			t.Errorf("%+v", s)
		}
		if (s.Type == "text" || s.Type == "list") && s.Default == "" && !strings.Contains(s.Help, "Empty:") && !strings.Contains(s.Help, "Needs tls-cert") {
			t.Errorf("%s does not say what empty means", s.Name)
		}
	}
}

func TestTheSettingsPage(t *testing.T) {
	const page = "../../../../docs/settings.md"
	want := config.Markdown()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("docs/settings.md is not what the settings say (%v); run this test with -update", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("listen: 127.0.0.1:1\negress-allow: [a.example:1]\n")
	f.Add("a: &x [*x]\n? [b]\n: c\n")
	f.Add("--- 1\n--- 2\n")
	f.Add("!!binary x: y\n<<: {app: z}\n")
	f.Fuzz(func(t *testing.T, file string) {
		if _, err := load(t, file, nil); err != nil && !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}
