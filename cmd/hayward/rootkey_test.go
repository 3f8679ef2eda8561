package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/keyring/gcpkms/gcptest"
	"github.com/haywardhq/hayward/vault/source/openbao/baotest"
)

const pass = "correct horse battery"

// startMoto starts a server that answers as AWS does, and ends with the test.
func startMoto(t *testing.T) string {
	t.Helper()
	path := parts.Need(t, parts.Moto)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	host, port, _ := net.SplitHostPort(l.Addr().String())
	must(t, l.Close())
	cmd := exec.Command(path, "-H", host, "-p", port)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := "http://" + net.JoinHostPort(host, port)
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(address + "/moto-api/")
		if err == nil {
			_ = resp.Body.Close()
			return address
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func private(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, content, 0o600))
	return path
}

// places are the services on sockets, with the settings for them.
type places struct {
	dir              string
	aws, bao, google string
	awsKeys          []string
	base             map[string]string
}

// newAWSKeys makes two keys, as an administrator would.
func newAWSKeys(t *testing.T, address string) (ids []string) {
	api := kms.NewFromConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDADMIN", "admin", "")},
		func(o *kms.Options) { o.BaseEndpoint = aws.String(address) })
	for range 2 {
		made, err := api.CreateKey(t.Context(), &kms.CreateKeyInput{})
		must(t, err)
		ids = append(ids, *made.KeyMetadata.KeyId)
	}
	return ids
}

// newPlaces starts them. AWS takes seconds to start, and is left out where nobody needs it.
func newPlaces(t *testing.T, withAWS bool) places {
	p := places{dir: t.TempDir(), awsKeys: []string{"none", "none"}}
	if withAWS {
		p.aws = startMoto(t)
		p.awsKeys = newAWSKeys(t, p.aws)
	}
	withoutVariables(t)
	bao := baotest.New(t)
	p.bao = bao.URL
	bao.Admin(t, "POST", "sys/mounts/transit", map[string]any{"type": "transit"})
	bao.Admin(t, "POST", "transit/keys/hayward", nil)
	bao.Admin(t, "PUT", "sys/policies/acl/root-key", map[string]any{"policy": `path "transit/encrypt/hayward" { capabilities=["update"] }
path "transit/decrypt/hayward" { capabilities=["update"] }`})
	bao.Admin(t, "POST", "sys/auth/approle", map[string]any{"type": "approle"})
	bao.Admin(t, "POST", "auth/approle/role/hayward", map[string]any{"token_policies": "root-key", "token_ttl": "1h"})
	role := bao.Admin(t, "GET", "auth/approle/role/hayward/role-id", nil).Data("role_id").(string)
	secret := bao.Admin(t, "POST", "auth/approle/role/hayward/secret-id", map[string]any{}).Data("secret_id").(string)
	google := gcptest.New(t)
	p.google = google.URL
	p.base = map[string]string{
		"aws-kms-region": "eu-central-1", "aws-kms-endpoint": p.aws, "aws-kms-key": p.awsKeys[0],
		"aws-kms-credentials-file": private(t, p.dir, "aws", []byte("aws_access_key_id=AKIACANARY\naws_secret_access_key=canary-secret\n")),
		"gcp-kms-key":              gcptest.KeyName, "gcp-kms-endpoint": p.google, "gcp-kms-token-url": p.google + "/token",
		"gcp-kms-account-file": private(t, p.dir, "google.json", reveal.Inside(google.KeyFile())),
		"transit-address":      p.bao, "transit-key": "hayward", "transit-role-id": role, "transit-secret-id-file": private(t, p.dir, "secret-id", []byte(secret)),
	}
	return p
}

// withoutVariables takes away, for the test, what says where tests find their parts: it is no setting, and a command that reads the
// environment says so.
func withoutVariables(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "HAYWARD_") {
			t.Setenv(name, "") // puts it back in the end
			must(t, os.Unsetenv(name))
		}
	}
}

// settings are those of one start, as flags: where the key comes from, and what belongs to the places named.
func (p places) settings(from, former string, more ...string) []string {
	args := []string{"--root-key-from=" + from, "--root-key-former=" + former, "--data-dir=" + filepath.Join(p.dir, "data"), "--root-key-file=" + filepath.Join(p.dir, "root.key"),
		"--root-key-wrapped-file=" + filepath.Join(p.dir, "wrapped.key")}
	for name, value := range p.base {
		for _, place := range []string{from, former} {
			if service, _, _ := strings.Cut(place, ":"); strings.HasPrefix(name, service+"-") && service != "" {
				args = append(args, "--"+name+"="+value)
			}
		}
	}
	return append(args, more...)
}

func load(t *testing.T, args []string) config.Config {
	t.Helper()
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.AddFlags(fs)
	must(t, fs.Parse(args))
	c, err := config.Load(fs, nil)
	must(t, err)
	return c
}

