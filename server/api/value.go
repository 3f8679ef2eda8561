package api

import (
	"bytes"
	"encoding/json"
	"strings"
)

// firstLine is what encoding/json says about a body: where and which type, never a value.
func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(text, "json: ")
}

// digits decodes a part of a body strictly, with every digit of the numbers in fields of any type.
func digits(b json.RawMessage, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}
