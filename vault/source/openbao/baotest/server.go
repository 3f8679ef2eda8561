package baotest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a running server. Its methods may be called from any goroutine.
type Server struct {
	*httptest.Server
	RootToken string

	mu          sync.Mutex
	initialized bool
	sealed      bool
	standby     bool
	offset      time.Duration // of the clock
	namespaces  map[string]*namespace
	tokens      map[string]*token
	wrapped     map[string]*wrap
	jwts        map[string]serviceAccount
	faults      []Fault
	seen        []Request
	clusterID   string
}

// Request is a request the server has seen.
type Request struct {
	Method, Path, Namespace string
	Header                  http.Header // without the token
	Token                   bool        // whether there was one
	Status                  int
}

// Fault is an answer given in place of the real one.
type Fault struct {
	Status     int // 0: the connection is cut
	RetryAfter string
	Location   string
	Body       string        // default: {"errors": [...]}
	Path       string        // only for paths that contain this
	Times      int           // default 1
	Delay      time.Duration // before it
}

// New starts a server that is initialised and unsealed, and stops it at the end of the test.
func New(t testing.TB) *Server {
	s := NewUninitialized(t)
	s.Initialize()
	s.Unseal()
	return s
}

// NewUninitialized starts a server as it is on its first day.
func NewUninitialized(t testing.TB) *Server {
	s := blank()
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// NewTLS is [New] over TLS; Certificate() is its own.
func NewTLS(t testing.TB) *Server {
	s := blank()
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	s.Initialize()
	s.Unseal()
	return s
}

func blank() *Server {
	s := &Server{sealed: true, namespaces: map[string]*namespace{"": newNamespace("")}, tokens: map[string]*token{}, wrapped: map[string]*wrap{},
		jwts: map[string]serviceAccount{}, clusterID: newUUID(), RootToken: "s." + random(12)}
	s.tokens[s.RootToken] = &token{id: s.RootToken, accessor: random(12), policies: []string{"root"}, created: time.Now(), path: "auth/token/root",
		display: "root", kind: "service", orphan: true}
	return s
}

// Initialize, Seal, Unseal and Standby put the server into a state.
func (s *Server) Initialize() { s.set(func() { s.initialized = true }) }
func (s *Server) Seal()       { s.set(func() { s.sealed = true }) }
func (s *Server) Unseal()     { s.set(func() { s.sealed = false }) }

// Standby makes the server a standby that does not forward, or the active one again.
func (s *Server) Standby(on bool) { s.set(func() { s.standby = on }) }

// Advance moves the server's clock: tokens, secret ids, wrapped answers and versions expire by it.
func (s *Server) Advance(d time.Duration) { s.set(func() { s.offset += d }) }

// Inject adds a fault for the next requests.
func (s *Server) Inject(f Fault) {
	s.set(func() {
		if f.Times == 0 {
			f.Times = 1
		}
		s.faults = append(s.faults, f)
	})
}

// ClearFaults takes back what [Server.Inject] added.
func (s *Server) ClearFaults() { s.set(func() { s.faults = nil }) }

// RevokeAll revokes every token but the root token, as an operator in an emergency does.
func (s *Server) RevokeAll() {
	s.set(func() {
		for id := range s.tokens {
			if id != s.RootToken {
				delete(s.tokens, id)
			}
		}
	})
}

// Requests returns what was asked so far; with a part of a path, only those that contain it.
func (s *Server) Requests(containing ...string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.seen {
		match := true
		for _, c := range containing {
			match = match && strings.Contains(r.Path, c)
		}
		if match {
			out = append(out, r)
		}
	}
	return out
}

func (s *Server) set(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

func (s *Server) now() time.Time { return time.Now().UTC().Add(s.offset) }

// Answer is what a request of [Server.Do] got.
type Answer struct {
	Status int
	Body   map[string]any
}

// Data returns a member of the answer's data.
func (a Answer) Data(name string) any {
	data, _ := a.Body["data"].(map[string]any)
	return data[name]
}

// Auth returns a member of the answer's auth.
func (a Answer) Auth(name string) any {
	auth, _ := a.Body["auth"].(map[string]any)
	return auth[name]
}

// Admin sends a request with the root token over the wire, and ends the test if it is refused. The path has no "/v1/".
func (s *Server) Admin(t testing.TB, method, path string, body any) Answer {
	t.Helper()
	a := s.Do(t, method, path, map[string]string{"X-Vault-Token": s.RootToken}, body)
	if a.Status >= 400 {
		t.Fatalf("%s %s: %d %v", method, path, a.Status, a.Body)
	}
	return a
}

// Do sends a request over the wire.
func (s *Server) Do(t testing.TB, method, path string, header map[string]string, body any) Answer {
	t.Helper()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.URL+"/v1/"+path, content)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode}
	dec := json.NewDecoder(resp.Body)
	dec.UseNumber()
	if err := dec.Decode(&a.Body); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// call is one request inside.
type call struct {
	s     *Server
	http  *http.Request
	op    string // read, list, write, patch, delete
	ns    *namespace
	path  string // below the namespace
	query url.Values
	body  map[string]any
	token *token
}

// reply is an answer: data and auth inside the usual envelope, raw as it is, or errors.
type reply struct {
	status   int
	data     any
	auth     map[string]any
	warnings []string
	raw      any
	errors   []string
}

var done = reply{status: http.StatusNoContent}

func ok(data any) reply { return reply{status: http.StatusOK, data: data} }

func failed(status int, format string, args ...any) reply {
	return reply{status: status, errors: []string{fmt.Sprintf(format, args...)}}
}

func bad(format string, args ...any) reply { return failed(http.StatusBadRequest, format, args...) }

var (
	notFound     = reply{status: http.StatusNotFound, errors: []string{}}
	denied       = reply{status: http.StatusForbidden, errors: []string{"permission denied"}}
	deniedByRule = reply{status: http.StatusForbidden, errors: []string{"1 error occurred:\n\t* permission denied\n\n"}}
	unsupported  = reply{status: http.StatusMethodNotAllowed, errors: []string{"1 error occurred:\n\t* unsupported operation\n\n"}}
)

// ServeHTTP answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := 0
	defer func() {
		header := r.Header.Clone()
		header.Del("X-Vault-Token")
		s.seen = append(s.seen, Request{Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/v1/"), Namespace: r.Header.Get("X-Vault-Namespace"),
			Header: header, Token: r.Header.Get("X-Vault-Token") != "", Status: status})
	}()
	if f, hit := s.fault(r.URL.Path); hit {
		status = f.Status
		s.fail(w, r, f)
		return
	}
	rep := s.answer(r)
	status = rep.status
	send(w, rep)
}

