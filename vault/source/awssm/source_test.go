package awssm_test

import (
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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/source/awssm"
	"github.com/haywardhq/hayward/vault/source/sourcetest"
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
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop")); err != nil && code == 0 {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server returns the address of a moto server that has nothing.
func server(t *testing.T) string {
	t.Helper()
	path := parts.Need(t, parts.Moto)
	moto.once.Do(func() { moto.err = start(path) })
	must(t, moto.err)
	resp, err := http.Post(moto.address+"/moto-api/reset", "", nil)
	must(t, err)
	must(t, resp.Body.Close())
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

// admin is the SDK as anybody uses it, for setting things up.
func admin(address string) *secretsmanager.Client {
	return secretsmanager.NewFromConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDADMIN", "admin", "")},
		func(o *secretsmanager.Options) { o.BaseEndpoint = aws.String(address) })
}

func put(t *testing.T, api *secretsmanager.Client, name, raw string) {
	t.Helper()
	_, err := api.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &raw})
	var none *types.ResourceNotFoundException
	if errors.As(err, &none) {
		_, err = api.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &raw})
	}
	must(t, err)
}

func open(t *testing.T, address string, change func(*awssm.Options)) *awssm.Source {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	p, err := egress.NewPolicy(u.Host)
	must(t, err)
	o := awssm.Options{Region: "eu-central-1", Endpoint: address, AccessKeyID: sealed.NewString("AKIDCANARY"), SecretAccessKey: sealed.NewString("canary-secret"),
		Egress: p, MaxBackoff: 10 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	src, err := awssm.New(o)
	must(t, err)
	t.Cleanup(func() { must(t, src.Close()) })
	return src
}

func text(v *source.Value) string {
	if v == nil {
		return "<none>"
	}
	return string(reveal.Inside(v.Raw))
}

func expect(t *testing.T, s source.Source, key, want string) *source.Value {
	t.Helper()
	v, err := s.Get(t.Context(), key)
	if want == "<none>" && (v != nil || !errors.Is(err, source.ErrKeyNotFound)) || want != "<none>" && (err != nil || text(v) != want) {
		t.Errorf("%s: %q, %v; want %q", key, text(v), err, want)
	}
	return v
}

func TestSuiteAgainstMoto(t *testing.T) {
	sourcetest.Run(t, sourcetest.Harness{Key: func(w string) string { return "acme/" + w }, Answers: 30 * time.Second, Watches: 10, Open: func(t *testing.T) sourcetest.Subject {
		address := server(t)
		api := admin(address)
		return sourcetest.Subject{Source: open(t, address, func(o *awssm.Options) { o.PollInterval, o.MaxWatchers = 100*time.Millisecond, 10 }),
			Set: func(t *testing.T, key, raw string) { t.Helper(); put(t, api, key, raw) },
			Delete: func(t *testing.T, key string) {
				t.Helper()
				_, err := api.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &key, ForceDeleteWithoutRecovery: aws.Bool(true)})
				must(t, err)
			}}
	}})
}

func TestStagesBinaryAndFields(t *testing.T) {
	address := server(t)
	api := admin(address)
	src := open(t, address, nil)
	put(t, api, "K", "one")
	first := expect(t, src, "K", "one")
	put(t, api, "K", "two")
	second := expect(t, src, "K", "two")
	if first.Metadata["version_id"] == second.Metadata["version_id"] || second.Metadata["version_stages"] != "AWSCURRENT" || second.Version < first.Version || first.Version == 0 {
		t.Errorf("%+v, %+v", first, second)
	}
	expect(t, open(t, address, func(o *awssm.Options) { o.Stage = "AWSPREVIOUS" }), "K", "one")
	expect(t, open(t, address, func(o *awssm.Options) { o.Stage = "nobody" }), "K", "<none>")

	_, err := api.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("binary"), SecretBinary: []byte("\x00\xff\n")})
	must(t, err)
	expect(t, src, "binary", "\x00\xff\n")
	put(t, api, "db", `{"user": "u", "port": 5432, "none": null}`)
	for key, want := range map[string]string{"db#user": "u", "db#port": "5432", "db#none": "<none>", "db#nope": "<none>", "db": `{"user": "u", "port": 5432, "none": null}`} {
		expect(t, src, key, want)
	}
	if _, err := src.Get(t.Context(), "K#user"); !fault.Is(err, fault.Failed) || strings.Contains(err.Error(), "two") {
		t.Error(err)
	}
	if _, err := open(t, address, func(o *awssm.Options) { o.MaxSize = 2 }).Get(t.Context(), "K"); !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
}

