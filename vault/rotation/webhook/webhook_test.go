package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/rotation/webhook"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

const signing = "0123456789abcdef0123456789abcdef"

// receiver is a server that keeps what it is sent, and answers as told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, r request)
}

type request struct {
	header http.Header
	body   []byte
	Type   string `json:"type"`
	Data   struct {
		App, Tenant, Secret, Token, Value, Encoding string
		Attempt                                     int
		Version                                     int64
		CurrentVersion                              int64 `json:"current_version"`
		PreviousVersion                             int64 `json:"previous_version"`
	} `json:"data"`
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		in := request{header: req.Header}
		in.body, _ = io.ReadAll(req.Body)
		if err := json.Unmarshal(in.body, &in); err != nil {
			t.Errorf("%q: %v", in.body, err)
		}
		r.mu.Lock()
		r.got = append(r.got, in)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, in)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.got...)
}

// house is a manager that may reach a receiver.
type house struct {
	m       *rotation.Manager
	st      *memory.Store
	secrets *secret.Service
	ctx     context.Context
}

func build(t *testing.T, r *receiver) house {
	t.Helper()
	p, err := egress.NewPolicy(strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	client := egress.New(p, egress.Options{})
	t.Cleanup(client.CloseIdle)
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	h := house{st: memory.New(), ctx: scope.WithScope(context.Background(), "app", "acme", "ann", "")}
	h.secrets = secret.NewService(h.st, enc)
	h.m = rotation.NewManager(h.st, h.secrets, rotation.WithCheckInterval(5*time.Millisecond), rotation.WithBackoff(time.Millisecond, time.Millisecond))
	h.m.RegisterKind(webhook.Kind, webhook.New(client))
	h.set(t, "SIGNING", signing)
	h.set(t, "KEY", "first", r.URL)
	return h
}

func (h house) set(t *testing.T, key, value string, destinations ...string) {
	t.Helper()
	var opts []secret.SetOption
	for _, d := range destinations {
		opts = append(opts, secret.WithDestinations(sealed.MustDestination(d)))
	}
	if _, err := h.secrets.Set(h.ctx, key, []byte(value), "", opts...); err != nil {
		t.Fatal(err)
	}
}

func (h house) policy(t *testing.T, params string) {
	t.Helper()
	_, err := rotation.NewService(h.m).SetPolicy(h.ctx, &rotation.Policy{SecretKey: "KEY", Interval: time.Hour, Grace: rotation.NoGrace,
		Enabled: true, Rotator: webhook.Kind, Params: json.RawMessage(params)})
	if err != nil {
		t.Fatal(err)
	}
}

func (h house) served(t *testing.T) string {
	t.Helper()
	s, err := h.secrets.Get(h.ctx, "KEY", "")
	if err != nil {
		t.Fatal(err)
	}
	return string(reveal.Inside(s.Value))
}

// verify checks a request as a receiver written after the specification of Standard Webhooks would.
func verify(t *testing.T, r request, key []byte) {
	t.Helper()
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s.%s.%s", r.header.Get("webhook-id"), r.header.Get("webhook-timestamp"), r.body)
	if want := "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil)); r.header.Get("webhook-signature") != want {
		t.Errorf("signed %q, want %q", r.header.Get("webhook-signature"), want)
	}
	at, err := strconv.ParseInt(r.header.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("at %q", r.header.Get("webhook-timestamp"))
	}
	if id := r.Data.Token + "." + strings.TrimPrefix(r.Type, "rotation."); r.header.Get("webhook-id") != id || r.header.Get("Idempotency-Key") != `"`+id+`"` {
		t.Errorf("id %q, want %q", r.header.Get("webhook-id"), id)
	}
}

func TestStepsAreSentSignedAndOnce(t *testing.T) {
	r := newReceiver(t)
	h := build(t, r)
	h.policy(t, `{"url":"`+r.URL+`/rotate?x=1","signing_key":"SIGNING","token":{"prefix":"sk_"}}`)
	if err := h.m.RotateNow(h.ctx, "KEY", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.m.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); len(r.requests()) < 3 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	_ = h.m.Stop(context.Background())
	got := r.requests()
	if len(got) != 3 || got[0].Type != "rotation.set" || got[1].Type != "rotation.test" || got[2].Type != "rotation.retire" {
		t.Fatalf("%+v", got)
	}
	for _, q := range got {
		verify(t, q, []byte(signing))
		if q.Data.App != "app" || q.Data.Tenant != "acme" || q.Data.Secret != "KEY" || q.Data.Token != got[0].Data.Token || q.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v", q)
		}
	}
	if v := got[0].Data.Value; v != h.served(t) || !strings.HasPrefix(v, "sk_") || got[0].Data.Version != 2 || got[0].Data.CurrentVersion != 1 {
		t.Errorf("%+v", got[0].Data)
	}
	if got[1].Data.Value != "" || got[2].Data.Value != "" || got[2].Data.PreviousVersion != 1 || got[2].Data.CurrentVersion != 2 {
		t.Errorf("%+v %+v", got[1].Data, got[2].Data)
	}
}

