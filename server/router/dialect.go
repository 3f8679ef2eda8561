package router

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/haywardhq/hayward/fault"
)

// Dialect is how errors look on a route.
type Dialect uint8

// The dialects.
const (
	Native  Dialect = iota // application/problem+json (RFC 9457)
	FastAPI                // {"detail": ...}, as Hayhooks and FastAPI answer
)

// status maps each kind to a status code. It is the only such table.
var status = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Limited:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Timeout:         http.StatusGatewayTimeout,
	fault.Canceled:        499, // nginx's "client closed request": nobody reads it but the log
	fault.Unsupported:     http.StatusUnprocessableEntity,
	fault.Failed:          http.StatusInternalServerError,
}

// Problem is the body of an error in the native dialect (RFC 9457).
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Kind      string       `json:"kind"`
	Code      string       `json:"code,omitempty"`
	Hint      string       `json:"hint,omitempty"`
	Where     *fault.Where `json:"where,omitempty"`
	Problems  []Detail     `json:"problems,omitempty"` // all of them, when several were found at once
	RequestID string       `json:"request_id"`
}

// Detail is one of several problems.
type Detail struct {
	Detail string       `json:"detail"`
	Code   string       `json:"code,omitempty"`
	Hint   string       `json:"hint,omitempty"`
	Where  *fault.Where `json:"where,omitempty"`
}

// RetryAfter is implemented by errors that know when to try again.
type RetryAfter interface{ RetryAfterSeconds() int }

// writeError writes err in the dialect. What is inside an Internal error stays inside.
func writeError(w http.ResponseWriter, d Dialect, requestID string, err error) int {
	f := fault.From(err)
	code := status[f.Kind]
	if s, ok := statusOf(err); ok {
		code = s
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if f.Kind == fault.Unauthenticated && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if s, ok := retryAfter(err); ok {
		h.Set("Retry-After", strconv.Itoa(s))
	}
	message := f.Message
	if f.Kind == fault.Internal {
		message = "Internal error."
	}
	if d == FastAPI {
		h.Set("Content-Type", "application/json")
		writeJSON(w, code, map[string]any{"detail": fastAPIDetail(err, f, message)})
		return code
	}
	h.Set("Content-Type", "application/problem+json")
	writeJSON(w, code, problem(code, requestID, f, err))
	return code
}

// EncodeProblem returns an error's problem document, for streams that have begun.
func EncodeProblem(requestID string, err error) []byte {
	f := fault.From(err)
	b, encErr := json.Marshal(problem(status[f.Kind], requestID, f, err))
	if encErr != nil {
		return []byte(`{"detail":"Internal error."}`)
	}
	return b
}

func problem(code int, requestID string, f *fault.Error, err error) Problem {
	p := Problem{Type: "about:blank", Title: title(code), Status: code, Detail: f.Message, Kind: f.Kind.String(), RequestID: requestID}
	if f.Kind == fault.Internal {
		p.Detail = "Internal error."
		return p
	}
	p.Code, p.Hint, p.Where, p.Problems = f.Code, f.Hint, where(f), details(err)
	return p
}

func title(code int) string {
	if t := http.StatusText(code); t != "" {
		return t
	}
	return "Client Closed Request"
}

func where(f *fault.Error) *fault.Where {
	if f.Where == (fault.Where{}) {
		return nil
	}
	w := f.Where
	return &w
}

// details lists the members of a joined error.
func details(err error) []Detail {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok || len(many.Unwrap()) < 2 {
		return nil
	}
	var out []Detail
	for _, e := range many.Unwrap() {
		f := fault.From(e)
		out = append(out, Detail{Detail: f.Message, Code: f.Code, Hint: f.Hint, Where: where(f)})
	}
	return out
}

// fastAPIDetail is a string, or the list of field errors that FastAPI sends for a body it cannot take.
func fastAPIDetail(err error, f *fault.Error, message string) any {
	if v, ok := fieldErrors(err); ok {
		return v
	}
	if place := f.Where.Position.String(); place != "" && f.Kind != fault.Internal {
		message = place + ": " + message
	}
	if f.Hint != "" && f.Kind != fault.Internal {
		message += " (" + f.Hint + ")"
	}
	return message
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		code, b = http.StatusInternalServerError, []byte(`{"detail":"Internal error."}`)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(code)
	_, _ = w.Write(b)
}
