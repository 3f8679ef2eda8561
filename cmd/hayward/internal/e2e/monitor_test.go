package e2e

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/sealed"
)

// The key of a monitor opens the metrics, and no other route of the whole list: there it is as good as no credential at all.
func TestTheMonitorsKeyOpensTheMetricsAlone(t *testing.T) {
	const first, second = "a-monitors-key-0123456789-abc", "another-monitors-key-0123456789"
	var now atomic.Value
	now.Store(first)
	key, err := auth.NewMachineKey(func() (sealed.Value, error) { return sealed.NewString(now.Load().(string)), nil })
	if err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, func(set *app.Settings) { set.MetricsKey = key })
	s.Member("acme", "ann", password, policy.Admin)
	s.Operator("olga", password)
	if text := s.Must(200, first, "GET", "/metrics", ""); !strings.Contains(text, "vault_audit_recorded_total") {
		t.Error(text)
	}
	s.Must(401, first+"x", "GET", "/metrics", "")
	s.Must(401, second, "GET", "/metrics", "")
	s.Must(200, s.Login("olga", password), "GET", "/metrics", "")
	s.Must(403, s.Login("ann", password), "GET", "/metrics", "")
	blank := regexp.MustCompile(`\{[^}]*\}`)
	tried := 0
	for _, r := range s.Router.Routes() {
		if r.Open != "" || r.Path == "/metrics" {
			continue
		}
		tried++
		if code, text := s.Call(first, r.Method, blank.ReplaceAllString(r.Path, "x"), `{}`); code != 401 {
			t.Errorf("%s %s: %d %s", r.Method, r.Path, code, text)
		}
	}
	if tried < 60 {
		t.Errorf("only %d routes were tried", tried)
	}
	now.Store(second)
	s.Must(401, first, "GET", "/metrics", "")
	s.Must(200, second, "GET", "/metrics", "")
	if strings.Contains(s.Logs.String(), first) || strings.Contains(s.Logs.String(), second) {
		t.Error("the key is in the log")
	}
}
