package sealed_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

func TestParseDestination(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"api.openai.com", "https://api.openai.com"},
		{"  https://API.OpenAI.com/v1/  ", "https://api.openai.com"},
		{"HTTPS://api.openai.com:443", "https://api.openai.com"},
		{"https://api.openai.com:", "https://api.openai.com"},
		{"https://api.openai.com:0443", "https://api.openai.com"},
		{"https://api.openai.com.", "https://api.openai.com"},
		{"https://api.openai.com?api-version=1", "https://api.openai.com"},
		{"http://api.openai.com", "http://api.openai.com"},
		{"http://api.openai.com:443", "http://api.openai.com:443"},
		{"https://api.openai.com:80", "https://api.openai.com:80"},
		{"http://127.0.0.1:4011/v1", "http://127.0.0.1:4011"},
		{"http://127.0.0.1.:4011", "http://127.0.0.1:4011"},
		{"localhost:8080", "https://localhost:8080"},
		{"http://model_server:8080", "http://model_server:8080"},
		{"http://[::1]:80", "http://[::1]"},
		{"https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"},
		{"http://[::ffff:127.0.0.1]", "http://127.0.0.1"},
		{"http://[::ffff:7f00:1]", "http://127.0.0.1"},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		{"https://1password.com", "https://1password.com"},
		{"https://a.1e100.net", "https://a.1e100.net"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			d, err := sealed.ParseDestination(tc.in)
			if err != nil || d.String() != tc.want {
				t.Fatalf("got %q, %v; want %q", d, err, tc.want)
			}
		})
	}
}

func TestParseDestinationRefuses(t *testing.T) {
	for _, tc := range []struct{ in, why string }{
		{"", "is empty"},
		{"   ", "is empty"},
		{"https://", "has no host name"},
		{"https://.", "has no host name"},
		{"https:///v1", "has no host name"},
		{"https://:443", "has no host name"},
		{"ftp://example.com", "neither http nor https"},
		{"file:///etc/passwd", "neither http nor https"},
		{"unix:///run/x.sock", "neither http nor https"},
		{"https://user@example.com", "user information"},
		{"https://user:hunter2@example.com", "user information"},
		{"api.openai.com@evil.example", "user information"},
		{"https://@example.com", "user information"},
		{"https://example.com#api.openai.com", "a fragment"},
		{"https://example.com#", "a fragment"},
		{"*.openai.com", "not plain"},
		{"https://*", "not plain"},
		{"https://a..b", "not plain"},
		{"https://a..", "not plain"},
		{"https://-a.example", "not plain"},
		{"https://a-.example", "not plain"},
		{"https://" + strings.Repeat("a", 64) + ".example", "not plain"},
		{"https://" + strings.Repeat("a.", 130) + "example", "has no host name"},
		{"https://bücher.example", "not plain"},
		{"https://%E2%84%AAelvin.example", "not plain"}, // the Kelvin sign, which folds to k
		{"https://\u212Aelvin.example", "not plain"},
		{"https://api。openai。com", "not plain"}, // ideographic full stops
		{"https://a,b.example", "not plain"},
		{"https://[fe80::1%25eth0]", "has a zone"},
		{"https://2130706433", "unusual spelling"},
		{"https://0x7f000001", "unusual spelling"},
		{"https://0x7F.1", "unusual spelling"},
		{"https://127.1", "unusual spelling"},
		{"https://0177.0.0.1", "unusual spelling"},
		{"https://127.0.0.0x1", "unusual spelling"},
		{"https://256.256.256.256", "unusual spelling"},
		{"https://example.com:0", "has a port"},
		{"https://example.com:65536", "has a port"},
		{"https://example.com:99999999999999999999", "has a port"},
		{"https://example.com:-1", "is not a URL"},
		{"https://example.com:https", "is not a URL"},
		{"https://api.openai.com\\@evil.example", "is not a URL"},
		{"https://exa mple.com", "is not a URL"},
		{"https://example.com\r\nX: y", "is not a URL"},
		{"https://[::1", "is not a URL"},
		{"https://::1", "is not a URL"},
		{"javascript:alert(1)", "is not a URL"},
	} {
		t.Run(tc.in, func(t *testing.T) {
			d, err := sealed.ParseDestination(tc.in)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.why) {
				t.Fatalf("got %q, %v; want an error with %q", d, err, tc.why)
			}
			if !d.IsZero() || fault.From(err).Hint == "" {
				t.Errorf("got %q, hint %q", d, fault.From(err).Hint)
			}
		})
	}
}

func TestARefusalQuotesNothingThatMayBeSecret(t *testing.T) {
	for _, in := range []string{
		"https://sk-canary@example.com", "https://u:sk-canary@example.com/sk-canary?k=sk-canary", "ftp://u:sk-canary@h/?q=sk-canary",
		"https://example.com:0/sk-canary?k=sk-canary", "https://exa mple/sk-canary", "https://example.com/?a=sk-canary#f",
	} {
		if _, err := sealed.ParseDestination(in); err == nil || strings.Contains(err.Error(), "sk-canary") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestCoversIsExact(t *testing.T) {
	key := sealed.MustDestination("https://api.openai.com")
	for _, tc := range []struct {
		other string
		want  bool
	}{
		{"https://api.openai.com", true},
		{"https://API.openai.com.:443/v1/chat", true},
		{"http://api.openai.com", false},
		{"http://api.openai.com:443", false},
		{"https://api.openai.com:8443", false},
		{"https://openai.com", false},
		{"https://evil.api.openai.com", false},
		{"https://api.openai.com.evil.example", false},
	} {
		if got := key.Covers(sealed.MustDestination(tc.other)); got != tc.want {
			t.Errorf("%s: %v", tc.other, got)
		}
	}
	if (sealed.Destination{}).Covers(sealed.Destination{}) {
		t.Error("nothing covers nothing")
	}
}

func TestDestinationsTravelAsText(t *testing.T) {
	in := map[string][]sealed.Destination{"d": {sealed.MustDestination("https://[::1]:8443"), sealed.MustDestination("a.example")}}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `{"d":["https://[::1]:8443","https://a.example"]}` {
		t.Fatalf("%s, %v", b, err)
	}
	var out map[string][]sealed.Destination
	if err := json.Unmarshal(b, &out); err != nil || out["d"][0] != in["d"][0] || out["d"][1] != in["d"][1] {
		t.Fatalf("%v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"d":["*"]}`), &out); err == nil {
		t.Error("a wildcard was read")
	}
}

func TestMustDestinationPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	sealed.MustDestination("")
}

func FuzzParseDestination(f *testing.F) {
	for _, s := range []string{"api.openai.com", "http://[::1]:1/x?y#z", "https://u:p@h", "http://[::ffff:1.2.3.4]", "https://a..b:0", "0x7f.1", "https://\u212A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := sealed.ParseDestination(s)
		if err != nil {
			if !d.IsZero() || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q, %v", d, err)
			}
			return
		}
		again, err := sealed.ParseDestination(d.String())
		if err != nil || again != d {
			t.Fatalf("%q reads back as %q, %v", d, again, err)
		}
		u, err := url.Parse(d.String() + "/v1")
		if err != nil || u.User != nil || !strings.EqualFold(u.Hostname(), d.Host()) {
			t.Fatalf("%q is another URL: %v, %v", d, u, err)
		}
		if d.Port() < 1 || d.Port() > 65535 || d.Host() != strings.ToLower(d.Host()) || strings.ContainsAny(d.Host(), "*@/\\?# ") {
			t.Fatalf("%q is not canonical", d)
		}
	})
}
