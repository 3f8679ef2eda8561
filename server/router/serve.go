package router

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
)

func (rt *Router) serve(w http.ResponseWriter, req *http.Request, route *Route) {
	state := req.Context().Value(stateKey{}).(*requestState)
	state.template, state.dialect = route.Method+" "+route.Path, route.Dialect
	ctx, cancel := context.WithTimeoutCause(req.Context(), rt.o.Timeout, fault.New(fault.Timeout, "the request took longer than %s", rt.o.Timeout))
	defer cancel()
	r := &Request{RequestID: state.id, IP: state.ip, route: route, control: http.NewResponseController(w)}
	ctx, err := rt.identify(ctx, w, req, r, state)
	if err == nil {
		err = rt.limitBody(w, req, r)
	}
	if err == nil {
		r.Request = req.WithContext(ctx)
		if err = checkQuery(r); err == nil {
			err = rt.handle(ctx, w, r)
		}
	}
	if err != nil {
		code := writeError(w, route.Dialect, state.id, err)
		rt.logError(code, state, err)
	}
}

func (rt *Router) handle(ctx context.Context, w http.ResponseWriter, r *Request) error {
	answer, err := r.route.Handler(ctx, r)
	if err != nil {
		return outsideTenants(err)
	}
	return rt.answer(w, r.route, r, answer)
}

// limitBody refuses a body that says it is too large before any of it is read, and stops reading one that is.
func (rt *Router) limitBody(w http.ResponseWriter, req *http.Request, r *Request) error {
	most := rt.o.MaxBody
	if r.route.MaxBody > 0 {
		most = r.route.MaxBody
	}
	if req.ContentLength > most {
		w.Header().Set("Connection", "close")
		return tooLarge(most)
	}
	inner := w
	if rec, ok := w.(*recorder); ok {
		inner = rec.ResponseWriter // net/http closes the connection of its own writer when the limit is passed
	}
	req.Body = http.MaxBytesReader(inner, req.Body, most)
	return nil
}

// checkQuery refuses what the route does not know, so that a misspelt parameter does not pass for one that was left out.
func checkQuery(r *Request) error {
	if r.URL.RawQuery == "" || r.route.Dialect != Native || r.route.Open != "" {
		return nil
	}
	for name, values := range r.URL.Query() {
		known := false
		for _, p := range r.route.Params {
			known = known || p.Name == name
		}
		switch {
		case !known:
			return fault.New(fault.Invalid, "there is no query parameter %q here", name).At(fault.Where{Field: name})
		case len(values) > 1:
			return fault.New(fault.Invalid, "the query parameter %q comes more than once", name).At(fault.Where{Field: name})
		}
	}
	return nil
}

// identify counts the request, verifies who asks and sets the scope, once.
func (rt *Router) identify(ctx context.Context, w http.ResponseWriter, req *http.Request, r *Request, state *requestState) (context.Context, error) {
	who := Identity{}
	if err := rt.allow(ctx, "", "", r.IP); err != nil {
		return ctx, err
	}
	if r.route.Open == "" {
		bearer, err := bearerOf(req, w.Header())
		if err != nil {
			return ctx, err
		}
		if who, err = rt.whoIs(ctx, r.route, bearer); err != nil {
			return ctx, err
		}
		if err := rt.allow(ctx, who.Tenant, who.User, r.IP); err != nil {
			return ctx, err
		}
	}
	state.who, r.Who = who, who
	return scope.WithCaller(ctx, scope.Caller{App: who.App, Tenant: who.Tenant, User: who.User, IP: r.IP, RequestID: r.RequestID}), nil
}

func (rt *Router) whoIs(ctx context.Context, route *Route, bearer string) (Identity, error) {
	if route.Key != nil {
		if who, ok := route.Key(ctx, bearer); ok {
			return who, nil
		}
	}
	return rt.o.Auth.Authenticate(ctx, bearer)
}

