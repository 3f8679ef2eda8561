package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
)

func TestSettingsOfSourcesGoTogether(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"--openbao-address=https://bao.example:8200", "needs one of"},
		{"--openbao-address=https://bao.example:8200 --openbao-token-file=a --openbao-role-id=b", "needs one of"},
		{"--openbao-address=https://bao.example:8200 --openbao-token-file=a --openbao-secret-id-file=b", "goes with openbao-role-id"},
		{"--openbao-token-file=a", "no address"},
		{"--openbao-address=https://u:p@bao.example --openbao-token-file=a", "openbao-address"},
		{"--openbao-template={tenant}/{name}", "openbao-template"},
		{"--aws-secrets-region=eu-central-1", "aws-secrets-access-key-id"},
		{"--aws-secrets-access-key-id=A", "no region"},
		{"--aws-secrets-template={app}{tenant}/{name}", "aws-secrets-template"},
		{"--secrets-dir-template=../{app}/{tenant}/{name}", "secrets-dir-template"},
		{"--secret-source-shared=NAME", "NAME=https://"},
		{"--secret-source-shared=NAME=https://*.example.com", "secret-source-shared"},
		{"--secret-source-cache=0s", "outside"},
		{"--trace-content", "no endpoint"},
		{"--trace-endpoint=otel:4318", "trace-endpoint"},
		{"--run-concurrency=0", "1 to 64"},
		{"--run-concurrency=65", "1 to 64"},
	} {
		if _, err := load(t, "", nil, strings.Fields(tc.args)...); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.args, err)
		}
	}
	for _, args := range []string{"--openbao-address=https://bao.example:8200 --openbao-token-file=a", "--openbao-address=http://127.0.0.1:8200 --openbao-role-id=b --openbao-secret-id-file=c",
		"--openbao-address=https://bao.example --openbao-kubernetes-role=hayward", "--aws-secrets-region=eu-central-1 --aws-secrets-access-key-id=A --aws-secrets-secret-key-file=f",
		"--secrets-dir=/x --secrets-dir-template={tenant}.{app}/{name} --secret-source-shared=A=https://a.example,A=https://b.example", "--trace-endpoint=http://127.0.0.1:4318 --trace-content",
		"--run-concurrency=64"} {
		if _, err := load(t, "", nil, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if v, err := config.SecretFile("x", ""); err != nil || !v.IsZero() {
		t.Errorf("none: %v", err)
	}
	v, err := config.SecretFile("x", file("good", "canary-0001\r\n", 0o600))
	if err != nil || v.IsZero() || strings.Contains(fmt.Sprintf("%v %+v %#v", v, v, v), "canary") {
		t.Errorf("%v, %v", v, err)
	}
	for name, path := range map[string]string{"not there": filepath.Join(dir, "nothing"), "empty": file("empty", "\n", 0o600), "two lines": file("two", "canary\ncanary\n", 0o600),
		"long": file("long", strings.Repeat("canary", 4000), 0o600), "open to others": file("open", "canary", 0o644)} {
		if _, err := config.SecretFile("the-setting", path); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "the-setting") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrices(t *testing.T) {
	got, err := config.ParsePrices("p.yaml", []byte("gpt-x: {in: 2.5, out: 10, call: 0.001}\n\"\": {in: 0.075}\n"))
	want := pipeline.Prices{"gpt-x": {In: 2500, Out: 10_000, Call: 1_000_000}, "": {In: 75}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := config.ParsePrices("p.json", []byte(`{"gpt-x": {"in": 2.5, "out": 10, "call": 0.001}, "": {"in": 0.075}}`)); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{"m: {inn: 1}": "inn", "m: {in: -1}": "0 to", "m: {in: .nan}": "0 to", "m: {in: .inf}": "0 to", "m: {in: 1e9}": "0 to", "m: {}": "no price",
		"m: 3": "no list of prices", "- m": "no list of prices", "m: {in: x}": "no list of prices", "m: {in: 1}\nm: {in: 2}": "no list of prices", "m: [": "no list of prices"} {
		if _, err := config.ParsePrices("p.yaml", []byte(text)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "p.yaml") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if got, err := config.Default().Prices(); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
}

func FuzzPrices(f *testing.F) {
	f.Add("gpt-x: {in: 2.5, out: 10, call: 0}")
	f.Add(`{"a": {"in": 1e400}}`)
	f.Add("a: &x {in: 1}\nb: *x\n<<: *x")
	f.Fuzz(func(t *testing.T, text string) {
		prices, err := config.ParsePrices("f", []byte(text))
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
		for model, p := range prices {
			if p.In < 0 || p.Out < 0 || p.Call < 0 {
				t.Errorf("%q: %+v", model, p)
			}
		}
	})
}
