package router_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/scope"
)

// door is a mount list of a test.
type door []router.Route

func (d door) Routes() []router.Route { return d }

// one knows one token.
type one struct{}

func (one) Authenticate(_ context.Context, bearer string) (router.Identity, error) {
	if bearer != "good" {
		return router.Identity{}, fault.New(fault.Unauthenticated, "Could not validate credentials")
	}
	return router.Identity{App: "app_1", Tenant: "ten_1", User: "usr_1"}, nil
}

const open = "a test"

func route(method, path string, h router.Handler) router.Route {
	return router.Route{Method: method, Path: path, Handler: h, Self: true, Dialect: router.FastAPI}
}

func text(s string) router.Handler {
	return func(context.Context, *router.Request) (any, error) { return map[string]string{"says": s}, nil }
}

func fails(err error) router.Handler {
	return func(context.Context, *router.Request) (any, error) { return nil, err }
}

// logs is a buffer that several goroutines write to.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type fixture struct {
	*httptest.Server
	log *logs
}

func start(t *testing.T, o router.Options, routes ...router.Route) fixture {
	t.Helper()
	l := &logs{}
	o.Auth, o.Log = one{}, slog.New(slog.NewJSONHandler(l, nil))
	srv := httptest.NewServer(router.New(o, door(routes)))
	t.Cleanup(srv.Close)
	return fixture{srv, l}
}

