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
