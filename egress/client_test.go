package egress_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

const secret = "sk-canary-0123456789"

func containsFold(s, sub string) bool { return strings.Contains(strings.ToLower(s), sub) }

// site is a real server that writes down what it was asked.
type site struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func newSite(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		if h != nil {
			h(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *site) addr() string { return strings.TrimPrefix(s.URL, "http://") }

func allowing(t *testing.T, o egress.Options, entries ...string) *egress.Client {
	t.Helper()
	p, err := egress.NewPolicy(entries...)
	if err != nil {
		t.Fatal(err)
	}
	c := egress.New(p, o)
	t.Cleanup(c.CloseIdle)
	return c
}

func get(t *testing.T, target string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func keyFor(origin string) egress.Credential {
	return egress.Bearer(sealed.NewString(secret).For(sealed.MustDestination(origin)))
}

func mustSucceed(t *testing.T, resp *http.Response, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

func mustFail(t *testing.T, err error, kind fault.Kind, says ...string) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v (%v), want %v", err, fault.KindOf(err), kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
	if text := fmt.Sprintf("%v %+v", err, fault.From(err).Hint); strings.Contains(text, "canary") {
		t.Errorf("the error shows a secret: %s", text)
	}
}

// TestTheGuardLooksAtTheAddress spells one listening address in every way; only the operator's list opens it.
func TestTheGuardLooksAtTheAddress(t *testing.T) {
	s := newSite(t, nil)
	_, port, _ := net.SplitHostPort(s.addr())
	c := allowing(t, egress.Options{DialTimeout: 2 * time.Second})
	for _, host := range []string{"127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[::127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]",
		"[fe80::1%25lo]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"} {
		t.Run(host, func(t *testing.T) {
			_, err := c.Do(get(t, "http://"+host+":"+port+"/?q=canary"))
			mustFail(t, err, fault.Denied, "is not allowed", port)
			if f := fault.From(err); f.Code != "EgressDenied" || !strings.Contains(f.Hint, "egress-allow") {
				t.Errorf("code %q, hint %q", f.Code, f.Hint)
			}
		})
	}
	if n := len(s.requests()); n != 0 {
		t.Fatalf("%d requests came through", n)
	}
	resp, err := allowing(t, egress.Options{}, s.addr()).Do(get(t, s.URL))
	mustSucceed(t, resp, err)
}

// TestNumericSpellingsOfAnAddressDoNotPass: other programs read these names as 127.0.0.1.
func TestNumericSpellingsOfAnAddressDoNotPass(t *testing.T) {
	s := newSite(t, nil)
	_, port, _ := net.SplitHostPort(s.addr())
	c := allowing(t, egress.Options{})
	egress.SetResolver(c, resolver(t, map[string]string{})) // so that nobody asks the network
	for _, host := range []string{"2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0177.0.0.1"} {
		if resp, err := c.Do(get(t, "http://"+host+":"+port)); err == nil {
			t.Errorf("%s: %s", host, resp.Status)
		}
		if _, err := c.Do(get(t, "http://"+host+":"+port), keyFor(s.URL)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s with a secret: %v", host, err)
		}
	}
	if n := len(s.requests()); n != 0 {
		t.Fatalf("%d requests came through", n)
	}
}

func TestANameThatLeadsInsideIsRefused(t *testing.T) {
	s := newSite(t, nil)
	_, port, _ := net.SplitHostPort(s.addr())
	names := map[string]string{"rebound.example.": "127.0.0.1", "meta.example.": "169.254.169.254", "mapped.example.": "::ffff:127.0.0.1"}
	c := allowing(t, egress.Options{})
	egress.SetResolver(c, resolver(t, names))
	for name := range names {
		_, err := c.Do(get(t, "http://"+strings.TrimSuffix(name, ".")+":"+port))
		mustFail(t, err, fault.Denied, "is not allowed")
	}
	if n := len(s.requests()); n != 0 {
		t.Fatalf("%d requests came through", n)
	}
	c = allowing(t, egress.Options{}, "rebound.example:"+port)
	egress.SetResolver(c, resolver(t, names))
	resp, err := c.Do(get(t, "http://rebound.example:"+port))
	mustSucceed(t, resp, err)
	_, err = c.Do(get(t, "http://nowhere.example:"+port+"/?q=canary"))
	mustFail(t, err, fault.Unavailable, "cannot reach http://nowhere.example", "no such host")
}

func TestARedirectIsGuardedAgain(t *testing.T) {
	inside := newSite(t, nil)
	outside := newSite(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) })
	_, err := allowing(t, egress.Options{}, outside.addr()).Do(get(t, outside.URL))
	mustFail(t, err, fault.Denied, inside.addr())
	if n := len(inside.requests()); n != 0 {
		t.Fatalf("%d requests came through", n)
	}
	resp, err := allowing(t, egress.Options{}, outside.addr(), inside.addr()).Do(get(t, outside.URL+"/?q=canary"))
	mustSucceed(t, resp, err)
	if ref := inside.requests()[0].Referer(); ref != "" {
		t.Errorf("the next host was told %q", ref)
	}
}

func TestRedirectsEnd(t *testing.T) {
	loop := newSite(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again?q=canary", http.StatusFound) })
	_, err := allowing(t, egress.Options{MaxRedirects: 3}, loop.addr()).Do(get(t, loop.URL))
	mustFail(t, err, fault.Failed, "more than 3 redirects", loop.URL)
	if n := len(loop.requests()); n != 4 {
		t.Errorf("%d requests, want 1 and 3 redirects", n)
	}
}

func TestACredentialIsSentAndNotShown(t *testing.T) {
	s := newSite(t, nil)
	req := get(t, s.URL)
	resp, err := allowing(t, egress.Options{}, s.addr()).Do(req, keyFor(s.URL),
		egress.Credential{Header: "x-api-key", Value: sealed.NewString("second").For(sealed.MustDestination(s.URL))})
	mustSucceed(t, resp, err)
	got := s.requests()[0].Header
	if got.Get("Authorization") != "Bearer "+secret || got.Get("X-Api-Key") != "second" {
		t.Errorf("the server saw %v", got)
	}
	if resp.Request != req || len(req.Header) != 0 {
		t.Errorf("the caller sees %v and %v", resp.Request.Header, req.Header)
	}
}

func TestACredentialDoesNotFollowARedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		other := newSite(t, nil)
		first := newSite(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/?to=x", status) })
		c := allowing(t, egress.Options{}, first.addr(), other.addr())
		resp, err := c.Do(get(t, first.URL), keyFor(first.URL))
		mustSucceed(t, resp, err)
		if resp.StatusCode != status || len(other.requests()) != 0 || len(first.requests()) != 1 {
			t.Errorf("%d: got %d, the second server was asked %d times", status, resp.StatusCode, len(other.requests()))
		}
	}
}

func TestACredentialForAnotherOriginIsRefused(t *testing.T) {
	s := newSite(t, nil)
	c := allowing(t, egress.Options{}, s.addr())
	elsewhere := keyFor("https://api.openai.com")
	_, err := c.Do(get(t, s.URL), elsewhere)
	mustFail(t, err, fault.Denied, s.URL, "https://api.openai.com")
	_, err = c.Do(get(t, s.URL), egress.Bearer(sealed.NewString(secret)))
	mustFail(t, err, fault.Denied, s.URL, "nobody has said")
	_, err = c.Do(get(t, strings.Replace(s.URL, "http://", "http://user@", 1)), keyFor(s.URL))
	mustFail(t, err, fault.Invalid, "user information")
	_, err = c.Do(get(t, s.URL), keyFor(s.URL), elsewhere)
	mustFail(t, err, fault.Denied, "https://api.openai.com")
	req := get(t, s.URL)
	req.Host = "evil.example"
	_, err = c.Do(req, keyFor(s.URL))
	mustFail(t, err, fault.Denied, "Host header")
	if n := len(s.requests()); n != 0 {
		t.Fatalf("%d requests came through", n)
	}
}

func TestACredentialThatIsNoHeaderIsRefused(t *testing.T) {
	s := newSite(t, nil)
	c := allowing(t, egress.Options{}, s.addr())
	for _, v := range []string{"canary\n", "canary\r\nX: y", "\x00canary", "can\x7fary"} {
		_, err := c.Do(get(t, s.URL), egress.Bearer(sealed.NewString(v).For(sealed.MustDestination(s.URL))))
		mustFail(t, err, fault.Invalid, "control character")
	}
	for _, name := range []string{"", "X Y", "X\n", "X:"} {
		cred := keyFor(s.URL)
		cred.Header = name
		_, err := c.Do(get(t, s.URL), cred)
		mustFail(t, err, fault.Invalid, "not the name of a header")
	}
}

func TestProxyVariablesAreNotRead(t *testing.T) {
	proxy, s := newSite(t, nil), newSite(t, nil)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	t.Setenv("NO_PROXY", "")
	_, port, _ := net.SplitHostPort(s.addr())
	c := allowing(t, egress.Options{}, "model.example:"+port, proxy.addr()) // a loopback target never goes through a proxy
	egress.SetResolver(c, resolver(t, map[string]string{"model.example.": "127.0.0.1"}))
	resp, err := c.Do(get(t, "http://model.example:"+port))
	mustSucceed(t, resp, err)
	if len(proxy.requests()) != 0 || len(s.requests()) != 1 {
		t.Errorf("the proxy saw %d requests, the server %d", len(proxy.requests()), len(s.requests()))
	}
}

func TestKindsOfFailure(t *testing.T) {
	hang := make(chan struct{})
	slow := newSite(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	closed := newSite(t, nil)
	closed.Close()
	raw := rawSite(t, "HTTP/1.1 200 canary-in-the-status\r\nBad Header canary\r\n\r\n")
	lost := rawSite(t, "HTTP/1.1 302 Found\r\nLocation: http://%zz/?q=canary\r\nContent-Length: 0\r\n\r\n")
	long := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("canary", 4000)) })
	c := allowing(t, egress.Options{ResponseHeaderTimeout: 50 * time.Millisecond, MaxHeaderBytes: 4096},
		slow.addr(), closed.addr(), raw, lost, long.addr())
	patient := allowing(t, egress.Options{}, slow.addr())
	for _, tc := range []struct {
		name   string
		client *egress.Client
		target string
		ctx    func(context.Context) (context.Context, context.CancelFunc)
		want   fault.Kind
	}{
		{"nobody listens", c, closed.URL, nil, fault.Unavailable},
		{"no answer", c, slow.URL, nil, fault.Timeout},
		{"the caller's deadline", patient, slow.URL, after(20 * time.Millisecond), fault.Timeout},
		{"the caller left", patient, slow.URL, canceled, fault.Canceled},
		{"not HTTP", c, "http://" + raw, nil, fault.Unavailable},
		{"a broken redirect", c, "http://" + lost, nil, fault.Unavailable},
		{"a long header", c, long.URL, nil, fault.Unavailable},
		{"plain text where TLS was asked", c, "https://" + slow.addr(), nil, fault.Unavailable},
		{"another scheme", c, "gopher://" + slow.addr(), nil, fault.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := get(t, tc.target+"/path?q=canary")
			if tc.ctx != nil {
				ctx, cancel := tc.ctx(t.Context())
				defer cancel()
				req = req.WithContext(ctx)
			}
			_, err := tc.client.Do(req)
			u, _ := url.Parse(tc.target)
			mustFail(t, err, tc.want, u.Host)
		})
	}
}