func (f fixture) send(t *testing.T, method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, f.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = path // as written, not cleaned
	req.Header.Set("Authorization", "Bearer good")
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			req.Host = headers[i+1]
		case "-Authorization":
			req.Header.Del("Authorization")
		default:
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

// Every spelling of a path gets the answer of the one it means, or none.
func TestPaths(t *testing.T) {
	last := route("POST", "/{name}/run", func(_ context.Context, r *router.Request) (any, error) { return r.PathValue("name"), nil })
	last.Last = true
	f := start(t, router.Options{}, route("GET", "/status", text("all")), route("POST", "/undeploy/{name}", text("gone")),
		route("GET", "/status/{name}", func(_ context.Context, r *router.Request) (any, error) { return r.PathValue("name"), nil }), last)
	const missing, wrong = `{"detail":"Not Found"}`, `{"detail":"Method Not Allowed"}`
	for _, tc := range []struct {
		method, path string
		code         int
		body, header string
	}{
		{"GET", "/status", 200, `{"says":"all"}`, ""},
		{"HEAD", "/status", 200, "", ""},
		{"GET", "/%73tatus", 200, `{"says":"all"}`, ""},
		{"GET", "/status/a%2fb", 200, `"a/b"`, ""},
		{"GET", "/status/%2e%2e", 200, `".."`, ""},
		{"GET", "/status/gr%C3%BCn", 200, `"grün"`, ""},
		{"GET", "/status/", 307, "", "Location: /status"},
		{"GET", "/status/x%2f/?a=b", 307, "", "Location: /status/x%2f?a=b"},
		{"POST", "/hello/run", 200, `"hello"`, ""},
		{"POST", "/hello/run/", 307, "", "Location: /hello/run"},
		{"POST", "/undeploy/run", 200, `{"says":"gone"}`, ""},
		{"POST", "/status/run", 405, wrong, "Allow: GET, HEAD"},
		{"GET", "/hello/run", 405, wrong, "Allow: POST"},
		{"OPTIONS", "/hello/run", 405, wrong, "Allow: POST"},
		{"DELETE", "/status", 405, wrong, "Allow: GET, HEAD"},
		{"BREW", "/status", 405, wrong, "Allow: GET, HEAD"},
		{"POST", "/hello/walk", 404, missing, ""},
		{"GET", "/nothing", 404, missing, ""},
		{"GET", "/nothing/", 404, missing, ""},
		{"GET", "/", 404, missing, ""},
		{"GET", "//status", 404, missing, ""},
		{"GET", "//evil.example/", 404, missing, ""},
		{"GET", "/status//", 404, missing, ""},
		{"GET", "/a/../status", 404, missing, ""},
		{"GET", "/./status", 404, missing, ""},
		{"GET", "/status;x", 404, missing, ""},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			resp, body := f.send(t, tc.method, tc.path, nil)
			if resp.StatusCode != tc.code || body != tc.body {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, body, tc.code, tc.body)
			}
			if name, want, ok := strings.Cut(tc.header, ": "); ok && resp.Header.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, resp.Header.Get(name), want)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	f := start(t, router.Options{}, route("GET", "/x", text("in")), router.Route{Method: "GET", Path: "/open", Handler: text("open"), Open: open})
	const none, bad = `{"detail":"Not authenticated"}`, `{"detail":"Could not validate credentials"}`
	for _, tc := range []struct {
		name    string
		path    string
		headers []string
		code    int
		body    string
	}{
		{"a good token", "/x", nil, 200, `{"says":"in"}`},
		{"the scheme in another case", "/x", []string{"-Authorization", "", "Authorization", "bEaReR good"}, 200, `{"says":"in"}`},
		{"no header", "/x", []string{"-Authorization", ""}, 401, none},
		{"an empty token", "/x", []string{"-Authorization", "", "Authorization", "Bearer "}, 401, none},
		{"another scheme", "/x", []string{"-Authorization", "", "Authorization", "Basic Og=="}, 401, none},
		{"a bad token", "/x", []string{"-Authorization", "", "Authorization", "Bearer evil"}, 401, bad},
		{"two headers", "/x", []string{"Authorization", "Bearer good"}, 401, none},
		{"a cookie", "/x", []string{"-Authorization", "", "Cookie", "access_token=good"}, 401, none},
		{"headers that name somebody", "/x", []string{"-Authorization", "", "X-Tenant-Id", "ten_1", "X_Hayward_User", "usr_1"}, 401, none},
		{"in the URL", "/x?access_token=good", []string{"-Authorization", ""}, 400, `{"detail":"a token in the URL is refused (send it in the Authorization header)"}`},
		{"an open route", "/open", []string{"-Authorization", "", "Authorization", "Basic Og=="}, 200, `{"says":"open"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, body := f.send(t, "GET", tc.path, nil, tc.headers...)
			if resp.StatusCode != tc.code || body != tc.body {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
			if challenge := resp.Header.Get("WWW-Authenticate"); (challenge == "Bearer") != (tc.code == 401) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
}

// What every answer carries, also those that no handler gave.
func TestEveryAnswerIsGuarded(t *testing.T) {
	f := start(t, router.Options{Hosts: []string{"127.0.0.1"}, TLS: true, MaxBody: 10}, route("POST", "/x", text("in")),
		route("GET", "/panics", func(context.Context, *router.Request) (any, error) { panic("boom: inner words") }),
		route("GET", "/breaks", fails(errors.New("inner words"))), route("GET", "/stranger", fails(fault.New(fault.Internal, "inner words"))),
		route("GET", "/unmarshalable", func(context.Context, *router.Request) (any, error) { return func() {}, nil }))
	ids := map[string]bool{}
	for _, tc := range []struct {
		method, path string
		code         int
		body         string
		headers      []string
	}{
		{"POST", "/x", 200, "", nil},
		{"POST", "/x", 401, "", []string{"-Authorization", ""}},
		{"GET", "/x", 405, "", nil},
		{"GET", "/none", 404, "", nil},
		{"POST", "/x/", 307, "", nil},
		{"POST", "/x", 413, strings.Repeat("a", 11), nil},
		{"POST", "/x", 421, "", []string{"Host", "evil.example"}},
		{"GET", "/panics", 500, "", nil},
		{"GET", "/breaks", 500, "", nil},
		{"GET", "/stranger", 500, "", nil},
		{"GET", "/unmarshalable", 500, "", nil},
	} {
		resp, body := f.send(t, tc.method, tc.path, strings.NewReader(tc.body), append(tc.headers, "X-Request-Id", "mine")...)
		if resp.StatusCode != tc.code {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, resp.StatusCode, body)
		}
		if tc.code == 500 && body != `{"detail":"Internal error."}` {
			t.Errorf("%s shows %s", tc.path, body)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=63072000",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Server": "", "Access-Control-Allow-Origin": ""} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s %s (%d): %s is %q, want %q", tc.method, tc.path, tc.code, name, got, want)
			}
		}
		id := resp.Header.Get("X-Request-Id")
		if !strings.HasPrefix(id, "req_") || ids[id] {
			t.Errorf("request id %q", id)
		}
		ids[id] = true
	}
	if !strings.Contains(f.log.String(), "boom: inner words") {
		t.Error("the log does not say what the panic was")
	}
}

func TestHosts(t *testing.T) {
	f := start(t, router.Options{Hosts: []string{"localhost", "127.0.0.1", "::1"}}, route("GET", "/x", text("in")))
	for host, want := range map[string]int{
		"localhost": 200, "LocalHost:1416": 200, "127.0.0.1:80": 200, "127.0.0.1": 200, "[::1]": 200, "[::1]:1416": 200, "[0:0:0:0:0:0:0:1]:1": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:80": 421, "localhost:80:80": 421, "127.0.0.2": 421, "[::2]": 421, "evil.example:1416": 421,
	} {
		if resp, body := f.send(t, "GET", "/x", nil, "Host", host); resp.StatusCode != want {
			t.Errorf("%s: %d %s", host, resp.StatusCode, body)
		}
	}
}

func TestClientAddress(t *testing.T) {
	prefix := func(s ...string) (out []netip.Prefix) {
		for _, p := range s {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	for _, tc := range []struct {
		name      string
		trusted   []netip.Prefix
		forwarded []string
		want      string
	}{
		{"nobody is trusted", nil, []string{"1.2.3.4"}, "127.0.0.1"},
		{"another proxy is trusted", prefix("10.0.0.0/8"), []string{"1.2.3.4"}, "127.0.0.1"},
		{"a trusted proxy", prefix("127.0.0.0/8"), []string{"1.2.3.4"}, "1.2.3.4"},
		{"only the last hop counts", prefix("127.0.0.0/8"), []string{"6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		{"through two of them", prefix("127.0.0.0/8", "10.0.0.0/8"), []string{"6.6.6.6, 1.2.3.4, 10.1.1.1"}, "1.2.3.4"},
		{"in two headers", prefix("127.0.0.0/8", "10.0.0.0/8"), []string{"1.2.3.4", "10.1.1.1"}, "1.2.3.4"},
		{"all are trusted", prefix("127.0.0.0/8", "10.0.0.0/8"), []string{"10.2.2.2, 10.1.1.1"}, "10.2.2.2"},
		{"no header", prefix("127.0.0.0/8"), nil, "127.0.0.1"},
		{"nonsense ends the walk", prefix("127.0.0.0/8", "10.0.0.0/8"), []string{"1.2.3.4, x, 10.1.1.1"}, "10.1.1.1"},
		{"with a port", prefix("127.0.0.0/8"), []string{"1.2.3.4:5678"}, "1.2.3.4"},
		{"IPv6", prefix("127.0.0.0/8"), []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"IPv6 in brackets", prefix("127.0.0.0/8"), []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv4 in IPv6", prefix("127.0.0.0/8"), []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := start(t, router.Options{TrustedProxies: tc.trusted}, route("GET", "/x", func(ctx context.Context, r *router.Request) (any, error) {
				c, err := scope.Strict(ctx)
				if c.IP != r.IP || c.RequestID != r.RequestID {
					t.Errorf("the scope says %q %q", c.IP, c.RequestID)
				}
				return r.IP, err
			}))
			var headers []string
			for _, h := range tc.forwarded {
				headers = append(headers, "X-Forwarded-For", h)
			}
			headers = append(headers, "X-Real-Ip", "9.9.9.9", "Forwarded", "for=9.9.9.9")
			if _, body := f.send(t, "GET", "/x", nil, headers...); body != `"`+tc.want+`"` {
				t.Errorf("got %s", body)
			}
		})
	}
}

// The access log names the route, and nothing that a caller wrote.
func TestAccessLog(t *testing.T) {
	f := start(t, router.Options{}, route("POST", "/x/{name}", func(_ context.Context, r *router.Request) (any, error) { _, err := r.Body(); return nil, err }))
	f.send(t, "POST", "/x/canary-path?q=canary-query", strings.NewReader("canary-body"), "User-Agent", "canary-agent", "X-Request-Id", "canary-id")
	f.send(t, "CANARY", "/canary-none", nil)
	f.Close()
	text := f.log.String()
	if strings.Contains(strings.ToLower(text), "canary") {
		t.Errorf("the log quotes the caller: %s", text)
	}
	for _, want := range []string{`"route":"POST /x/{name}"`, `"status":204`, `"tenant":"ten_1"`, `"user":"usr_1"`, `"ip":"127.0.0.1"`, `"request_id":"req_`, `"status":404`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
}

// What a component or a provider said is not the log's: it may quote documents and the caller's own secrets.
func TestAFailedRunIsLoggedWithoutItsWords(t *testing.T) {
	at := fault.Where{Component: "llm", Type: "haystack.x.Y"}
	f := start(t, router.Options{}, route("GET", "/run", fails(fault.New(fault.Failed, "the provider says canary").WithCode("PipelineRuntimeError").At(at))),
		route("GET", "/down", fails(fault.Wrap(fault.Unavailable, errors.New("disk full"), "the store is down"))))
	if _, body := f.send(t, "GET", "/run", nil); !strings.Contains(body, "canary") {
		t.Errorf("the caller is told %s", body)
	}
	if _, body := f.send(t, "GET", "/down", nil); strings.Contains(body, "disk full") {
		t.Errorf("the caller is told %s", body)
	}
	if text := f.log.String(); strings.Contains(text, "canary") || !strings.Contains(text, `"component":"llm"`) || !strings.Contains(text, "disk full") {
		t.Errorf("the log says %s", text)
	}
}

func TestAPanicInTheMiddleCutsTheAnswer(t *testing.T) {
	f := start(t, router.Options{}, route("GET", "/x", func(context.Context, *router.Request) (any, error) {
		return &router.Response{Write: func(w io.Writer, flush func() error) error {
			_, _ = w.Write([]byte("half"))
			_ = flush()
			panic("boom")
		}}, nil
	}))
	resp, err := http.DefaultClient.Do(authorised(t, f.URL+"/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the answer %q looks whole", b)
	}
	if text := f.log.String(); !strings.Contains(text, "boom") {
		t.Errorf("the log says %s", text)
	}
}

func authorised(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	return req
}

func TestStreams(t *testing.T) {
	stream := func(pieces int, err error) router.Handler {
		return func(context.Context, *router.Request) (any, error) {
			return &router.Response{Header: http.Header{"Content-Type": {"text/event-stream"}}, Write: func(w io.Writer, flush func() error) error {
				for range pieces {
					if _, err := w.Write([]byte("piece;")); err != nil {
						return err
					}
					if err := flush(); err != nil {
						return err
					}
				}
				return err
			}}, nil
		}
	}
	f := start(t, router.Options{}, route("GET", "/good", stream(2, nil)), route("GET", "/none", stream(0, nil)),
		route("GET", "/early", stream(0, fault.New(fault.NotFound, "nowhere"))), route("GET", "/late", stream(1, fault.New(fault.Failed, "broke"))))
	if resp, body := f.send(t, "GET", "/good", nil); resp.StatusCode != 200 || body != "piece;piece;" || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body := f.send(t, "GET", "/none", nil); resp.StatusCode != 200 || body != "" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body := f.send(t, "GET", "/early", nil); resp.StatusCode != 404 || body != `{"detail":"nowhere"}` || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %s", resp.StatusCode, body, resp.Header)
	}
	resp, err := http.DefaultClient.Do(authorised(t, f.URL+"/late"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the cut answer %q looks whole", b)
	}
}

// A client that stops reading is given up, so that it does not hold a run for ever.
func TestAStalledReaderIsGivenUp(t *testing.T) {
	ended := make(chan error, 1)
	f := start(t, router.Options{Stall: 50 * time.Millisecond}, route("GET", "/x", func(context.Context, *router.Request) (any, error) {
		return &router.Response{Write: func(w io.Writer, flush func() error) error {
			piece := bytes.Repeat([]byte("x"), 1<<20)
			for {
				if _, err := w.Write(piece); err != nil {
					ended <- err
					return err
				}
			}
		}}, nil
	}))
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the handler still writes")
	}
}

func TestAClientThatGoesCancelsTheRequest(t *testing.T) {
	ended, begun := make(chan error, 1), make(chan struct{})
	f := start(t, router.Options{}, route("POST", "/x", func(ctx context.Context, r *router.Request) (any, error) {
		if _, err := r.Body(); err != nil {
			return nil, err
		}
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}))
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 2\r\n\r\n{}")
	<-begun
	conn.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the request goes on")
	}
}

