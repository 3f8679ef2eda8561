package awskms_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/keyring/awskms"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// moto is one server for all tests of the process.
var moto struct {
	once    sync.Once
	cmd     *exec.Cmd
	address string
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if moto.cmd != nil {
		_ = moto.cmd.Process.Kill()
		_ = moto.cmd.Wait()
	}
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func server(t *testing.T) string {
	t.Helper()
	path := parts.Need(t, parts.Moto)
	moto.once.Do(func() { moto.err = start(path) })
	must(t, moto.err)
	return moto.address
}

func start(path string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	moto.address = "http://" + net.JoinHostPort(host, port)
	moto.cmd = exec.Command(path, "-H", host, "-p", port)
	if err := moto.cmd.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(moto.address + "/moto-api/")
		if err == nil {
			return resp.Body.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("moto_server does not answer: %w", err)
		}
	}
}

// newKey makes a key in the service, as an administrator of it would.
func newKey(t *testing.T, address string) string {
	t.Helper()
	api := kms.NewFromConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDADMIN", "admin", "")},
		func(o *kms.Options) { o.BaseEndpoint = aws.String(address) })
	out, err := api.CreateKey(t.Context(), &kms.CreateKeyInput{})
	must(t, err)
	return *out.KeyMetadata.KeyId
}

func open(t *testing.T, address, key string, change func(*awskms.Options)) *awskms.KMS {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	p, err := egress.NewPolicy(u.Host)
	must(t, err)
	o := awskms.Options{Region: "eu-central-1", KeyID: key, Endpoint: address, AccessKeyID: sealed.NewString("AKIDCANARY"),
		SecretAccessKey: sealed.NewString("canary-secret"), Egress: p, MaxBackoff: 10 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	k, err := awskms.New(o)
	must(t, err)
	return k
}

func TestARootKeyUnderAWSKMS(t *testing.T) {
	address := server(t)
	first, second := newKey(t, address), newKey(t, address)
	one, two := open(t, address, first, nil), open(t, address, second, nil)
	path := filepath.Join(t.TempDir(), "root.key")
	st := memory.New()
	r, err := keyring.Open(t.Context(), st, keyring.WrappedRoot(path, one, nil))
	must(t, err)
	again, err := keyring.Open(t.Context(), st, keyring.WrappedRoot(path, one, nil))
	must(t, err)
	if r.RootID() != again.RootID() {
		t.Error("another root key")
	}
	moved, err := keyring.Open(t.Context(), st, keyring.WrappedRoot(path, two, []keyring.KMS{one}))
	must(t, err)
	_, err = moved.RotateRoot(t.Context())
	must(t, err)
	_, err = keyring.Open(t.Context(), st, keyring.WrappedRoot(path, two, nil))
	must(t, err)

	ct, err := one.Wrap(t.Context(), []byte("plain"), "here")
	must(t, err)
	if pt, err := one.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" || bytes.Contains(ct, []byte("plain")) {
		t.Errorf("%q, %v", pt, err)
	}
	for name, call := range map[string]func() ([]byte, error){
		"another place": func() ([]byte, error) { return one.Unwrap(t.Context(), ct, "there") },
		"changed": func() ([]byte, error) {
			return one.Unwrap(t.Context(), append(bytes.Clone(ct[:len(ct)-1]), ct[len(ct)-1]^1), "here")
		},
		"no such key": func() ([]byte, error) {
			return open(t, address, "alias/nobody", nil).Wrap(t.Context(), []byte("p"), "here")
		},
	} {
		if pt, err := call(); !fault.Is(err, fault.Denied) || fault.From(err).Hint == "" || pt != nil {
			t.Errorf("%s: %q, %v", name, pt, err)
		}
	}
}

type script struct {
	*httptest.Server
	mu   sync.Mutex
	seen []http.Header
	body string
}

