package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
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
	// TrustedProxies may set X-Forwarded-For; everybody else's header is ignored.
	TrustedProxies []netip.Prefix
	// Hosts are the names that a Host header may hold; empty accepts all. On loopback it is what keeps a web page from
	// reaching the server by DNS rebinding.
	Hosts []string
	TLS   bool // adds Strict-Transport-Security
}

// Router is the http.Handler over all doors.
type Router struct {
	o      Options
	mux    *http.ServeMux
	routes []Route
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
	if o.Log == nil {
		o.Log = slog.Default()
	}
	rt := &Router{o: o, mux: http.NewServeMux()}
	for _, d := range doors {
		for _, r := range d.Routes() {
			if r.Action == "" && r.Open == "" && !r.Self {
				panic(fmt.Sprintf("router: %s %s says neither what it does nor why it is open", r.Method, r.Path))
			}
			rt.routes = append(rt.routes, r)
			route := r
			pattern := r.Path
			if r.Mux != "" {
				pattern = r.Mux
			}
			rt.mux.HandleFunc(r.Method+" "+pattern, func(w http.ResponseWriter, req *http.Request) { rt.serve(w, req, &route) })
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

// ServeHTTP serves one request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	rec := &recorder{ResponseWriter: w}
	start := time.Now()
	id := "req_" + strings.ReplaceAll(newID(), "-", "")
	h := w.Header()
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if rt.o.TLS {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
	ip := rt.clientIP(req)
	state := &requestState{id: id, ip: ip, template: "(none)"}
	req = req.WithContext(context.WithValue(req.Context(), stateKey{}, state))
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			rt.o.Log.Error("panic", "request_id", id, "route", state.template, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !rec.wrote {
				writeError(rec, state.dialect, id, fault.New(fault.Internal, "Internal error."))
			}
		}
		rt.o.Log.Info("request", "request_id", id, "method", req.Method, "route", state.template, "status", rec.code(), "bytes", rec.n,
			"ms", time.Since(start).Milliseconds(), "ip", ip, "tenant", state.who.Tenant, "user", state.who.User)
	}()
	if !rt.hostAllowed(req.Host) {
		writeError(rec, Native, id, WithStatus(http.StatusMisdirectedRequest,
			fault.New(fault.Invalid, "this server does not answer for the host in the Host header").WithHint("see the setting allowed-hosts")))
		return
	}
	handler, pattern := rt.mux.Handler(req)
	if pattern == "" {
		rt.unmatched(rec, req, handler, id)
		return
	}
	rt.mux.ServeHTTP(rec, req)
}

type stateKey struct{}

// requestState is what the outermost layer learns from the inner ones, for the access log.
type requestState struct {
	id, ip, template string
	dialect          Dialect
	who              Identity
}

// unmatched answers 404 and 405 in FastAPI's words, which are also fit for people.
func (rt *Router) unmatched(w http.ResponseWriter, req *http.Request, h http.Handler, id string) {
	probe := &recorder{ResponseWriter: discard{http.Header{}}}
	h.ServeHTTP(probe, req)
	err := fault.New(fault.NotFound, "Not Found")
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.Header().Get("Allow"))
		writeError(w, FastAPI, id, WithStatus(http.StatusMethodNotAllowed, fault.New(fault.Invalid, "Method Not Allowed")))
		return
	}
	writeError(w, FastAPI, id, err)
}

func (rt *Router) serve(w http.ResponseWriter, req *http.Request, route *Route) {
	state := req.Context().Value(stateKey{}).(*requestState)
	state.template, state.dialect = route.Method+" "+route.Path, route.Dialect
	maxBody := rt.o.MaxBody
	if route.MaxBody > 0 {
		maxBody = route.MaxBody
	}
	req.Body = http.MaxBytesReader(w, req.Body, maxBody)
	ctx, cancel := context.WithTimeoutCause(req.Context(), rt.o.Timeout, fault.New(fault.Timeout, "the request took longer than %s", rt.o.Timeout))
	defer cancel()
	r := &Request{RequestID: state.id, IP: state.ip, route: route}
	ctx, err := rt.identify(ctx, w, req, r, state)
	if err == nil {
		r.Request = req.WithContext(ctx)
		var answer any
		if answer, err = route.Handler(ctx, r); err == nil {
			rt.answer(w, route, r, answer)
			return
		}
	}
	code := writeError(w, route.Dialect, state.id, err)
	rt.logError(code, state, err)
}