func TestLargeBodies(t *testing.T) {
	big := route("POST", "/big", func(_ context.Context, r *router.Request) (any, error) { b, err := r.Body(); return len(b), err })
	big.MaxBody = 1000
	f := start(t, router.Options{MaxBody: 10}, big, route("POST", "/small", big.Handler))
	for _, tc := range []struct {
		path string
		size int
		code int
	}{{"/small", 10, 200}, {"/small", 11, 413}, {"/big", 1000, 200}, {"/big", 1001, 413}, {"/small", 5 << 20, 413}} {
		body := strings.Repeat("a", tc.size)
		if resp, text := f.send(t, "POST", tc.path, strings.NewReader(body)); resp.StatusCode != tc.code {
			t.Errorf("%s %d: %d %s", tc.path, tc.size, resp.StatusCode, text)
		}
		// Without a length the server finds out while it reads.
		if resp, text := f.send(t, "POST", tc.path, struct{ io.Reader }{strings.NewReader(body)}); resp.StatusCode != tc.code || (tc.code == 413 && !resp.Close) {
			t.Errorf("%s %d in pieces: %d %s, closes %v", tc.path, tc.size, resp.StatusCode, text, resp.Close)
		}
	}
}

func TestAfterALargeBodyTheConnectionIsClosed(t *testing.T) {
	f := start(t, router.Options{MaxBody: 10}, route("POST", "/x", text("in")))
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 1000000000000\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 413 || !bytes.Contains(b, []byte("larger than 10 bytes")) {
		t.Errorf("%d %s", resp.StatusCode, b)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the connection stays open: %v", err)
	}
}

