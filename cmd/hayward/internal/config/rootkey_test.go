package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// What is said about the root key fits together, or the server does not start.
func TestWhereTheRootKeyComesFrom(t *testing.T) {
	set := func(pairs ...string) func(*config.Config) {
		return func(c *config.Config) {
			fields := map[string]*string{"from": &c.RootKeyFrom, "former": &c.RootKeyFormer, "wrapped": &c.RootKeyWrappedFile, "data": &c.DataDir,
				"aws-region": &c.AWSKMSRegion, "aws-key": &c.AWSKMSKey, "aws-file": &c.AWSKMSCredentialsFile,
				"gcp-key": &c.GCPKMSKey, "gcp-file": &c.GCPKMSAccountFile, "bao": &c.TransitAddress, "bao-key": &c.TransitKey, "bao-token": &c.TransitTokenFile, "bao-role": &c.TransitRoleID,
				"bao-id": &c.TransitSecretIDFile}
			for i := 0; i < len(pairs); i += 2 {
				*fields[pairs[i]] = pairs[i+1]
			}
		}
	}
	aws := []string{"aws-region", "eu-central-1", "aws-key", "alias/new", "aws-file", "f"}
	bao := []string{"bao", "https://bao:8200", "bao-key", "k", "bao-token", "f"}
	for _, tc := range []struct {
		says  string // "" is fine
		pairs []string
	}{
		{"", nil}, {"", []string{"from", "file"}}, {"", []string{"from", "variable"}}, {"", append([]string{"from", "aws-kms"}, aws...)},
		{"", append([]string{"from", "aws-kms", "former", "file"}, aws...)}, {"", append([]string{"from", "aws-kms", "former", "aws-kms:alias/old"}, aws...)},
		{"", append([]string{"from", "file", "former", "aws-kms"}, aws...)}, {"", append([]string{"from", "transit", "former", "variable"}, bao...)},
		{"", append(append([]string{"from", "transit", "former", "aws-kms"}, bao...), aws...)}, {"", []string{"from", "gcp-kms", "gcp-key", "k", "gcp-file", "f"}},
		{"", []string{"from", "file", "former", "aws-kms:alias/old", "aws-region", "eu-central-1", "aws-file", "f"}},
		{"root-key-from", []string{"from", "vault"}}, {"aws-kms-key", []string{"from", "aws-kms", "aws-region", "eu-central-1", "aws-file", "f"}},
		{"aws-kms-region", []string{"from", "aws-kms", "aws-key", "k"}}, {"aws-kms-region", aws}, {"gcp-kms-key", []string{"gcp-key", "k"}},
		{"gcp-kms-account-file", []string{"from", "gcp-kms", "gcp-key", "k"}}, {"transit-address", bao}, {"transit-address", []string{"from", "transit", "bao-key", "k"}},
		{"one of transit-token-file", []string{"from", "transit", "bao", "https://bao", "bao-key", "k"}},
		{"one of transit-token-file", append([]string{"from", "transit", "bao-role", "r"}, bao...)},
		{"transit-secret-id-file goes with", append([]string{"from", "transit", "bao-id", "f"}, bao...)},
		{"root-key-former", []string{"from", "file", "former", "nowhere"}}, {"root-key-former", []string{"former", "file"}},
		{"root-key-former", []string{"from", "file", "former", "file"}}, {"root-key-former", []string{"from", "variable", "former", "file:x"}},
		{"root-key-former", append([]string{"from", "aws-kms", "former", "aws-kms"}, aws...)}, {"root-key-former", append([]string{"from", "aws-kms", "former", "aws-kms:alias/new"}, aws...)},
		{"root-key-former", append([]string{"from", "aws-kms", "former", "aws-kms:"}, aws...)},
		{"root-key-former", []string{"from", "file", "former", "aws-kms", "aws-region", "eu-central-1", "aws-file", "f"}},
		{"root-key-wrapped-file", []string{"data", "/data", "wrapped", "/data/x"}},
	} {
		c := config.Default()
		set(tc.pairs...)(&c)
		err := c.Validate()
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%q: %v", tc.pairs, err)
		}
	}
}

