package router

import (
	"encoding/json"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Sealed is a string of a request body that is a secret: it is sealed while the body is decoded. Size is its length in
// bytes.
type Sealed struct {
	sealed.Value
	Size int
}

// UnmarshalJSON reads a string. Its errors never quote it.
func (s *Sealed) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil || text == nil {
		return fault.New(fault.Invalid, "a secret must be a string")
	}
	s.Value, s.Size = sealed.NewString(*text), len(*text)
	return nil
}

// SealedFor is a secret of a request body that may say where it may go: a string, or an object
// {"value": "...", "destinations": ["https://..."]}.
type SealedFor struct{ Sealed }

// UnmarshalJSON reads either form. Its errors never quote the value.
func (s *SealedFor) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return s.Sealed.UnmarshalJSON(b)
	}
	var o struct {
		Value        *Sealed              `json:"value"`
		Destinations []sealed.Destination `json:"destinations"`
	}
	if err := DecodeJSON(b, &o); err != nil {
		return err
	}
	if o.Value == nil || o.Value.IsZero() {
		return fault.New(fault.Invalid, "a secret's value is missing").At(fault.Where{Field: "value"})
	}
	s.Sealed = *o.Value
	if o.Destinations != nil {
		s.Sealed.Value = o.Value.For(o.Destinations...)
	}
	return nil
}