func TestQueries(t *testing.T) {
	native := router.Route{Method: "GET", Path: "/n", Handler: text("in"), Self: true, Params: []router.Param{{Name: "limit"}}}
	f := start(t, router.Options{}, native)
	for query, want := range map[string]int{"": 200, "?limit=1": 200, "?limt=1": 422, "?limit=1&limit=2": 422} {
		resp, body := f.send(t, "GET", "/n"+query, nil)
		if resp.StatusCode != want {
			t.Errorf("%s: %d %s", query, resp.StatusCode, body)
		}
		var p router.Problem
		if want == 422 && (json.Unmarshal([]byte(body), &p) != nil || p.Kind != "invalid" || p.Where == nil || p.RequestID == "") {
			t.Errorf("%s: %s", query, body)
		}
	}
}

type refuses struct{ err error }

func (r refuses) Allow(_ context.Context, tenant, _, _ string) error {
	if tenant == "" {
		return nil
	}
	return r.err
}

func TestARefusedRateSaysWhen(t *testing.T) {
	limit := refuses{router.RetryLater(fault.New(fault.Limited, "too many"), 1500*time.Millisecond)}
	f := start(t, router.Options{Limit: limit}, route("GET", "/x", text("in")))
	if resp, body := f.send(t, "GET", "/x", nil); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "2" || body != `{"detail":"too many"}` {
		t.Errorf("%d %s %s", resp.StatusCode, resp.Header, body)
	}
}

func TestARouteMustSayWhoMay(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a route without an action was mounted")
		}
	}()
	router.New(router.Options{}, door{{Method: "GET", Path: "/x", Handler: text("in")}})
}
