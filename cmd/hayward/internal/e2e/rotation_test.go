package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/vault/rotation"
)

// The server rotates what is due by itself, and records it as what it is: nobody asked.
func TestASecretIsRotatedByItself(t *testing.T) {
	s := apptest.Start(t, func(set *app.Settings) {
		set.Rotation = []rotation.Option{rotation.WithCheckInterval(20 * time.Millisecond), rotation.WithMinInterval(time.Millisecond)}
	})
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Must(200, ann, "PUT", "/api/v1/secrets/DB_PASSWORD", `{"value": "the-first-value"}`)
	s.Must(200, ann, "PUT", "/api/v1/rotations/DB_PASSWORD", `{"interval": "1h", "rotator": "random-password", "grace": "none", "next_rotation_at": "2020-01-01T00:00:00Z"}`)
	var history string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if history = s.Must(200, ann, "GET", "/api/v1/rotations/DB_PASSWORD/history", ""); strings.Contains(history, "rotated\"") {
			break
		}
	}
	if !strings.Contains(history, `"outcome":"rotated"`) || !strings.Contains(history, `"rotated_by":"system/rotation-manager"`) || !strings.Contains(history, `"new_version":2`) {
		t.Fatalf("got %s", history)
	}
	if text := s.Must(200, ann, "POST", "/api/v1/secrets/DB_PASSWORD/reveal", ""); strings.Contains(text, "the-first-value") || !strings.Contains(text, `"version":2`) {
		t.Errorf("got %s", text)
	}
	if list := s.Must(200, ann, "GET", "/api/v1/audit?action=rotation.run&outcome=ok", ""); !strings.Contains(list, `"user":"system/rotation-manager"`) {
		t.Errorf("got %s", list)
	}
}

func TestRotationPoliciesAreReadStrictly(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Must(200, ann, "PUT", "/api/v1/secrets/K", `{"value": "the-first-value"}`)
	for _, tc := range []struct {
		body string
		code int
		says string
	}{
		{`{}`, 422, "interval is missing"},
		{`{"interval": "30 days"}`, 422, "interval is not a duration"},
		{`{"interval": "-1h"}`, 422, "interval is not a duration"},
		{`{"interval": "1s", "rotator": "random-password"}`, 422, "at least"},
		{`{"interval": "24h", "rotator": "no-such"}`, 422, "no-such"},
		{`{"interval": "24h", "rotator": "random-password", "grace": "48h"}`, 422, "longer than the interval"},
		{`{"interval": "24h", "rotator": "random-password", "params": {"len": 3}}`, 422, "params"},
		{`{"interval": "24h", "rotator": "random-password", "params": {"length": 3}}`, 422, "8 to 1024"},
		{`{"interval": "24h", "rotator": "random-password", "windows": [{"from": "25:00", "to": "3:00"}]}`, 422, ""},
		{`{"interval": "24h", "rotator": "random-password", "tenant_id": "x"}`, 422, "unknown field"},
		{`{"interval": "24h", "rotator": "random-password", "params": {"length": 40}, "windows": [{"days": ["sat"], "from": "01:00", "to": "05:00"}]}`, 200, `"interval":"24h0m0s"`},
	} {
		if code, text := s.Call(ann, "PUT", "/api/v1/rotations/K", tc.body); code != tc.code || !strings.Contains(text, tc.says) {
			t.Errorf("%s: %d %s", tc.body, code, text)
		}
	}
}
