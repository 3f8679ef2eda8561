package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/haywardhq/hayward/fault"
)

// Identity is a verified caller.
type Identity struct {
	App, Tenant, User string // opaque ids; Tenant is "" for an operator
	TenantSlug, Name  string
	Source            any // the authenticator's own record, for the door that belongs to it
}

// Authenticator verifies a bearer credential. A refusal is Unauthenticated.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (Identity, error)
}

// Limiter counts a request; tenant and user are "" before authentication. A refusal is Limited and may say when to try
// again ([RetryAfter]).
type Limiter interface {
	Allow(ctx context.Context, tenant, user, ip string) error
}

// Options configures [New].
type Options struct {
	Auth    Authenticator
	Limit   Limiter // may be nil
	Log     *slog.Logger
	MaxBody int64         // bytes; default 8 MiB
	Timeout time.Duration // longest time a request may take; default 10 min
	// Stall is how long a client may leave a piece of a stream unread before it is given up; default 30 s.
	Stall time.Duration
	// TrustedProxies may set X-Forwarded-For; everybody else's header is ignored.
	TrustedProxies []netip.Prefix
	// Hosts are the names that a Host header may hold; empty accepts all. On loopback it is what keeps a web page from
	// reaching the server by DNS rebinding.
	Hosts []string
	TLS   bool // adds Strict-Transport-Security
}

// Router is the http.Handler over all doors.
type Router struct {
	o           Options
	first, last *http.ServeMux
	routes      []Route
}

// New mounts the doors' routes. A route that names neither an action, nor Self, nor why it is open, and two routes for
// the same method and path, are programming errors and panic.
func New(o Options, doors ...Mounter) *Router {
	if o.MaxBody <= 0 {
		o.MaxBody = 8 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Stall <= 0 {
		o.Stall = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	rt := &Router{o: o, first: http.NewServeMux(), last: http.NewServeMux()}
	for _, d := range doors {
		for _, r := range d.Routes() {
			if r.Action == "" && r.Open == "" && !r.Self {
				panic(fmt.Sprintf("router: %s %s says neither what it does nor why it is open", r.Method, r.Path))
			}
			rt.routes = append(rt.routes, r)
			route, mux := r, rt.first
			if r.Last {
				mux = rt.last
			}
			mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, req *http.Request) { rt.serve(w, req, &route) })
		}
	}
	return rt
}

// Routes lists everything that is mounted.
func (rt *Router) Routes() []Route { return rt.routes }

// Reserved lists the first path segments that routes use: no tenant and no pipeline may be called so.
func (rt *Router) Reserved() []string {
	seen := map[string]bool{}
	var out []string
	for _, r := range rt.routes {
		seg, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		if seg != "" && !strings.HasPrefix(seg, "{") && !seen[seg] {
			seen[seg] = true
			out = append(out, seg)
		}
	}
	return out
}

type stateKey struct{}

// requestState is what the outermost layer learns from the inner ones, for the access log.
type requestState struct {
	id, ip, template string
	dialect          Dialect
	who              Identity
}

// ServeHTTP serves one request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	rec := &recorder{ResponseWriter: w}
	start := time.Now()
	state := &requestState{id: "req_" + strings.ReplaceAll(newID(), "-", ""), ip: rt.clientIP(req), template: "(none)"}
	rt.secure(w.Header(), state.id)
	req = req.WithContext(context.WithValue(req.Context(), stateKey{}, state))
	defer func() {
		cut := rt.recovered(recover(), rec, state)
		rt.o.Log.Info("request", "request_id", state.id, "method", method(req.Method), "route", state.template, "status", rec.code(),
			"bytes", rec.n, "ms", time.Since(start).Milliseconds(), "ip", state.ip, "tenant", state.who.Tenant, "user", state.who.User)
		if cut {
			panic(http.ErrAbortHandler) // the client must see that the answer was cut
		}
	}()
	rt.route(rec, req, state)
}

// method is a method as the log shows it: a client may send any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "(other)"
}

// secure sets what every answer carries, errors included. A door may replace what does not fit its page.
func (rt *Router) secure(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if rt.o.TLS {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// recovered deals with a panic. It reports whether the connection must be cut, because an answer had begun.
func (rt *Router) recovered(p any, rec *recorder, state *requestState) (cut bool) {
	if p == nil {
		return false
	}
	if p != http.ErrAbortHandler { //nolint:errorlint // a sentinel, as net/http compares it
		rt.o.Log.Error("panic", "request_id", state.id, "route", state.template, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if !rec.wrote {
			writeError(rec, state.dialect, state.id, fault.New(fault.Internal, "Internal error."))
			return false
		}
	}
	return true
}

// route finds who serves a request.
func (rt *Router) route(rec *recorder, req *http.Request, state *requestState) {
	if !rt.hostAllowed(req.Host) {
		writeError(rec, Native, state.id, WithStatus(http.StatusMisdirectedRequest,
			fault.New(fault.Invalid, "this server does not answer for the host in the Host header").WithHint("see the setting allowed-hosts")))
		return
	}
	path := req.URL.EscapedPath()
	if !canonical(path) {
		writeError(rec, FastAPI, state.id, notFound())
		return
	}
	if mux, _ := rt.match(req); mux != nil {
		mux.ServeHTTP(rec, req)
		return
	}
	if slashless := strings.TrimSuffix(path, "/"); slashless != path && slashless != "" && rt.redirect(rec, req, slashless) {
		return
	}
	_, allow := rt.match(req)
	if allow != "" {
		rec.Header().Set("Allow", allow)
		writeError(rec, FastAPI, state.id, WithStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "Method Not Allowed")))
		return
	}
	writeError(rec, FastAPI, state.id, notFound())
}

func notFound() error { return fault.New(fault.NotFound, "Not Found") }

// canonical reports whether a path is written the one way that routes are: what is not, is no route. So a rule for a path
// holds for every spelling that reaches it.
func canonical(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
		return false
	}
	for seg := range strings.SplitSeq(path[1:], "/") {
		if seg == "." || seg == ".." {
			return false
		}
	}
	return true
}

// match returns the mux that has a route for the request, or the methods that the path has.
func (rt *Router) match(req *http.Request) (mux *http.ServeMux, allow string) {
	for _, m := range []*http.ServeMux{rt.first, rt.last} {
		h, pattern := m.Handler(req)
		if pattern != "" {
			return m, ""
		}
		probe := &recorder{ResponseWriter: discard{http.Header{}}}
		h.ServeHTTP(probe, req)
		if probe.status == http.StatusMethodNotAllowed {
			return nil, probe.Header().Get("Allow")
		}
	}
	return nil, ""
}

// redirect sends a client that put a slash at the end to the route without it, with method and body, as Starlette does.
func (rt *Router) redirect(w http.ResponseWriter, req *http.Request, slashless string) bool {
	probe := *req
	u := *req.URL
	probe.URL = &u
	var err error
	if u.Path, err = unescape(slashless); err != nil {
		return false
	}
	u.RawPath = slashless
	if mux, _ := rt.match(&probe); mux == nil {
		return false
	}
	to := slashless
	if req.URL.RawQuery != "" {
		to += "?" + req.URL.RawQuery
	}
	w.Header().Set("Location", to)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true
}

func newID() string {
	id, err := uuid.NewV7()
	if err != nil { // only without a random source
		panic(errors.Join(errors.New("router: no random numbers"), err))
	}
	return id.String()
}
