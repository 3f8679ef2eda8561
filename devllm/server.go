package devllm

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Options configures [New]. The zero value of each field is usable.
type Options struct {
	Keys       []sealed.Value   // the keys to answer to; none means that every request is refused (see [Server.Allow])
	Models     []string         // the models to answer for; none means any, and the list shows "devllm"
	Latency    time.Duration    // wait before each completion; default none
	ChunkDelay time.Duration    // wait between the pieces of a stream; default none
	FailEvery  int              // every n-th well-formed completion fails with Status; default never
	Status     int              // of those failures; default 500
	MaxBody    int64            // bytes of a request; default 8 MiB
	Log        *slog.Logger     // one line per request; default none
	Now        func() time.Time // the clock; default time.Now
}

// Server answers chat completions. It is safe for concurrent use.
type Server struct {
	o        Options
	mux      *http.ServeMux
	keys     atomic.Pointer[[]keySum]
	requests atomic.Int64 // completions that were well-formed
}

var _ http.Handler = (*Server)(nil)

// New returns a server; mount it anywhere, or give it to [Server.Serve].
func New(o Options) *Server {
	if o.Status == 0 {
		o.Status = http.StatusInternalServerError
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 8 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, mux: http.NewServeMux()}
	s.keys.Store(&[]keySum{})
	s.Allow(o.Keys...)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, map[string]string{"status": "ok"}) })
	s.mux.HandleFunc("/v1/chat/completions", s.only(http.MethodPost, s.chat))
	s.mux.HandleFunc("/v1/models", s.only(http.MethodGet, s.listModels))
	s.mux.HandleFunc("/v1/models/{model...}", s.only(http.MethodGet, s.oneModel))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, &apiError{status: http.StatusNotFound, Type: "invalid_request_error", Message: "Invalid URL (" + r.Method + " " + r.URL.Path + ")"})
	})
	return s
}

// ServeHTTP answers one request and writes one line about it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.o.Now()
	rec := &recorder{ResponseWriter: w, status: http.StatusOK, key: "none"}
	defer func() {
		s.o.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", rec.status), slog.String("key", rec.key), slog.Duration("took", s.o.Now().Sub(start)))
	}()
	s.mux.ServeHTTP(rec, r)
}

// recorder remembers what the log line needs.
type recorder struct {
	http.ResponseWriter
	status int
	key    string
}

func (r *recorder) WriteHeader(status int) { r.status = status; r.ResponseWriter.WriteHeader(status) }

// Unwrap lets http.ResponseController flush.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// only checks method and key and then calls next.
func (s *Server) only(method string, next func(http.ResponseWriter, *http.Request) *apiError) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			s.fail(w, &apiError{status: http.StatusMethodNotAllowed, Type: "invalid_request_error", Code: "method_not_supported",
				Message: "Not allowed to " + r.Method + " on " + r.URL.Path + "."})
			return
		}
		fingerprint, bad := s.authenticate(r)
		if rec, ok := w.(*recorder); ok {
			rec.key = fingerprint
		}
		if bad == nil {
			bad = next(w, r)
		}
		if bad != nil {
			s.fail(w, bad)
		}
	}
}

// misbehave is slow and fails where the options say so. It runs when the body is read: before that, nobody notices that a
// client went away.
func (s *Server) misbehave(ctx context.Context) *apiError {
	n := s.requests.Add(1)
	if !wait(ctx, s.o.Latency) {
		return &apiError{status: 499, Type: "server_error", Message: "The client went away."}
	}
	if s.o.FailEvery <= 0 || n%int64(s.o.FailEvery) != 0 {
		return nil
	}
	e := &apiError{status: s.o.Status, Type: "server_error", Message: "The server had an error while processing your request."}
	if s.o.Status == http.StatusTooManyRequests {
		e.Type, e.Code, e.Message = "requests", "rate_limit_exceeded", "Rate limit reached."
	}
	return e
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// apiError is an error in OpenAI's shape (https://platform.openai.com/docs/guides/error-codes/api-errors).
type apiError struct {
	status  int
	Message string
	Type    string
	Param   string // empty is null
	Code    string // empty is null
}

func (s *Server) fail(w http.ResponseWriter, e *apiError) {
	if e.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "0")
	}
	writeJSON(w, e.status, map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": orNull(e.Param), "code": orNull(e.Code)}})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader is gone: nobody to tell
}

func (s *Server) models() []string {
	if len(s.o.Models) == 0 {
		return []string{"devllm"}
	}
	return s.o.Models
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) *apiError {
	data := []map[string]any{}
	for _, m := range s.models() {
		data = append(data, modelObject(m))
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
	return nil
}

func (s *Server) oneModel(w http.ResponseWriter, r *http.Request) *apiError {
	name := r.PathValue("model")
	if !slices.Contains(s.models(), name) {
		return noModel(name)
	}
	writeJSON(w, http.StatusOK, modelObject(name))
	return nil
}

func modelObject(name string) map[string]any {
	return map[string]any{"id": name, "object": "model", "created": 0, "owned_by": "hayward"}
}

func noModel(name string) *apiError {
	return &apiError{status: http.StatusNotFound, Type: "invalid_request_error", Code: "model_not_found", Param: "model",
		Message: "The model `" + name + "` does not exist or you do not have access to it."}
}

// Listen listens on a loopback address such as "127.0.0.1:1418" and refuses every other: this server has no TLS and
// answers anybody who knows a key. A host name must be "localhost".
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%q is not host:port", addr).WithHint("write for example 127.0.0.1:1418")
	}
	if ip := net.ParseIP(host); !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return nil, fault.New(fault.Denied, "devllm does not listen on %s: it is for this machine only", addr).
			WithHint("use 127.0.0.1 or [::1]")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "devllm cannot listen on %s", addr).WithHint("another program may use the port")
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() { // whatever "localhost" means here
		_ = l.Close()
		return nil, fault.New(fault.Denied, "devllm does not listen on %s: it is for this machine only", l.Addr())
	}
	return l, nil
}

// Serve answers on l until ctx ends, then lets requests under way finish for up to five seconds. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	hs := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(l) }()
	select {
	case err := <-done:
		return fault.Wrap(fault.Unavailable, err, "devllm stopped")
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := hs.Shutdown(grace); err != nil && !errors.Is(err, http.ErrServerClosed) {
		_ = hs.Close()
	}
	return nil
}