func (p places) start(t *testing.T, args []string) *apptest.Server {
	t.Helper()
	c := load(t, args)
	return apptest.StartIn(t, p.dir, func(s *app.Settings) { must(t, setRootKey(c, s)) })
}

// offline opens the files as a command does that works on them.
func (p places) offline(t *testing.T, args []string) error {
	t.Helper()
	var d dataFlags
	d.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	must(t, d.fs.Parse(args))
	v, err := d.open(t.Context())
	if err != nil {
		return err
	}
	r, err := v.Verify(t.Context())
	if err == nil && len(r.Problems) > 0 {
		err = fmt.Errorf("%+v", r.Problems)
	}
	return errors.Join(err, v.Close())
}

// TestTheRootKeyMovesWhileServing goes through every place. At each the server is started with the way there, the root key is
// changed while secrets are read and written, and from then on the former place is needed no more, also not by commands that
// work on the files.
func TestTheRootKeyMovesWhileServing(t *testing.T) {
	p := newPlaces(t, true)
	t.Setenv(config.RootKeyVariable, "")
	s := p.start(t, p.settings("file", ""))
	s.Member("acme", "ann", pass, policy.Admin)
	s.Operator("olga", pass)
	s.Must(200, s.Login("ann", pass), "PUT", "/api/v1/secrets/FIRST", `{"value": "before-everything"}`)
	s.Stop()
	second := "--aws-kms-key=" + p.awsKeys[1]
	for _, move := range []struct {
		from, former string
		needless     string // a file that nobody needs afterwards
		more         []string
	}{
		{"aws-kms", "file", "root.key", nil},
		{"aws-kms", "aws-kms:" + p.awsKeys[0], "", []string{second}},
		{"gcp-kms", "aws-kms", "", []string{second}},
		{"transit", "gcp-kms", "", nil},
		{"file", "transit", "wrapped.key", nil},
	} {
		name, _, _ := strings.Cut(move.former, ":")
		t.Run(name+" to "+move.from, func(t *testing.T) {
			s := p.start(t, p.settings(move.from, move.former, move.more...))
			was := rootID(t, s)
			changeWhileServing(t, s)
			if now := rootID(t, s); now == was {
				t.Fatalf("the root key is still %s", now)
			}
			s.Stop()
			if move.needless != "" {
				must(t, os.Remove(filepath.Join(p.dir, move.needless)))
			}
			alone := p.settings(move.from, "")
			if move.from == "aws-kms" {
				alone = append(alone, move.more...)
			}
			must(t, p.offline(t, alone))
			s = p.start(t, alone)
			readsAll(t, s)
			s.Stop()
		})
	}
	t.Setenv(config.RootKeyVariable, strings.Repeat("ab", 32))
	if err := p.offline(t, p.settings("variable", "")); !fault.Is(err, fault.Unavailable) || fault.From(err).Code != "WrongRootKey" {
		t.Errorf("another key than the data's: %v", err)
	}
	if err := p.offline(t, p.settings("aws-kms", "")); !fault.Is(err, fault.Unavailable) || fault.From(err).Code != "NoRootKey" {
		t.Errorf("a place that never had the key: %v", err)
	}
}

func rootID(t *testing.T, s *apptest.Server) string {
	t.Helper()
	var root struct {
		RootID string `json:"root_id"`
		Phase  string `json:"phase"`
	}
	must(t, json.Unmarshal([]byte(s.Must(200, s.Login("olga", pass), "GET", "/api/v1/keys/root", "")), &root))
	if root.Phase != "idle" {
		t.Errorf("the phase is %s", root.Phase)
	}
	return root.RootID
}

