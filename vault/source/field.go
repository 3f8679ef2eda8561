package source

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// SplitField takes the field from a key such as "acme/database#password": a source whose values have fields returns that
// one. Without "#" field is "".
func SplitField(key string) (path, field string, err error) {
	path, field, found := strings.Cut(key, "#")
	if found && (path == "" || field == "") {
		return "", "", fault.New(fault.Invalid, "the key %q has an empty path or field", key).
			WithHint("write path#field, for example acme/database#password")
	}
	return path, field, nil
}

// Field returns one member of a JSON object as text: a string as it is, everything else as JSON. It reports false if there is
// none, or it is null.
func Field(object map[string]json.RawMessage, field string) ([]byte, bool) {
	raw, ok := object[field]
	if !ok || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return nil, false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text), true
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return nil, false
	}
	return b.Bytes(), true
}