func text(v sealed.Value) string { return string(reveal.Inside(v)) }

// The keys of a file that is replaced, changed, or gone are those of the moment.
func TestAWSKeysAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("[default]\n# ours\naws_access_key_id = AKIA1\nAWS_SECRET_ACCESS_KEY=canary=1/+\n\n")
	k, err := config.OpenAWSKeys("the-setting", path)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(wantID, wantSecret, wantToken string) {
		t.Helper()
		id, secret, token, err := k.Keys(t.Context())
		if err != nil || text(id) != wantID || text(secret) != wantSecret || token.IsZero() != (wantToken == "") || !token.IsZero() && text(token) != wantToken {
			t.Errorf("%q %q, %v", text(id), text(secret), err)
		}
	}
	expect("AKIA1", "canary=1/+", "")
	write("aws_access_key_id=AKIA2\r\naws_secret_access_key=canary=2/+\r\naws_session_token = tok\r\n")
	expect("AKIA2", "canary=2/+", "tok")
	if err := os.WriteFile(path, []byte("aws_access_key_id=AKIA3\naws_secret_access_key=canary=3/+"), 0o600); err != nil { // in place
		t.Fatal(err)
	}
	expect("AKIA3", "canary=3/+", "")
	for what, spoil := range map[string]func() error{
		"gone":           func() error { return os.Remove(path) },
		"others read it": func() error { return os.Chmod(path, 0o644) },
		"nonsense":       func() error { return os.WriteFile(path, []byte("canary"), 0o600) },
	} {
		write("aws_access_key_id=AKIA4\naws_secret_access_key=canary")
		expect("AKIA4", "canary", "")
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // not the second time either
			id, secret, _, err := k.Keys(t.Context())
			if !fault.Is(err, fault.Invalid) || !id.IsZero() || !secret.IsZero() || !strings.Contains(err.Error(), "the-setting") || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", what, err)
			}
		}
		_ = os.Remove(path)
	}
	write("aws_access_key_id=AKIA5\naws_secret_access_key=canary")
	same := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, same, same); err != nil {
		t.Fatal(err)
	}
	expect("AKIA5", "canary", "")
	write("aws_access_key_id=AKIA6\naws_secret_access_key=canary")
	if err := os.Chtimes(path, same, same); err != nil { // same size, same time, another file
		t.Fatal(err)
	}
	expect("AKIA6", "canary", "")
}

func TestWhatIsNoFileOfAWSKeys(t *testing.T) {
	for _, content := range []string{"", "[default]", "aws_access_key_id=a", "aws_secret_access_key=b", "aws_access_key_id=a\naws_secret_access_key=", "aws_access_key_id=a\naws_secret_access_key=b c",
		"aws_access_key_id=a\naws_access_key_id=b\naws_secret_access_key=c", "aws_access_key_id=a\naws_secret_access_key=c\n[other]\n", "[a]\n[b]\naws_access_key_id=a\naws_secret_access_key=c",
		"aws_access_key_id=a\naws_secret_access_key=c\nrole_arn=canary", "aws_access_key_id=a\naws_secret_access_key=c\ncredential_process=canary", "aws_access_key_id=a\naws_secret_access_key=\x00c",
		"aws_access_key_id=a\naws_secret_access_key=" + strings.Repeat("x", 20_000)} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.OpenAWSKeys("s", path); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%.60q: %v", content, err)
		}
	}
}

func FuzzAWSKeys(f *testing.F) {
	f.Add("[default]\naws_access_key_id = AKIA\naws_secret_access_key = x\naws_session_token=t\n")
	f.Fuzz(func(t *testing.T, content string) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := config.OpenAWSKeys("s", path)
		if err != nil {
			return
		}
		id, secret, _, err := k.Keys(t.Context())
		if err != nil || text(id) == "" || text(secret) == "" || !strings.Contains(content, text(secret)) {
			t.Errorf("%q %q %v", text(id), text(secret), err)
		}
	})
}
