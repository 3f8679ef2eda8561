package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
)

// receiver takes copies of the record, and refuses those that are not signed.
type receiver struct {
	*httptest.Server
	down   atomic.Bool
	mu     sync.Mutex
	bodies []string
	bad    int
}

func newReceiver(t *testing.T, key string) *receiver {
	v := &receiver{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h := hmac.New(sha256.New, []byte(key))
		io.WriteString(h, r.Header.Get("webhook-id")+"."+r.Header.Get("webhook-timestamp")+"."+string(b))
		v.mu.Lock()
		defer v.mu.Unlock()
		switch {
		case v.down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case key != "" && r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)):
			v.bad++
			w.WriteHeader(http.StatusUnauthorized)
		default:
			v.bodies = append(v.bodies, string(b))
		}
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *receiver) heard(text string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return strings.Contains(strings.Join(v.bodies, "\n"), text)
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("there is never %s", what)
		}
	}
}

// Copies of the record go to the addresses of the settings, which no pipeline may reach for that; an operator sees how far they are.
func TestCopiesOfTheRecord(t *testing.T) {
	const key = "a key that both sides know"
	hook, otlp := newReceiver(t, key), newReceiver(t, "")
	s := apptest.Start(t, func(set *app.Settings) {
		set.Sinks = app.Sinks{Webhook: hook.URL + "/in", WebhookKey: sealed.NewString(key), OTLP: otlp.URL}
	})
	s.Member("acme", "ann", password, policy.Admin)
	s.Operator("olga", password)
	ann, olga := s.Login("ann", password), s.Login("olga", password)
	s.Must(200, ann, "PUT", "/api/v1/config/first", `{"value": 1}`)
	wait(t, "the entry in both copies", func() bool { return hook.heard("config.set") && otlp.heard("config.set") })
	if hook.bad != 0 {
		t.Errorf("%d requests were not signed", hook.bad)
	}
	sinks := func() map[string]client.AuditSink {
		t.Helper()
		var got struct{ Sinks []client.AuditSink }
		if err := json.Unmarshal([]byte(s.Must(200, olga, "GET", "/api/v1/audit/sinks", "")), &got); err != nil || len(got.Sinks) != 2 {
			t.Fatalf("%v, %v", got, err)
		}
		out := map[string]client.AuditSink{}
		for _, one := range got.Sinks {
			out[one.Name] = one
		}
		return out
	}
	if one := sinks()["webhook"]; one.Position == nil || one.Position.Entry == "" || one.Position.Seq == 0 || one.Delivered == 0 || one.Failures != 0 || one.ErrorKind != "" || one.LastOK.IsZero() {
		t.Errorf("%+v", one)
	}
	hook.down.Store(true)
	s.Must(200, ann, "PUT", "/api/v1/config/second", `{"value": 1}`)
	wait(t, "a sink that fails", func() bool { one := sinks()["webhook"]; return one.Failures > 0 && one.Lag > 0 })
	one := sinks()["webhook"]
	if one.ErrorKind != "unavailable" || one.FailingSince.IsZero() || one.Since.IsZero() || !strings.Contains(one.Error, "503") || one.Alarm {
		t.Errorf("%+v", one)
	}
	if other := sinks()["otlp"]; other.Failures != 0 {
		t.Errorf("%+v", other)
	}
	text := s.Must(200, olga, "GET", "/metrics", "")
	for _, want := range []string{"hayward_audit_sink_lag_entries{sink=\"webhook\"} ", "hayward_audit_sink_alarm{sink=\"otlp\"} 0", "hayward_audit_sink_failures{sink=\"otlp\"} 0",
		"hayward_audit_sink_lag_seconds{sink=\"webhook\"} "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "hayward_audit_sink_failures{sink=\"webhook\"} 0\n") {
		t.Error("the metrics show no failure")
	}
	hook.down.Store(false)
	wait(t, "an end of the failures", func() bool {
		one := sinks()["webhook"]
		return one.Failures == 0 && one.FailingSince.IsZero() && hook.heard("second")
	})
	if code, text := s.Call(ann, "GET", "/api/v1/audit/sinks", ""); code != 403 {
		t.Errorf("a tenant's admin: %d %s", code, text)
	}
}

// A pipeline may not reach where the record goes, and a webhook without a key does not start.
func TestTheAddressOfASinkIsNobodyElses(t *testing.T) {
	hook := newReceiver(t, "")
	s := apptest.Start(t, func(set *app.Settings) { set.Sinks = app.Sinks{OTLP: hook.URL} })
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Deploy(ann, "ask", strings.ReplaceAll(askYAML, "%s", hook.URL))
	s.Must(200, ann, "PUT", "/api/v1/secrets/OPENAI_API_KEY", `{"value": "sk-test-0123456789", "destinations": ["`+hook.URL+`"]}`)
	if code, text := s.Call(ann, "POST", "/ask/run", `{"name": "x"}`); code == 200 || !strings.Contains(text, "private") && !strings.Contains(text, "allow") {
		t.Errorf("a pipeline: %d %s", code, text)
	}
	if hook.heard("sk-test") {
		t.Error("the key arrived")
	}
	_, err := app.Open(t.Context(), app.Settings{DataDir: t.TempDir() + "/d", Root: keyring.FileRoot(t.TempDir() + "/k"), Listen: "127.0.0.1:0", Sinks: app.Sinks{Webhook: hook.URL}})
	if err == nil || !strings.Contains(err.Error(), "key that signs") {
		t.Errorf("without a key: %v", err)
	}
}
