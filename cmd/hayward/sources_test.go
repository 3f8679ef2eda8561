package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/source/openbao"
)

// What is configured reaches the server, and the secrets among it are sealed on the way.
func TestWhatRunsHaveAroundThem(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := config.Default()
	c.OpenBaoAddress, c.OpenBaoRoleID, c.OpenBaoSecretIDFile = "http://127.0.0.1:8200", "role", file("id", "canary-id")
	c.OpenBaoNamespace, c.OpenBaoTemplate = "team/", "a/{app}/{tenant}/{name}"
	c.AWSSecretsRegion, c.AWSSecretsAccessKeyID, c.AWSSecretsSecretKeyFile, c.AWSSecretsEndpoint = "eu-central-1", "AKIA", file("key", "canary-key"), "http://127.0.0.1:4566"
	c.SecretsDir, c.SecretSourceShared = dir, []string{"A=https://a.example", "A=https://b.example"}
	c.TraceEndpoint, c.TraceTokenFile, c.TraceContent = "http://127.0.0.1:4318", file("token", "canary-token"), true
	c.PricesFile, c.RunConcurrency = file("prices", "m: {in: 1}"), 3
	var s app.Settings
	if err := around(c, &s); err != nil {
		t.Fatal(err)
	}
	role, ok := s.Sources.OpenBao.Auth.(openbao.AppRole)
	if !ok || role.SecretID.IsZero() || s.Sources.OpenBao.Namespace != "team/" || s.Sources.OpenBaoTemplate != c.OpenBaoTemplate || !s.Sources.OpenBao.Egress.Allows("127.0.0.1:8200") {
		t.Errorf("%+v", s.Sources.OpenBao)
	}
	if s.Sources.AWS.SecretAccessKey.IsZero() || s.Sources.AWS.Region != "eu-central-1" || !s.Sources.AWS.Egress.Allows("127.0.0.1:4566") || s.Sources.AWS.Egress.Allows("127.0.0.1:8200") {
		t.Errorf("%+v", s.Sources.AWS)
	}
	if s.Sources.Dir != dir || len(s.Sources.Shared["A"]) != 2 || s.Traces.Token.IsZero() || !s.Traces.Content || s.Prices["m"].In != 1000 || s.Concurrency != 3 {
		t.Errorf("%+v", s)
	}
	if text := fmt.Sprintf("%+v %+v %+v", s, s.Sources.OpenBao, s.Sources.AWS); strings.Contains(text, "canary") {
		t.Errorf("a secret is not sealed: %s", text)
	}
	if err := os.Chmod(c.TraceTokenFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := around(c, &s); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "trace-token-file") {
		t.Errorf("a file that others may read: %v", err)
	}
	if err := around(config.Default(), &s); err != nil || s.Sources.OpenBao != nil || s.Sources.AWS != nil || s.Traces.Endpoint != "" {
		t.Errorf("by default: %+v, %v", s, err)
	}
}

// The certificates of a file are trusted besides the system's, and a file without any is no file of certificates.
func TestRootsForRotatedDatabases(t *testing.T) {
	site := httptest.NewTLSServer(nil)
	defer site.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o644); err != nil { // certificates are public
			t.Fatal(err)
		}
	}
	c := config.Default()
	c.RotationPostgresCAFile = file
	var s app.Settings
	if err := around(c, &s); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "rotation-postgres-ca-file") {
		t.Errorf("no file: %v", err)
	}
	write([]byte("nothing"))
	if err := around(c, &s); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "rotation-postgres-ca-file") {
		t.Errorf("no certificate: %v", err)
	}
	write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw}))
	if err := around(c, &s); err != nil || s.RotationTLS == nil || s.RotationTLS.InsecureSkipVerify {
		t.Fatal(err)
	}
	if _, err := site.Certificate().Verify(x509.VerifyOptions{Roots: s.RotationTLS.RootCAs, DNSName: "127.0.0.1"}); err != nil {
		t.Error(err)
	}
	if err := around(config.Default(), &s); err != nil || s.RotationTLS != nil {
		t.Errorf("by default: %v", err)
	}
}

// The key that reads the metrics comes from a file, and is the file's at each moment.
func TestTheMetricsKeyOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("a-monitors-key-0123456789-abc\n")
	c := config.Default()
	c.MetricsKeyFile = path
	var s app.Settings
	if err := around(c, &s); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.MetricsKey.Is("a-monitors-key-0123456789-abc"); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	write("another-monitors-key-0123456789\n")
	if ok, _ := s.MetricsKey.Is("a-monitors-key-0123456789-abc"); ok {
		t.Error("the former key still counts")
	}
	if ok, err := s.MetricsKey.Is("another-monitors-key-0123456789"); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.MetricsKey.Is("another-monitors-key-0123456789"); ok || err == nil {
		t.Errorf("the file is gone: %v %v", ok, err)
	}
	write("short")
	if err := around(c, &s); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}
