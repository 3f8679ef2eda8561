package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// internal is the part that the values of this room share: they are objects without a dict.
type internal struct{}

func (internal) Kind() value.Kind                { return value.KindObject }
func (internal) ToDict() *value.Dict             { return &value.Dict{} }
func (internal) Attr(string) (value.Value, bool) { return nil, false }

// markup is markupsafe.Markup: text that is safe to print as HTML. It behaves as a str.
type markup struct {
	internal
	text string
	tag  string // what an extension marked it as; text made of it stays marked
}

func (m markup) Class() string { return "markupsafe.Markup" }
func (m markup) Repr() string  { return "Markup(" + quote(m.text) + ")" }

// PlainStr returns the text for who writes it as a key in JSON.
func (m markup) PlainStr() value.Str { return value.Str(m.text) }

// PyStr returns the text.
func (m markup) PyStr() string { return m.text }

// PyLen is the length, for truth.
func (m markup) PyLen() int { return len(m.text) }

// MarkSafe returns text as markup, which autoescape leaves alone. tag is for [MarkOf] and may be empty: methods of the
// text keep it, joining it with other text does not, as with a subclass of Markup in Python.
func MarkSafe(text, tag string) value.Value { return markup{text: text, tag: tag} }

// MarkOf returns the tag that [MarkSafe] gave a value.
func MarkOf(v value.Value) string {
	m, _ := v.(markup)
	return m.tag
}

// str returns the text of a str or markup.
func str(v value.Value) (string, bool) {
	switch v := v.(type) {
	case value.Str:
		return string(v), true
	case markup:
		return v.text, true
	case *value.Enum:
		if v.Mixin {
			return str(v.Value)
		}
	}
	return "", false
}

// plain returns markup as a str, a pair of groupby as a tuple, and everything else as it is.
func plain(v value.Value) value.Value {
	switch v := v.(type) {
	case markup:
		return value.Str(v.text)
	case *groupTuple:
		return v.pair
	}
	return value.Plain(v)
}

func isMarkup(v value.Value) bool { _, ok := v.(markup); return ok }

// like returns text as markup if v is markup, else as a str.
func like(v value.Value, text string) value.Value {
	if m, ok := v.(markup); ok {
		return markup{text: text, tag: m.tag}
	}
	return value.Str(text)
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", "'", "&#39;", `"`, "&#34;")

// escapeText is markupsafe.escape for text.
func (r *run) escapeText(s string) (string, error) {
	if !strings.ContainsAny(s, `&<>'"`) {
		return s, r.read(len(s))
	}
	out := htmlEscaper.Replace(s)
	return out, r.alloc(len(out))
}

// escape is markupsafe.escape: markup stays, everything else is printed and escaped.
func (r *run) escape(v value.Value) (markup, error) {
	if m, ok := v.(markup); ok {
		return markup{text: m.text}, nil
	}
	s, err := r.str(v)
	if err != nil {
		return markup{}, err
	}
	s, err = r.escapeText(s)
	return markup{text: s}, err
}