func (rt *Router) allow(ctx context.Context, tenant, user, ip string) error {
	if rt.o.Limit == nil {
		return nil
	}
	return rt.o.Limit.Allow(ctx, tenant, user, ip)
}

// bearerOf reads the credential. A token in the query is refused: URLs end up in logs (RFC 9700 4.3.2).
func bearerOf(req *http.Request, h http.Header) (string, error) {
	if req.URL.RawQuery != "" && req.URL.Query().Has("access_token") {
		return "", WithStatus(http.StatusBadRequest, fault.New(fault.Invalid, "a token in the URL is refused").
			WithHint("send it in the Authorization header"))
	}
	if values := req.Header.Values("Authorization"); len(values) == 1 {
		scheme, token, ok := strings.Cut(values[0], " ")
		if token = strings.TrimSpace(token); ok && strings.EqualFold(scheme, "bearer") && token != "" {
			return token, nil
		}
	}
	h.Set("WWW-Authenticate", "Bearer")
	return "", fault.New(fault.Unauthenticated, "Not authenticated")
}

// answer writes what a handler returned. An error means that nothing was written.
func (rt *Router) answer(w http.ResponseWriter, route *Route, r *Request, v any) error {
	resp, ok := v.(*Response)
	if !ok {
		resp = &Response{JSON: v}
		if v == nil {
			resp.Status = http.StatusNoContent
		}
	}
	body := resp.Body
	if resp.JSON != nil && resp.Write == nil {
		var err error
		if body, err = json.Marshal(resp.JSON); err != nil {
			return fault.Wrap(fault.Internal, err, "the answer cannot be encoded")
		}
	}
	code := resp.Status
	if code == 0 {
		code = http.StatusOK
		if route.Created {
			code = http.StatusCreated
		}
	}
	if resp.Write != nil {
		return rt.stream(w, r, code, resp)
	}
	h := w.Header()
	setHeaders(h, resp.Header)
	if resp.JSON != nil && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if len(body) > 0 || code != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(code)
	_, _ = w.Write(body)
	return nil
}

func setHeaders(h, more http.Header) {
	for k, vs := range more {
		h[http.CanonicalHeaderKey(k)] = vs
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
}

// stream lets the handler write piece by piece.
func (rt *Router) stream(w http.ResponseWriter, r *Request, code int, resp *Response) error {
	s := &streamWriter{w: w, control: r.control, stall: rt.o.Stall, start: func() {
		setHeaders(w.Header(), resp.Header)
		w.WriteHeader(code)
	}}
	err := resp.Write(s, s.flush)
	if err == nil || s.started {
		if err != nil {
			rt.o.Log.Warn("stream ended early", "request_id", r.RequestID, "kind", fault.KindOf(err).String())
			panic(http.ErrAbortHandler) // the client must see that the stream was cut
		}
		s.begin()
		return nil
	}
	return err
}

// streamWriter begins the answer with its first piece, and gives the client a time in which to take each.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	start   func()
	started bool
}

func (s *streamWriter) begin() {
	if !s.started {
		s.started = true
		s.start()
	}
}

func (s *streamWriter) Write(b []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.stall))
	s.begin()
	return s.w.Write(b)
}

func (s *streamWriter) flush() error {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.stall))
	return s.control.Flush()
}

// logError keeps the inside of an error that the client does not see. What a component or a provider said is the tenant's,
// and may quote documents or the caller's own secrets: of that only the place is logged.
func (rt *Router) logError(code int, state *requestState, err error) {
	if code < 500 {
		return
	}
	f := fault.From(err)
	attrs := []any{"request_id", state.id, "route", state.template, "kind", f.Kind.String(), "code", f.Code}
	if f.Kind == fault.Internal || f.Where.Component == "" {
		attrs = append(attrs, "error", err)
	} else {
		attrs = append(attrs, "component", f.Where.Component, "type", f.Where.Type)
	}
	rt.o.Log.Error("request failed", attrs...)
}