// readsAll reveals what was set before the first move and during the last.
func readsAll(t *testing.T, s *apptest.Server) {
	t.Helper()
	ann := s.Login("ann", pass)
	for name, want := range map[string]string{"FIRST": "before-everything", "MEANWHILE": "written-"} {
		if text := s.Must(200, ann, "POST", "/api/v1/secrets/"+name+"/reveal", ""); !strings.Contains(text, want) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// changeWhileServing changes the root key between requests that were answered before and after it.
func changeWhileServing(t *testing.T, s *apptest.Server) {
	t.Helper()
	ann, olga := s.Login("ann", pass), s.Login("olga", pass)
	var stop atomic.Bool
	var reads, writes atomic.Int64
	var under sync.WaitGroup
	for range 2 {
		under.Go(func() {
			for !stop.Load() {
				if code, text := s.Call(ann, "POST", "/api/v1/secrets/FIRST/reveal", ""); code != 200 || !strings.Contains(text, "before-everything") {
					t.Errorf("reading: %d %s", code, text)
					return
				}
				reads.Add(1)
			}
		})
	}
	under.Go(func() {
		for n := 0; !stop.Load(); n++ {
			if code, text := s.Call(ann, "PUT", "/api/v1/secrets/MEANWHILE", fmt.Sprintf(`{"value": "written-%d"}`, n)); code != 200 {
				t.Errorf("writing: %d %s", code, text)
				return
			}
			writes.Add(1)
		}
	})
	both := func(r, w int64) {
		for end := time.Now().Add(30 * time.Second); (reads.Load() <= r || writes.Load() <= w) && time.Now().Before(end) && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
	}
	both(0, 0)
	s.Must(200, olga, "POST", "/api/v1/keys/root/rotate", "")
	both(reads.Load(), writes.Load())
	stop.Store(true)
	under.Wait()
	readsAll(t, s)
}

// TestAVariableMovesIntoAService: the variable is read by the server itself, and only during the move.
func TestAVariableMovesIntoAService(t *testing.T) {
	p := newPlaces(t, false)
	t.Setenv(config.RootKeyVariable, strings.Repeat("ab", 32))
	s := p.start(t, p.settings("auto", ""))
	s.Member("acme", "ann", pass, policy.Admin)
	s.Operator("olga", pass)
	s.Must(200, s.Login("ann", pass), "PUT", "/api/v1/secrets/FIRST", `{"value": "before-everything"}`)
	s.Stop()
	s = p.start(t, p.settings("transit", "variable"))
	changeWhileServing(t, s)
	s.Stop()
	t.Setenv(config.RootKeyVariable, "")
	must(t, p.offline(t, p.settings("transit", "")))
}

// A fresh server makes its root key under the service at once; when the service says no, the start says why, and makes nothing.
func TestAFreshServerUnderAService(t *testing.T) {
	p := newPlaces(t, true)
	c := load(t, p.settings("aws-kms", "", "--aws-kms-key=alias/nobody"))
	var set app.Settings
	set.DataDir, set.Listen = filepath.Join(p.dir, "data"), "127.0.0.1:0"
	must(t, setRootKey(c, &set))
	_, err := app.Open(t.Context(), set)
	if !fault.Is(err, fault.Denied) || fault.From(err).Hint == "" || strings.Contains(err.Error(), "canary") {
		t.Errorf("no such key: %v", err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "wrapped.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
	s := p.start(t, p.settings("aws-kms", ""))
	if where, made := s.Origin(); !made || !strings.Contains(where, "awskms:"+p.awsKeys[0]) {
		t.Errorf("%s %v", where, made)
	}
	s.Stop()
	if b, err := os.ReadFile(filepath.Join(p.dir, "wrapped.key")); err != nil || !strings.Contains(string(b), p.awsKeys[0]) {
		t.Errorf("%s %v", b, err)
	}
}

// What is wrong with a file of credentials is said at the start, with the setting and without what is in it.
func TestCredentialsForAServiceAreChecked(t *testing.T) {
	p := places{dir: t.TempDir(), base: map[string]string{"aws-kms-region": "eu-central-1", "aws-kms-key": "k", "gcp-kms-key": gcptest.KeyName,
		"transit-address": "https://bao.example", "transit-key": "k"}}
	bad := private(t, p.dir, "bad", []byte("canary"))
	loose := filepath.Join(p.dir, "loose")
	must(t, os.WriteFile(loose, []byte("canary"), 0o644))
	must(t, os.Chmod(loose, 0o644))
	for setting, files := range map[string][]string{"aws-kms-credentials-file": {bad, loose, "/nowhere"}, "gcp-kms-account-file": {bad, loose, "/nowhere"},
		"transit-token-file": {loose, "/nowhere"}} {
		for _, file := range files {
			place := strings.Join(strings.Split(setting, "-")[:2], "-")
			if place == "transit-token" {
				place = "transit"
			}
			var set app.Settings
			set.Log = slog.New(slog.DiscardHandler)
			err := setRootKey(load(t, p.settings(place, "", "--"+setting+"="+file)), &set)
			if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s %s: %v", setting, file, err)
			}
		}
	}
}

// The scripts' way of life: what serve is told, the commands on its files are told alike, by variable or by file.
func TestCommandsOnTheFilesReadTheSameSettings(t *testing.T) {
	withoutVariables(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "hayward.yml")
	must(t, os.WriteFile(file, []byte("data-dir: "+dir+"/data\nlisten: 127.0.0.1:9\nroot-key-from: file\nroot-key-file: "+dir+"/k\nnode-name: n7\n"), 0o600))
	var d dataFlags
	d.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	must(t, d.fs.Parse([]string{"--config=" + file}))
	s, err := d.settings()
	must(t, err)
	if s.DataDir != dir+"/data" || s.Node != "n7" {
		t.Errorf("%+v", s)
	}
	v, err := app.OpenVault(context.Background(), s)
	must(t, err)
	if where, _ := v.Ring.Origin(); !strings.Contains(where, dir+"/k") {
		t.Error(where)
	}
	must(t, v.Close())
}