func after(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

func canceled(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("canary"))
	return ctx, func() {}
}

// rawSite answers every connection with text.
func rawSite(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, text)
			}()
		}
	}()
	return l.Addr().String()
}

func TestTLSIsChecked(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.EnableHTTP2, s.Config.ErrorLog = true, log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	_, err := allowing(t, egress.Options{}, strings.TrimPrefix(s.URL, "https://")).Do(get(t, s.URL), keyFor(s.URL))
	mustFail(t, err, fault.Unavailable, "certificate")
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	given := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}
	resp, err := allowing(t, egress.Options{TLS: given}, strings.TrimPrefix(s.URL, "https://")).Do(get(t, s.URL), keyFor(s.URL))
	mustSucceed(t, resp, err)
	if resp.TLS.Version < tls.VersionTLS12 || resp.ProtoMajor != 2 || given.MinVersion != tls.VersionTLS10 {
		t.Errorf("TLS %x, %s, the given configuration was changed: %v", resp.TLS.Version, resp.Proto, given.MinVersion != tls.VersionTLS10)
	}
}

func TestConnectionsAreSharedSecretsAreNot(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Authorization")) })
	c := allowing(t, egress.Options{}, s.addr())
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			key := fmt.Sprintf("key-%d", i)
			for range 20 {
				resp, err := c.Do(get(t, s.URL), egress.Bearer(sealed.NewString(key).For(sealed.MustDestination(s.URL))))
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if string(got) != "Bearer "+key {
					t.Errorf("sent %s for %s", got, key)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkDoWithCredential(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	p, err := egress.NewPolicy(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	c, key := egress.New(p, egress.Options{}), keyFor(s.URL)
	req, _ := http.NewRequest(http.MethodGet, s.URL, nil)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Do(req, key)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