func TestWhatIsScheduledForDeletionIsNotThere(t *testing.T) {
	address := server(t)
	api := admin(address)
	src := open(t, address, nil)
	put(t, api, "K", "x")
	_, err := api.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("K"), RecoveryWindowInDays: aws.Int64(7)})
	must(t, err)
	expect(t, src, "K", "<none>")
	if all, err := src.List(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	_, err = api.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("K")})
	must(t, err)
	expect(t, src, "K", "x")
}

func TestListsHavePages(t *testing.T) {
	address := server(t)
	api := admin(address)
	for i := range 130 {
		put(t, api, fmt.Sprintf("acme/K%03d", i), "x")
	}
	put(t, api, "other/acme/K", "x")
	all, err := open(t, address, nil).List(t.Context(), "acme/")
	if err != nil || len(all) != 130 || all[129].Key != "acme/K129" {
		t.Errorf("%d, %v", len(all), err)
	}
	if _, err := open(t, address, func(o *awssm.Options) { o.MaxList = 100 }).List(t.Context(), "acme/"); !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
}

// TestTheEnvironmentIsNotRead: keys, region, endpoint, profile and files of the environment point elsewhere.
func TestTheEnvironmentIsNotRead(t *testing.T) {
	var mu sync.Mutex
	var trap []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { mu.Lock(); trap = append(trap, r.URL.Path); mu.Unlock() }))
	defer elsewhere.Close()
	file := t.TempDir() + "/aws"
	must(t, os.WriteFile(file, []byte("[default]\nregion=us-west-1\naws_access_key_id=AKIDFILE\naws_secret_access_key=x\nendpoint_url="+elsewhere.URL+"\n"), 0o600))
	for name, v := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "env", "AWS_SESSION_TOKEN": "env", "AWS_REGION": "us-east-1",
		"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": elsewhere.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER": elsewhere.URL, "AWS_PROFILE": "default",
		"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": file, "AWS_EC2_METADATA_SERVICE_ENDPOINT": elsewhere.URL, "AWS_CONTAINER_CREDENTIALS_FULL_URI": elsewhere.URL,
		"HTTPS_PROXY": elsewhere.URL, "HTTP_PROXY": elsewhere.URL, "AWS_USE_FIPS_ENDPOINT": "true", "AWS_EXECUTION_ENV": "env-canary", "AWS_LAMBDA_FUNCTION_NAME": "env-canary",
		"_X_AMZN_TRACE_ID": "env-canary", "AWS_MAX_ATTEMPTS": "1", "AWS_CA_BUNDLE": file} {
		t.Setenv(name, v)
	}
	s := newScript(t, answer{200, `{"SecretString":"x","VersionId":"v"}`})
	expect(t, open(t, s.URL, nil), "K", "x")
	got := s.seen[0]
	if auth := got.Get("Authorization"); !strings.Contains(auth, "Credential=AKIDCANARY/") || !strings.Contains(auth, "/eu-central-1/secretsmanager/") {
		t.Error(auth)
	}
	if all := fmt.Sprint(got); strings.Contains(all, "env") || got.Get("X-Amz-Security-Token") != "" || got.Get("User-Agent") != "hayward" {
		t.Error(all)
	}
	if len(trap) != 0 {
		t.Errorf("the environment's address was asked for %v", trap)
	}
}

type answer struct {
	status int
	body   string
}

