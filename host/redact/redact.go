package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

const (
	// MinLength is the shortest value that is looked for, in bytes: shorter ones would mangle ordinary text.
	MinLength = 8
	// Mark stands where a value stood.
	Mark = "[redacted]"
)

// Set is the values of one run. It is safe for concurrent use; the zero Set redacts nothing.
type Set struct {
	mu       sync.RWMutex
	variants []string // longest first
}

// Add has the set look for v from now on.
func (s *Set) Add(v sealed.Value) {
	raw := reveal.Inside(v)
	defer clear(raw)
	if len(raw) < MinLength {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range forms(raw) {
		if len(form) >= MinLength && !slices.Contains(s.variants, form) {
			s.variants = append(s.variants, form)
		}
	}
	slices.SortFunc(s.variants, func(a, b string) int { return len(b) - len(a) })
}

// forms lists the spellings of raw that are looked for.
func forms(raw []byte) []string {
	plain := string(raw)
	out := []string{plain, url.QueryEscape(plain), url.PathEscape(plain), lowerEscapes(url.QueryEscape(plain)), lowerEscapes(url.PathEscape(plain)),
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw))}
	if quoted, err := json.Marshal(plain); err == nil { // as Go writes JSON, then as Python does with and without ensure_ascii
		out = append(out, string(quoted[1:len(quoted)-1]))
	}
	for _, ascii := range []bool{true, false} {
		quoted := value.AppendJSONString(nil, plain, ascii)
		out = append(out, string(quoted[1:len(quoted)-1]))
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			out = append(out, aligned(enc, raw, offset))
		}
	}
	return out
}

var percent = regexp.MustCompile("%[0-9A-F]{2}")

// lowerEscapes writes the percent escapes of text in lower case, as some encoders do.
func lowerEscapes(text string) string { return percent.ReplaceAllStringFunc(text, strings.ToLower) }

// aligned is the part of the base64 text of raw that does not depend on what stands around raw, when raw begins offset
// bytes into a group of three.
func aligned(enc *base64.Encoding, raw []byte, offset int) string {
	text := enc.EncodeToString(append(make([]byte, offset), raw...))
	begin := (offset*8 + 5) / 6
	end := (offset + len(raw)) * 8 / 6
	return text[begin:end]
}

// Size returns the length of a value in bytes, for limits.
func Size(v sealed.Value) int {
	raw := reveal.Inside(v)
	defer clear(raw)
	return len(raw)
}

// Empty reports whether there is nothing to look for.
func (s *Set) Empty() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.variants) == 0
}

// String returns text without the values.
func (s *Set) String(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.variants {
		if strings.Contains(text, v) {
			text = strings.ReplaceAll(text, v, Mark)
		}
	}
	return text
}

// Value returns v with every string in it redacted, data classes written as their dictionaries. v itself is not changed;
// it is returned as it is when there is nothing to look for.
func (s *Set) Value(v value.Value) value.Value {
	if s.Empty() {
		return v
	}
	return s.walk(v)
}

func (s *Set) walk(v value.Value) value.Value {
	switch v := v.(type) {
	case value.Str:
		return value.Str(s.String(string(v)))
	case value.Bytes:
		return value.Bytes(s.String(string(v)))
	case *value.List:
		return &value.List{Items: s.all(v.Items)}
	case value.Tuple:
		return value.Tuple(s.all(v))
	case *value.Set:
		out, _ := value.NewSet(s.all(v.Items())...)
		return out
	case *value.Dict:
		return s.dict(v)
	case value.Object:
		return s.dict(v.ToDict())
	}
	return v
}

func (s *Set) all(items []value.Value) []value.Value {
	out := make([]value.Value, len(items))
	for i, it := range items {
		out[i] = s.walk(it)
	}
	return out
}

func (s *Set) dict(d *value.Dict) *value.Dict {
	out := &value.Dict{}
	for k, v := range d.All() {
		out.SetKey(s.walk(k), s.walk(v))
	}
	return out
}
