package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/haywardhq/hayward/fault"
)

// Request is what a handler sees of a request.
type Request struct {
	*http.Request
	Who       Identity // zero on open routes
	RequestID string
	IP        string // the client's address, behind trusted proxies
	route     *Route
}

// Body reads the whole body, within the route's limit.
func (r *Request) Body() ([]byte, error) {
	b, err := io.ReadAll(r.Request.Body)
	return b, bodyError(err)
}

// bodyError gives a kind to what reading a body can fail with.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return fault.New(fault.TooLarge, "the body is larger than %d bytes", tooLarge.Limit).
			WithHint("send less, or ask the operator to raise the limit")
	}
	return fault.Wrap(fault.Invalid, err, "the body could not be read to its end")
}

// Decode reads a JSON body into v. Unknown fields, duplicates of a field in another case, and anything after the value
// are errors.
func (r *Request) Decode(v any) error {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		if mt, _, err := mime.ParseMediaType(ct); err != nil || (mt != "application/json" && !isJSONSuffix(mt)) {
			return fault.New(fault.Invalid, "the body must be application/json").WithCode("ContentType")
		}
	}
	b, err := r.Body()
	if err != nil {
		return err
	}
	return DecodeJSON(b, v)
}

func isJSONSuffix(mt string) bool { return len(mt) > 5 && mt[len(mt)-5:] == "+json" }

// DecodeJSON is [Request.Decode] for bytes that were read already.
func DecodeJSON(b []byte, v any) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return fault.New(fault.Invalid, "the body is empty").WithHint("send a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return jsonError(b, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "there is something after the JSON value").At(position(b, dec.InputOffset()))
	}
	return nil
}

func jsonError(b []byte, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fault.New(fault.Invalid, "the body is not JSON: %s", syntax.Error()).WithCode("json_invalid").At(position(b, syntax.Offset))
	case errors.As(err, &typ):
		w := position(b, typ.Offset)
		w.Field = typ.Field
		return fault.New(fault.Invalid, "field %q must be %s, but is %s", typ.Field, typ.Type, typ.Value).At(w)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "the JSON ends too early").WithCode("json_invalid").At(position(b, int64(len(b))))
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	// encoding/json has no type for an unknown field: its text is `json: unknown field "x"`.
	return fault.New(fault.Invalid, "%s", trimJSON(err.Error()))
}

func trimJSON(s string) string {
	const prefix = "json: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}

func position(b []byte, offset int64) fault.Where {
	offset = min(max(offset, 0), int64(len(b)))
	before := b[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fault.Where{Position: fault.Position{Line: line, Column: int(offset) - (bytes.LastIndexByte(before, '\n') + 1) + 1}}
}