func TestARepeatedStepHasTheSameToken(t *testing.T) {
	r := newReceiver(t)
	h := build(t, r)
	fails := 2
	r.answer = func(w http.ResponseWriter, _ request) {
		if fails--; fails >= 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
	h.policy(t, `{"url":"`+r.URL+`","signing_key":"SIGNING","steps":["set"]}`)
	for i := range 3 {
		err := h.m.RotateNow(h.ctx, "KEY", "")
		if (i < 2) != fault.Is(err, fault.Unavailable) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	got := r.requests()
	if len(got) != 3 || got[0].Data.Value != h.served(t) {
		t.Fatalf("%+v", got)
	}
	for i, q := range got {
		verify(t, q, []byte(signing))
		if q.header.Get("webhook-id") != got[0].header.Get("webhook-id") || q.Data.Value != got[0].Data.Value || q.Data.Attempt != i {
			t.Errorf("attempt %d: %+v", i, q.Data)
		}
	}
}

func TestTheReceiverMayMakeTheValue(t *testing.T) {
	for answer, want := range map[string]string{`{"value":"made there"}`: "made there", `{"value":"/wA=","encoding":"base64"}`: "\xff\x00",
		`{}`: "", `hay`: "", `{"value":"x","encoding":"rot13"}`: ""} {
		r := newReceiver(t)
		h := build(t, r)
		r.answer = func(w http.ResponseWriter, q request) {
			if q.Type == "rotation.create" {
				_, _ = io.WriteString(w, answer)
			}
		}
		h.policy(t, `{"url":"`+r.URL+`","signing_key":"SIGNING","create":true,"steps":["set"]}`)
		err := h.m.RotateNow(h.ctx, "KEY", "")
		if want == "" {
			if code(err) != "WebhookAnswer" || h.served(t) != "first" {
				t.Errorf("%s: %v", answer, err)
			}
			continue
		}
		got := r.requests()
		if err != nil || h.served(t) != want || got[0].Data.Value != "" {
			t.Errorf("%s: served %q, %v", answer, h.served(t), err)
		}
		if want == "\xff\x00" && (got[1].Data.Encoding != "base64" || got[1].Data.Value != "/wA=") {
			t.Errorf("%+v", got[1].Data)
		}
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func TestARedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		other, r := newReceiver(t), newReceiver(t)
		h := build(t, r)
		r.answer = func(w http.ResponseWriter, _ request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		}
		h.policy(t, `{"url":"`+r.URL+`","signing_key":"SIGNING"}`)
		if err := h.m.RotateNow(h.ctx, "KEY", ""); code(err) != "WebhookRefused" || len(other.requests()) > 0 || len(r.requests()) != 1 {
			t.Errorf("%d: %v, %d and %d requests", status, err, len(r.requests()), len(other.requests()))
		}
	}
}

// The value goes where its owner said, not where a policy says.
func TestAPolicyIsNoDestination(t *testing.T) {
	r := newReceiver(t)
	h := build(t, r)
	for _, dests := range [][]string{nil, {"https://api.example"}} {
		h.set(t, "KEY2", "first", dests...)
		_, err := rotation.NewService(h.m).SetPolicy(h.ctx, &rotation.Policy{SecretKey: "KEY2", Interval: time.Hour, Enabled: true, Rotator: webhook.Kind,
			Params: json.RawMessage(`{"url":"` + r.URL + `","signing_key":"SIGNING"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.m.RotateNow(h.ctx, "KEY2", ""); code(err) != "DestinationMismatch" {
			t.Errorf("%v: %v", dests, err)
		}
		if err := rotation.NewService(h.m).Abandon(h.ctx, "KEY2", ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.requests(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestSigningKeys(t *testing.T) {
	raw := []byte("\x00\x01-bytes-that-are-no-text-\xff\xfe")
	for name, tc := range map[string]struct {
		stored string
		key    []byte
	}{
		"as Standard Webhooks writes it": {"whsec_" + base64.StdEncoding.EncodeToString(raw), raw},
		"as it is":                       {signing, []byte(signing)}, "too short": {"0123456789", nil}, "not base64": {"whsec_!!!", nil},
	} {
		r := newReceiver(t)
		h := build(t, r)
		h.set(t, "SIGNING", tc.stored)
		h.policy(t, `{"url":"`+r.URL+`","signing_key":"SIGNING","steps":["set"]}`)
		err := h.m.RotateNow(h.ctx, "KEY", "")
		if tc.key == nil {
			if code(err) != "SigningKey" || strings.Contains(err.Error(), tc.stored) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		verify(t, r.requests()[0], tc.key)
	}
}

func TestParameters(t *testing.T) {
	w := webhook.New(egress.New(egress.Policy{}, egress.Options{}))
	if err := w.CheckParams([]byte(`{"url":"https://hooks.example/x","signing_key":"K","password":{"length":20}}`)); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"nothing": `{}`, "no key": `{"url":"https://h.example"}`, "http": `{"url":"http://h.example","signing_key":"K"}`,
		"a file": `{"url":"file:///etc/passwd","signing_key":"K"}`, "a user": `{"url":"https://u:p@h.example","signing_key":"K"}`,
		"a fragment": `{"url":"https://h.example/#x","signing_key":"K"}`, "an unknown step": `{"url":"https://h.example","signing_key":"K","steps":["create"]}`,
		"an unknown field": `{"url":"https://h.example","signing_key":"K","uri":1}`, "two makers": `{"url":"https://h.example","signing_key":"K","create":true,"token":{}}`,
		"two kinds": `{"url":"https://h.example","signing_key":"K","password":{},"token":{}}`, "a weak token": `{"url":"https://h.example","signing_key":"K","token":{"bytes":4}}`,
		"two objects": `{"url":"https://h.example","signing_key":"K"}{}`,
	} {
		if err := w.CheckParams([]byte(bad)); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
