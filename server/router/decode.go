package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Decode reads a JSON body into v, a pointer to a struct. Unknown fields, fields that come twice or in another case, and
// anything after the object are errors.
func (r *Request) Decode(v any) error {
	if err := r.isJSON(); err != nil {
		return err
	}
	b, err := r.Body()
	if err != nil {
		return err
	}
	return DecodeJSON(b, v)
}

// DecodeDict reads a JSON body as [DecodeDict] does.
func (r *Request) DecodeDict() (*value.Dict, error) {
	if err := r.isJSON(); err != nil {
		return nil, err
	}
	b, err := r.Body()
	if err != nil {
		return nil, err
	}
	return DecodeDict(b)
}

func (r *Request) isJSON() error {
	ct := r.Header.Get("Content-Type")
	if ct == "" {
		return nil
	}
	mt, _, err := mime.ParseMediaType(ct)
	if err != nil || (mt != "application/json" && !strings.HasSuffix(mt, "+json")) {
		return fault.New(fault.Invalid, "the body must be application/json").WithCode("ContentType")
	}
	return nil
}

// DecodeDict reads a JSON object as Python would: numbers keep their digits, 1 and 1.0 stay apart, the last of equal keys
// wins.
func DecodeDict(b []byte) (*value.Dict, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, emptyBody()
	}
	v, err := value.FromJSON(b)
	if err != nil {
		f := fault.From(err)
		if f.Kind != fault.Invalid {
			return nil, err
		}
		return nil, notJSON(f.Where, offsetOf(b, f.Where.Position), f.Message)
	}
	d, ok := v.(*value.Dict)
	if !ok {
		return nil, bodyFault(FieldError{Type: "model_attributes_type", Loc: []any{"body"}, Msg: "Input should be a valid dictionary or object to extract fields from"},
			fault.Where{}, "the body must be a JSON object, not %s", value.TypeName(v))
	}
	return d, nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// DecodeJSON is [Request.Decode] for bytes that were read already. The names of v's fields are lower case.
func DecodeJSON(b []byte, v any) error {
	b = bytes.TrimPrefix(b, byteOrderMark) // as Python's json.loads
	if len(bytes.TrimSpace(b)) == 0 {
		return emptyBody()
	}
	if !utf8.Valid(b) { // encoding/json would put U+FFFD in its place
		return notJSON(fault.Where{}, 0, "it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return jsonError(b, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return notJSON(position(b, dec.InputOffset()), dec.InputOffset(), "there is something after the JSON value")
	}
	return checkKeys(b)
}

// checkKeys refuses what encoding/json lets pass: a field that comes twice, or in another case. b is valid JSON whose keys
// are all fields in some case.
func checkKeys(b []byte) error {
	var seen []string
	for key, at := range topKeys(b) {
		for _, have := range seen {
			if have == key {
				return bodyFault(FieldError{Type: "duplicate_key", Loc: []any{"body", clip(key)}, Msg: "Field comes more than once"},
					position(b, int64(at)), "the field %q comes more than once", clip(key))
			}
		}
		if strings.ContainsFunc(key, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }) {
			return unknownField(key)
		}
		seen = append(seen, key)
	}
	return nil
}

// topKeys yields the keys of the outermost object of valid JSON, and where they are.
func topKeys(b []byte) func(yield func(string, int) bool) {
	return func(yield func(string, int) bool) {
		depth, isKey := 0, false
		for i := 0; i < len(b); i++ {
			switch b[i] {
			case '{', '[':
				depth++
				isKey = depth == 1 && b[i] == '{'
			case '}', ']':
				depth--
			case ',':
				isKey = depth == 1
			case '"':
				end := i + 1
				for ; b[end] != '"'; end++ {
					if b[end] == '\\' {
						end++
					}
				}
				if isKey && depth == 1 {
					var key string
					if json.Unmarshal(b[i:end+1], &key) == nil && !yield(key, i) {
						return
					}
					isKey = false
				}
				i = end
			}
		}
	}
}