// script is a server that gives the answers it was told to, the last one for ever.
type script struct {
	*httptest.Server
	mu      sync.Mutex
	answers []answer
	seen    []http.Header
}

func newScript(t *testing.T, answers ...answer) *script {
	s := &script{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, r.Header.Clone())
		a := s.answers[0]
		if len(s.answers) > 1 {
			s.answers = s.answers[1:]
		}
		if a.status >= 300 && a.status < 400 {
			w.Header().Set("Location", a.body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func code(name string) string { return `{"__type":"` + name + `","message":"canary of ` + name + `"}` }

func TestErrors(t *testing.T) {
	good := answer{200, `{"SecretString":"x","VersionId":"v"}`}
	other := newScript(t, good)
	for _, tc := range []struct {
		name     string
		answers  []answer
		want     string
		kind     fault.Kind
		requests int
	}{
		{"throttled, then not", []answer{{400, code("ThrottlingException")}, {503, code("InternalServiceError")}, {500, ``}, good}, "x", 0, 4},
		{"throttled for ever", []answer{{400, code("ThrottlingException")}}, "", fault.Limited, 4},
		{"down for ever", []answer{{500, code("InternalServiceError")}}, "", fault.Unavailable, 4},
		{"a bad gateway", []answer{{502, `<html>canary`}}, "", fault.Unavailable, 4},
		{"no such secret", []answer{{400, code("ResourceNotFoundException")}}, "<none>", fault.NotFound, 1},
		{"no permission", []answer{{400, code("AccessDeniedException")}}, "", fault.Denied, 1},
		{"a wrong key", []answer{{400, code("UnrecognizedClientException")}}, "", fault.Denied, 1},
		{"a wrong signature", []answer{{400, code("InvalidSignatureException")}}, "", fault.Denied, 1},
		{"ended keys", []answer{{400, code("ExpiredTokenException")}}, "", fault.Denied, 1},
		{"cannot be decrypted", []answer{{400, code("DecryptionFailure")}}, "", fault.Failed, 1},
		{"a wrong request", []answer{{400, code("InvalidRequestException")}, {400, code("AccessDeniedException")}}, "", fault.Failed, 2},
		{"to be deleted", []answer{{400, code("InvalidRequestException")}, {200, `{"Name":"K","DeletedDate":1.7e9}`}}, "<none>", fault.NotFound, 2},
		{"a redirect", []answer{{307, other.URL}}, "", fault.Unavailable, 1},
		{"too long", []answer{{200, `{"SecretString":"` + strings.Repeat("canary", 2<<20) + `"}`}}, "", fault.TooLarge, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScript(t, tc.answers...)
			v, err := open(t, s.URL, nil).Get(t.Context(), "K")
			if tc.want == "x" && text(v) != "x" || tc.want != "x" && !fault.Is(err, tc.kind) || (tc.want == "<none>") != errors.Is(err, source.ErrKeyNotFound) {
				t.Errorf("%q, %v (%v)", text(v), err, fault.KindOf(err))
			}
			if err != nil && strings.Contains(strings.ToLower(err.Error()+fault.From(err).Hint), "canary") {
				t.Errorf("it quotes: %v", err)
			}
			if len(s.seen) != tc.requests {
				t.Errorf("%d requests, want %d", len(s.seen), tc.requests)
			}
		})
	}
	if len(other.seen) != 0 {
		t.Error("a redirect was followed with a signature")
	}
}

func TestASessionTokenTravelsAsACredential(t *testing.T) {
	s := newScript(t, answer{200, `{"SecretString":"x","VersionId":"v"}`})
	expect(t, open(t, s.URL, func(o *awssm.Options) { o.SessionToken = sealed.NewString("session-canary") }), "K", "x")
	if got := s.seen[0].Get("X-Amz-Security-Token"); got != "session-canary" {
		t.Error(got)
	}
}

func TestOnlyAllowedAddressesAreReached(t *testing.T) {
	s := newScript(t, answer{200, `{}`})
	_, err := open(t, s.URL, func(o *awssm.Options) { o.Egress = egress.Policy{} }).Get(t.Context(), "K")
	if !fault.Is(err, fault.Denied) || len(s.seen) != 0 {
		t.Errorf("%v, %d requests", err, len(s.seen))
	}
}

func TestACallerWhoseTimeIsOver(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hang.Close()
	src := open(t, hang.URL, func(o *awssm.Options) { o.Timeout = 50 * time.Millisecond })
	if _, err := src.Get(t.Context(), "K"); !fault.Is(err, fault.Timeout) {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := open(t, hang.URL, nil).Get(ctx, "K"); !fault.Is(err, fault.Canceled) {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
}

func TestNamesAreNoPathsAndNoARNs(t *testing.T) {
	s := newScript(t, answer{200, `{"SecretString":"x"}`})
	src := open(t, s.URL, nil)
	for _, key := range []string{"arn:aws:secretsmanager:eu-central-1:123456789012:secret:K-abcdef", "K*", "K K", "ünïcode", "K\\", strings.Repeat("K", 513)} {
		if v, err := src.Get(t.Context(), key); v != nil || !errors.Is(err, source.ErrKeyNotFound) {
			t.Errorf("%.40q: %v, %v", key, v, err)
		}
	}
	if len(s.seen) != 0 {
		t.Errorf("%d requests", len(s.seen))
	}
}

func TestOptions(t *testing.T) {
	key := sealed.NewString("canary")
	for name, o := range map[string]awssm.Options{
		"no region":    {AccessKeyID: key, SecretAccessKey: key},
		"a bad region": {Region: "evil.example/", AccessKeyID: key, SecretAccessKey: key},
		"no keys":      {Region: "eu-central-1"},
		"no secret":    {Region: "eu-central-1", AccessKeyID: key},
		"bad endpoint": {Region: "eu-central-1", AccessKeyID: key, SecretAccessKey: key, Endpoint: "ftp://x"},
		"a bad stage":  {Region: "eu-central-1", AccessKeyID: key, SecretAccessKey: key, Stage: "a b"},
	} {
		if src, err := awssm.New(o); src != nil || !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	src, err := awssm.New(awssm.Options{Region: "us-gov-west-1", AccessKeyID: key, SecretAccessKey: key, Name: "hq"})
	if err != nil || src.Name() != "hq" || strings.Contains(fmt.Sprintf("%+v", src), "canary") {
		t.Error(err)
	}
	must(t, src.Close())
}

// Keys that are replaced outside sign from the next request on, and keys that cannot be read sign nothing.
func TestKeysOfTheMoment(t *testing.T) {
	s := newScript(t, answer{200, `{"Name":"k","SecretString":"v","VersionId":"1","VersionStages":["AWSCURRENT"],"CreatedDate":1700000000}`})
	id, failing := "AKID1", error(nil)
	src := open(t, s.URL, func(o *awssm.Options) {
		o.AccessKeyID, o.SecretAccessKey = sealed.Value{}, sealed.Value{}
		o.Keys = func(context.Context) (sealed.Value, sealed.Value, sealed.Value, error) {
			return sealed.NewString(id), sealed.NewString("canary-secret"), sealed.NewString("session-" + id), failing
		}
	})
	for _, want := range []string{"AKID1", "AKID2"} {
		id = want
		_, err := src.Get(t.Context(), "k")
		must(t, err)
		got := s.seen[len(s.seen)-1]
		if !strings.Contains(got.Get("Authorization"), "Credential="+want+"/") || got.Get("X-Amz-Security-Token") != "session-"+want {
			t.Errorf("%v", got)
		}
	}
	asked := len(s.seen)
	failing = fault.New(fault.Invalid, "the file is gone")
	if _, err := src.Get(t.Context(), "k"); !strings.Contains(fmt.Sprint(err), "the file is gone") || errors.Is(err, source.ErrKeyNotFound) || len(s.seen) != asked {
		t.Errorf("%v, asked %d times", err, len(s.seen)-asked)
	}
}