func (s *Server) fault(path string) (Fault, bool) {
	for i, f := range s.faults {
		if !strings.Contains(path, f.Path) {
			continue
		}
		if s.faults[i].Times--; s.faults[i].Times == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return f, true
	}
	return Fault{}, false
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, f Fault) {
	if f.Delay > 0 {
		s.mu.Unlock()
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
		s.mu.Lock()
	}
	if f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	for k, v := range map[string]string{"Retry-After": f.RetryAfter, "Location": f.Location} {
		if v != "" {
			w.Header().Set(k, v)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	if f.Body == "" {
		f.Body = `{"errors":["injected"]}`
	}
	_, _ = io.WriteString(w, f.Body)
}

func send(w http.ResponseWriter, rep reply) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(rep.status)
	var body any
	switch {
	case rep.status == http.StatusNoContent:
		return
	case rep.errors != nil:
		body = map[string]any{"errors": rep.errors}
	case rep.raw != nil:
		body = rep.raw
	default:
		body = envelope(rep, newUUID(), nil)
	}
	_ = json.NewEncoder(w).Encode(body)
}

func envelope(rep reply, id string, wrapInfo any) map[string]any {
	var warnings, auth any
	if len(rep.warnings) > 0 {
		warnings = rep.warnings
	}
	if rep.auth != nil {
		auth = rep.auth
	}
	return map[string]any{"request_id": id, "lease_id": "", "renewable": false, "lease_duration": 0, "data": rep.data, "wrap_info": wrapInfo,
		"warnings": warnings, "auth": auth}
}

func (s *Server) answer(r *http.Request) reply {
	path, found := strings.CutPrefix(r.URL.Path, "/v1/")
	if !found {
		return failed(http.StatusNotFound, "")
	}
	if path == "sys/health" {
		return s.health(r.URL.Query())
	}
	if !s.initialized || s.sealed {
		return failed(http.StatusServiceUnavailable, "Vault is sealed")
	}
	if s.standby {
		return failed(http.StatusServiceUnavailable, "Vault is in standby mode")
	}
	c, rep := s.call(r, path)
	if rep.status != 0 {
		return rep
	}
	if rep = c.authorize(); rep.status != 0 {
		return rep
	}
	rep = c.route()
	return c.wrapIfAsked(rep)
}

func (s *Server) call(r *http.Request, path string) (*call, reply) {
	c := &call{s: s, http: r, query: r.URL.Query(), body: map[string]any{}}
	switch r.Method {
	case "GET":
		c.op = "read"
		if c.query.Get("list") == "true" {
			c.op = "list"
		}
	case "LIST":
		c.op = "list"
	case "POST", "PUT":
		c.op = "write"
	case "PATCH":
		c.op = "patch"
	case "DELETE":
		c.op = "delete"
	default:
		return nil, failed(http.StatusMethodNotAllowed, "")
	}
	var rep reply
	if c.ns, c.path, rep = s.namespace(r.Header.Get("X-Vault-Namespace"), path); rep.status != 0 {
		return nil, rep
	}
	if strings.Contains(c.path, "..") {
		return nil, bad("path cannot contain parent references")
	}
	if c.op == "write" || c.op == "patch" {
		return c, c.readBody()
	}
	return c, reply{}
}

func (c *call) readBody() reply {
	if ct := c.http.Header.Get("Content-Type"); c.op == "patch" && ct != "application/merge-patch+json" {
		return failed(http.StatusUnsupportedMediaType, "PATCH requires Content-Type of application/merge-patch+json, provided %s", ct)
	}
	dec := json.NewDecoder(io.LimitReader(c.http.Body, 32<<20))
	dec.UseNumber()
	if err := dec.Decode(&c.body); err != nil && !errors.Is(err, io.EOF) {
		return bad("failed to decode JSON input: %v", err)
	}
	return reply{}
}

// route finds who answers: the longest mount that the path lies under.
func (c *call) route() reply {
	if rest, found := strings.CutPrefix(c.path, "sys/"); found {
		return c.sys(rest)
	}
	if rest, found := strings.CutPrefix(c.path, "auth/"); found {
		return c.auth(rest)
	}
	m, rest := c.ns.mount(c.path)
	if m == nil {
		return failed(http.StatusNotFound, "no handler for route %q. route entry not found.", c.path)
	}
	switch m.kind {
	case "kv":
		return c.kv(m.kv, rest)
	case "transit":
		return c.transit(m, rest)
	}
	return unsupported
}

func (s *Server) health(q url.Values) reply {
	code := func(name string, def int) int {
		n := 0
		if _, err := fmt.Sscan(q.Get(name), &n); err != nil || n < 100 {
			return def
		}
		return n
	}
	body := map[string]any{"initialized": s.initialized, "sealed": s.sealed, "standby": s.sealed || s.standby, "replication_performance_mode": "unknown",
		"replication_dr_mode": "unknown", "server_time_utc": s.now().Unix(), "version": "2.0.0-HEAD"}
	status := code("activecode", http.StatusOK)
	switch {
	case !s.initialized:
		status = code("uninitcode", http.StatusNotImplemented)
	case s.sealed:
		status = code("sealedcode", http.StatusServiceUnavailable)
	default:
		body["replication_performance_mode"], body["replication_dr_mode"] = "primary", "disabled"
		body["cluster_name"], body["cluster_id"] = "vault-cluster-"+s.clusterID[:8], s.clusterID
		if s.standby && q.Get("standbyok") == "" {
			status = code("standbycode", http.StatusTooManyRequests)
		}
	}
	return reply{status: status, raw: body}
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func newUUID() string {
	h := random(16)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