func jsonError(b []byte, err error) error {
	var f *fault.Error
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &syntax):
		return notJSON(position(b, syntax.Offset), syntax.Offset, syntax.Error())
	case errors.As(err, &typ):
		return wrongType(b, typ)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return notJSON(position(b, int64(len(b))), int64(len(b)), "it ends too early")
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	// encoding/json has no type for an unknown field: its text is `json: unknown field "x"`.
	if quoted, ok := strings.CutPrefix(text, "unknown field "); ok {
		if name, err := strconv.Unquote(quoted); err == nil {
			return unknownField(name)
		}
	}
	return fault.New(fault.Invalid, "%s", text)
}

func wrongType(b []byte, typ *json.UnmarshalTypeError) error {
	word, want := pythonType(typ.Type)
	fe := FieldError{Type: word, Loc: []any{"body"}, Msg: "Input should be a valid " + want}
	w := position(b, typ.Offset)
	if typ.Field == "" {
		return bodyFault(fe, w, "the body must be a JSON object, but is %s", valueWord(typ.Value))
	}
	for _, part := range strings.Split(typ.Field, ".") {
		fe.Loc = append(fe.Loc, part)
	}
	w.Field = typ.Field
	return bodyFault(fe, w, "field %q must be a %s, but is %s", typ.Field, want, valueWord(typ.Value))
}

// valueWord is encoding/json's word for a value without the digits of a number.
func valueWord(v string) string {
	word, _, _ := strings.Cut(v, " ")
	switch word {
	case "array":
		return "a list"
	case "bool":
		return "true or false"
	case "object":
		return "an object"
	}
	return "a " + word
}

// pythonType is FastAPI's name for the error and its word for what it wants.
func pythonType(t reflect.Type) (name, want string) {
	switch t.Kind() {
	case reflect.String:
		return "string_type", "string"
	case reflect.Bool:
		return "bool_type", "boolean"
	case reflect.Slice, reflect.Array:
		return "list_type", "list"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "int_type", "integer"
	}
	return "dict_type", "dictionary"
}

func emptyBody() error {
	return bodyFault(FieldError{Type: "missing", Loc: []any{"body"}, Msg: "Field required"}, fault.Where{}, "the body is empty").WithHint("send a JSON object")
}

func notJSON(w fault.Where, offset int64, why string) error {
	return bodyFault(FieldError{Type: "json_invalid", Loc: []any{"body", offset}, Msg: "JSON decode error", Input: map[string]any{}, Ctx: map[string]any{"error": why}},
		w, "the body is not JSON: %s", why).WithCode("json_invalid")
}

func unknownField(name string) error {
	return bodyFault(FieldError{Type: "extra_forbidden", Loc: []any{"body", clip(name)}, Msg: "Extra inputs are not permitted"},
		fault.Where{Field: clip(name)}, "unknown field %q", clip(name))
}

// bodyFault is an error about a body in the words of both dialects.
func bodyFault(fe FieldError, w fault.Where, format string, args ...any) *fault.Error {
	return fault.Wrap(fault.Invalid, FieldErrors{fe}, format, args...).At(w)
}

func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func position(b []byte, offset int64) fault.Where {
	offset = min(max(offset, 0), int64(len(b)))
	before := b[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fault.Where{Position: fault.Position{Line: line, Column: int(offset) - (bytes.LastIndexByte(before, '\n') + 1) + 1}}
}

// offsetOf is the way back from a line and a column of characters.
func offsetOf(b []byte, p fault.Position) int64 {
	at := 0
	for line := 1; line < p.Line; line++ {
		next := bytes.IndexByte(b[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	for column := 1; column < p.Column && at < len(b); column++ {
		_, size := utf8.DecodeRune(b[at:])
		at += size
	}
	return int64(at)
}
