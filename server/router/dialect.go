package router

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// Dialect is how errors look on a route.
type Dialect uint8

// The dialects.
const (
	Native  Dialect = iota // application/problem+json (RFC 9457)
	FastAPI                // {"detail": ...}, as Hayhooks and FastAPI answer
	OFREP                  // {"errorCode": ..., "errorDetails": ...}, as OpenFeature's remote evaluation answers
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
	code := codeOf(f, err)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if f.Kind == fault.Unauthenticated && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if s, ok := retryAfter(err); ok {
		h.Set("Retry-After", strconv.Itoa(s))
	}
	if d == FastAPI {
		h.Set("Content-Type", "application/json")
		writeJSON(w, code, map[string]any{"detail": fastAPIDetail(err, f)})
		return code
	}
	if d == OFREP {
		h.Set("Content-Type", "application/json")
		writeJSON(w, code, map[string]any{"errorCode": "GENERAL", "errorDetails": sentence(f)})
		return code
	}
	h.Set("Content-Type", "application/problem+json")
	writeJSON(w, code, problem(code, requestID, f, err))
	return code
}

func codeOf(f *fault.Error, err error) int {
	if s, ok := statusOf(err); ok {
		return s
	}
	return status[f.Kind]
}

// EncodeProblem returns an error's problem document, for streams that have begun.
func EncodeProblem(requestID string, err error) []byte {
	f := fault.From(err)
	b, encErr := json.Marshal(problem(codeOf(f, err), requestID, f, err))
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

// details lists the members of an error that is several found at once.
func details(err error) []Detail {
	var out []Detail
	for _, e := range members(err) {
		f := fault.From(e)
		if f.Kind == fault.Internal {
			out = append(out, Detail{Detail: "Internal error."})
			continue
		}
		out = append(out, Detail{Detail: f.Message, Code: f.Code, Hint: f.Hint, Where: where(f)})
	}
	return out
}

// members returns the parts of a joined error, nil for any other. What a fault has for its cause stays inside.
func members(err error) []error {
	for err != nil {
		switch e := err.(type) { //nolint:errorlint // only the wrappers of this package are looked through
		case statusError:
			err = e.error
			continue
		case laterError:
			err = e.error
			continue
		case interface{ Unwrap() []error }:
			if list := e.Unwrap(); len(list) > 1 {
				return list
			}
		}
		return nil
	}
	return nil
}

// fastAPIDetail is the list of field errors that FastAPI sends for a body it cannot take, or a text: for several problems
// found at once, one line for each.
func fastAPIDetail(err error, f *fault.Error) any {
	if f.Kind == fault.Internal {
		return "Internal error."
	}
	if v, ok := fieldErrors(err); ok {
		return v
	}
	list := members(err)
	if len(list) == 0 {
		return sentence(f)
	}
	lines := make([]string, len(list))
	for i, e := range list {
		lines[i] = sentence(fault.From(e))
	}
	return strings.Join(lines, "\n")
}

// sentence is a fault in one text: place, message, hint.
func sentence(f *fault.Error) string {
	if f.Kind == fault.Internal {
		return "Internal error."
	}
	text := f.Message
	if place := f.Where.Position.String(); place != "" {
		text = place + ": " + text
	}
	if f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	return text
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