func newScript(t *testing.T, status int, answer string) *script {
	s := &script{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen, s.body = append(s.seen, r.Header.Clone()), string(b)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestTheEnvironmentIsNotRead(t *testing.T) {
	trap := newScript(t, 200, `{}`)
	for name, v := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "env", "AWS_SESSION_TOKEN": "env", "AWS_REGION": "us-east-1",
		"AWS_ENDPOINT_URL": trap.URL, "AWS_ENDPOINT_URL_KMS": trap.URL, "AWS_EC2_METADATA_SERVICE_ENDPOINT": trap.URL, "HTTPS_PROXY": trap.URL, "HTTP_PROXY": trap.URL,
		"AWS_USE_FIPS_ENDPOINT": "true", "AWS_EXECUTION_ENV": "env-canary", "_X_AMZN_TRACE_ID": "env-canary"} {
		t.Setenv(name, v)
	}
	s := newScript(t, 200, `{"KeyId":"k","Plaintext":"cA=="}`)
	pt, err := open(t, s.URL, "k", func(o *awskms.Options) { o.SessionToken = sealed.NewString("session-canary") }).Unwrap(t.Context(), []byte("ct"), "here")
	if err != nil || string(pt) != "p" {
		t.Fatalf("%q, %v", pt, err)
	}
	got := s.seen[0]
	if auth := got.Get("Authorization"); !strings.Contains(auth, "Credential=AKIDCANARY/") || !strings.Contains(auth, "/eu-central-1/kms/") {
		t.Error(auth)
	}
	if all := fmt.Sprint(got); strings.Contains(all, "env") || got.Get("X-Amz-Security-Token") != "session-canary" || got.Get("User-Agent") != "hayward" {
		t.Error(all)
	}
	if !strings.Contains(s.body, `"EncryptionContext":{"hayward":"here"}`) || !strings.Contains(s.body, `"KeyId":"k"`) {
		t.Error(s.body)
	}
	if len(trap.seen) != 0 {
		t.Errorf("the environment's address was asked: %v", trap.seen)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		kind   fault.Kind
		asked  int
	}{
		{400, `{"__type":"AccessDeniedException","message":"canary"}`, fault.Denied, 1},
		{400, `{"__type":"DisabledException","message":"canary"}`, fault.Denied, 1},
		{400, `{"__type":"InvalidCiphertextException"}`, fault.Denied, 1},
		{400, `{"__type":"ThrottlingException","message":"canary"}`, fault.Unavailable, 3},
		{500, `{"__type":"KMSInternalException","message":"canary"}`, fault.Unavailable, 3},
		{200, `nonsense`, fault.Unavailable, 1},
		{302, ``, fault.Unavailable, 1},
	} {
		s := newScript(t, tc.status, tc.body)
		_, err := open(t, s.URL, "k", func(o *awskms.Options) { o.Attempts = 3 }).Unwrap(t.Context(), []byte("ct"), "here")
		if !fault.Is(err, tc.kind) || strings.Contains(fmt.Sprint(err), "canary") || len(s.seen) != tc.asked {
			t.Errorf("%d %s: %v, asked %d times", tc.status, tc.body, err, len(s.seen))
		}
	}
	s := newScript(t, 200, `{}`)
	if _, err := open(t, s.URL, "k", nil).Wrap(t.Context(), []byte("p"), "a"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no ciphertext: %v", err)
	}
	if _, err := open(t, s.URL, "k", func(o *awskms.Options) { o.Egress = egress.Policy{} }).Wrap(t.Context(), []byte("p"), "a"); !fault.Is(err, fault.Denied) {
		t.Errorf("an address that nobody allowed: %v", err)
	}
}

func TestOptions(t *testing.T) {
	good := awskms.Options{Region: "eu-central-1", KeyID: "alias/hayward", AccessKeyID: sealed.NewString("a"), SecretAccessKey: sealed.NewString("b")}
	if k, err := awskms.New(good); err != nil || k.Name() != "awskms:alias/hayward" {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*awskms.Options){
		"region": func(o *awskms.Options) { o.Region = "" }, "odd region": func(o *awskms.Options) { o.Region = "eu-central-1.evil.example#" },
		"key": func(o *awskms.Options) { o.KeyID = "" }, "odd key": func(o *awskms.Options) { o.KeyID = "a b" },
		"id": func(o *awskms.Options) { o.AccessKeyID = sealed.Value{} }, "secret": func(o *awskms.Options) { o.SecretAccessKey = sealed.Value{} },
		"endpoint": func(o *awskms.Options) { o.Endpoint = "ftp://kms" },
	} {
		o := good
		change(&o)
		var f *fault.Error
		if _, err := awskms.New(o); !errors.As(err, &f) || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys that are replaced outside sign from the next request on, and keys that cannot be read sign nothing.
func TestKeysOfTheMoment(t *testing.T) {
	s := newScript(t, 200, `{"KeyId":"k","Plaintext":"cA=="}`)
	id, failing := "AKID1", error(nil)
	k := open(t, s.URL, "k", func(o *awskms.Options) {
		o.AccessKeyID, o.SecretAccessKey = sealed.Value{}, sealed.Value{}
		o.Keys = func(context.Context) (sealed.Value, sealed.Value, sealed.Value, error) {
			return sealed.NewString(id), sealed.NewString("canary-secret"), sealed.NewString("session-" + id), failing
		}
	})
	for _, want := range []string{"AKID1", "AKID2"} {
		id = want
		_, err := k.Unwrap(t.Context(), []byte("ct"), "here")
		must(t, err)
		got := s.seen[len(s.seen)-1]
		if !strings.Contains(got.Get("Authorization"), "Credential="+want+"/") || got.Get("X-Amz-Security-Token") != "session-"+want {
			t.Errorf("%v", got)
		}
	}
	asked := len(s.seen)
	failing = fault.New(fault.Invalid, "the file is gone")
	if _, err := k.Unwrap(t.Context(), []byte("ct"), "here"); !strings.Contains(fmt.Sprint(err), "the file is gone") || len(s.seen) != asked {
		t.Errorf("%v, asked %d times", err, len(s.seen)-asked)
	}
}