// identify counts the request, verifies who asks and sets the scope, once.
func (rt *Router) identify(ctx context.Context, w http.ResponseWriter, req *http.Request, r *Request, state *requestState) (context.Context, error) {
	who := Identity{}
	if route := r.route; route.Open == "" {
		bearer, err := bearerOf(req, w.Header())
		if err != nil {
			return ctx, err
		}
		if err := rt.allow(ctx, "", "", r.IP); err != nil {
			return ctx, err
		}
		if who, err = rt.o.Auth.Authenticate(ctx, bearer); err != nil {
			return ctx, err
		}
		if err := rt.allow(ctx, who.Tenant, who.User, r.IP); err != nil {
			return ctx, err
		}
	} else if err := rt.allow(ctx, "", "", r.IP); err != nil {
		return ctx, err
	}
	state.who, r.Who = who, who
	return scope.WithCaller(ctx, scope.Caller{App: who.App, Tenant: who.Tenant, User: who.User, IP: r.IP, RequestID: r.RequestID}), nil
}

func (rt *Router) allow(ctx context.Context, tenant, user, ip string) error {
	if rt.o.Limit == nil {
		return nil
	}
	return rt.o.Limit.Allow(ctx, tenant, user, ip)
}

// bearerOf reads the credential. A token in the query is refused: URLs end up in logs (RFC 9700 4.3.2).
func bearerOf(req *http.Request, h http.Header) (string, error) {
	if req.URL.Query().Has("access_token") {
		return "", WithStatus(http.StatusBadRequest, fault.New(fault.Invalid, "a token in the URL is refused").
			WithHint("send it in the Authorization header"))
	}
	values := req.Header.Values("Authorization")
	if len(values) != 1 {
		h.Set("WWW-Authenticate", "Bearer")
		return "", fault.New(fault.Unauthenticated, "Not authenticated")
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "bearer") || token == "" {
		h.Set("WWW-Authenticate", "Bearer")
		return "", fault.New(fault.Unauthenticated, "Not authenticated")
	}
	return strings.TrimSpace(token), nil
}

func (rt *Router) answer(w http.ResponseWriter, route *Route, r *Request, v any) {
	resp, ok := v.(*Response)
	if !ok {
		resp = &Response{JSON: v}
		if v == nil {
			resp.Status = http.StatusNoContent
		}
	}
	for k, vs := range resp.Header {
		w.Header()[k] = vs
	}
	code := resp.Status
	if code == 0 {
		code = http.StatusOK
		if route.Created {
			code = http.StatusCreated
		}
	}
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	switch {
	case resp.Write != nil:
		rt.stream(w, r, code, resp)
	case resp.JSON != nil:
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		rt.sendJSON(w, route, r, code, resp.JSON)
	default:
		if len(resp.Body) > 0 || code != http.StatusNoContent {
			w.Header().Set("Content-Length", strconv.Itoa(len(resp.Body)))
		}
		w.WriteHeader(code)
		_, _ = w.Write(resp.Body)
	}
}

func (rt *Router) sendJSON(w http.ResponseWriter, route *Route, r *Request, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		code := writeError(w, route.Dialect, r.RequestID, fault.Wrap(fault.Internal, err, "the answer cannot be encoded"))
		rt.logError(code, &requestState{id: r.RequestID, template: route.Path}, err)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

func (rt *Router) stream(w http.ResponseWriter, r *Request, code int, resp *Response) {
	ctl := http.NewResponseController(w)
	_ = ctl.SetWriteDeadline(time.Time{})
	w.WriteHeader(code)
	if err := resp.Write(w, ctl.Flush); err != nil {
		rt.o.Log.Warn("stream ended early", "request_id", r.RequestID, "error", err)
		panic(http.ErrAbortHandler) // the client must see that the stream was cut
	}
}

// logError keeps the inside of an error that the client does not see.
func (rt *Router) logError(code int, state *requestState, err error) {
	if code < 500 {
		return
	}
	f := fault.From(err)
	rt.o.Log.Error("request failed", "request_id", state.id, "route", state.template, "kind", f.Kind.String(), "error", err)
}

// clientIP is the peer's address, or the last hop that no trusted proxy added.
func (rt *Router) clientIP(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return ""
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	peer = peer.Unmap().WithZone("")
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && rt.trusted(peer); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = hop.Unmap().WithZone("")
	}
	return peer.String()
}

func (rt *Router) trusted(a netip.Addr) bool {
	for _, p := range rt.o.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (rt *Router) hostAllowed(host string) bool {
	if len(rt.o.Hosts) == 0 {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	for _, h := range rt.o.Hosts {
		if strings.EqualFold(h, name) {
			return true
		}
	}
	return false
}

func newID() string {
	id, err := uuid.NewV7()
	if err != nil { // only without a random source
		panic(errors.Join(errors.New("router: no random numbers"), err))
	}
	return id.String()
}
