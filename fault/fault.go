package fault

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Kind says what sort of thing went wrong, for machines. The zero Kind is [Internal].
type Kind uint8

// The closed set of kinds. A door maps each one to its own dialect; adding one means visiting every door.
const (
	Internal        Kind = iota // a defect or a broken part; details stay inside
	Invalid                     // the input is wrong; the sentence says what, where and what to do
	Unauthenticated             // nobody has shown who is asking
	Denied                      // known caller, not allowed
	NotFound                    // no such thing, or another tenant's
	Conflict                    // the thing exists or changed meanwhile
	TooLarge                    // a size limit was hit
	Limited                     // a rate or concurrency limit was hit; try again later
	Unavailable                 // a part this needs is not there now
	Timeout                     // a deadline passed
	Canceled                    // the caller went away
	Unsupported                 // understood, and refused on purpose
	Failed                      // the work itself failed: a component's own error, a model's refusal
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "denied", "not_found", "conflict", "too_large",
	"limited", "unavailable", "timeout", "canceled", "unsupported", "failed"}

// String returns the kind's stable name, as it appears in JSON.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Kinds lists every kind, for tests that must cover all of them.
func Kinds() []Kind {
	out := make([]Kind, len(kindNames))
	for i := range out {
		out[i] = Kind(i)
	}
	return out
}

// Position is a place in a file, 1-based. The zero value means that no place is known.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// IsZero reports whether no place is known.
func (p Position) IsZero() bool { return p == Position{} }

// String returns "file:line:column", leaving out what is not known.
func (p Position) String() string {
	parts := make([]string, 0, 3)
	if p.File != "" {
		parts = append(parts, p.File)
	}
	if p.Line > 0 {
		parts = append(parts, strconv.Itoa(p.Line))
		if p.Column > 0 {
			parts = append(parts, strconv.Itoa(p.Column))
		}
	}
	return strings.Join(parts, ":")
}

// Where names the part of a pipeline that an error is about. Every field may be empty.
type Where struct {
	Position
	Component string `json:"component,omitempty"` // the component's name in the pipeline
	Type      string `json:"type,omitempty"`      // the component's type
	Socket    string `json:"socket,omitempty"`    // "component.socket"
	Field     string `json:"field,omitempty"`     // an input field or a setting
}

// Error is a kind, a sentence, and optionally a machine-readable code, a place, a hint and the error underneath.
type Error struct {
	Kind    Kind
	Code    string // a stable word below the kind, for example "PipelineConnectError"; may be empty
	Message string // what happened, for a person; never holds a secret
	Hint    string // what to do about it; may be empty
	Where   Where
	Cause   error // what is underneath; not shown to callers of a door
}

// Error returns the place, the sentence and the cause, for logs and for people at a terminal.
func (e *Error) Error() string {
	var b strings.Builder
	if p := e.Where.Position.String(); p != "" {
		b.WriteString(p)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Cause != nil {
		if text := e.Cause.Error(); text != "" {
			b.WriteString(": ")
			b.WriteString(text)
		}
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// LogValue makes slog print kind, code and text as separate fields.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", e.Kind.String()), slog.String("message", e.Error())}
	if e.Code != "" {
		attrs = append(attrs, slog.String("code", e.Code))
	}
	return slog.GroupValue(attrs...)
}

// New returns an error of the given kind with a formatted sentence. %w keeps a cause reachable, and its text is part of
// the sentence: use [Wrap] to keep a cause inside.
func New(kind Kind, format string, args ...any) *Error {
	if !strings.Contains(format, "%w") {
		return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	}
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Cause: hidden{err}}
}

// hidden keeps a cause reachable for errors.Is and errors.As without printing it a second time.
type hidden struct{ err error }

func (h hidden) Error() string { return "" }
func (h hidden) Unwrap() error { return h.err }

// Wrap returns an error of the given kind whose cause stays inside: doors show only the sentence.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// WithHint returns e with a sentence that says what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// WithCode returns e with a stable word below the kind.
func (e *Error) WithCode(code string) *Error {
	c := *e
	c.Code = code
	return &c
}

// At returns e with the place it is about.
func (e *Error) At(w Where) *Error {
	c := *e
	c.Where = w
	return &c
}

// KindOf returns the kind of the outermost fault in err's chain; an error without one is [Internal]. It is defined for
// nil only so that callers need no guard: nil gives [Internal].
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}

// Is reports whether err's outermost fault is of the given kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// From returns the outermost fault in err's chain, or an [Internal] one around err. It returns nil for nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	return &Error{Kind: Internal, Message: "Internal error.", Cause: err}
}
