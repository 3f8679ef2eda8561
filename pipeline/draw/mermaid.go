package draw

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/haywardhq/hayward/pipeline"
)

// Theme is one of Mermaid's.
type Theme string

// The themes Haystack allows; the default is Neutral.
const (
	Neutral Theme = "neutral"
	Default Theme = "default"
	Dark    Theme = "dark"
	Forest  Theme = "forest"
)

// Mermaid returns the pipeline as Mermaid text, byte for byte Haystack's for names of letters, digits and underscores
// (haystack/core/pipeline/draw.py, _to_mermaid_text). Other names are escaped, where the original would break the drawing.
// An unknown theme is Neutral.
func Mermaid(p *pipeline.Plan, theme Theme) string {
	switch theme {
	case Default, Dark, Forest:
	default:
		theme = Neutral
	}
	s := shapeOf(p)
	nodes := make([]string, len(s.boxes))
	for i := range s.boxes {
		nodes[i] = s.boxes[i].mermaid(i)
	}
	lines := make([]string, 0, len(s.arrows))
	for _, a := range s.arrows {
		lines = append(lines, a.mermaid(nodes))
	}
	return fmt.Sprintf("\n%%%%{ init: {\"theme\": %q} }%%%%\n\ngraph TD;\n\n%s\n\nclassDef component text-align:center;\n\n", string(theme), strings.Join(lines, "\n"))
}

// plain is a name that Mermaid takes as an identifier; "end" closes its blocks.
var plain = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (b *box) mermaid(number int) string {
	id := b.name
	if !plain.MatchString(id) || strings.EqualFold(id, "end") {
		id = fmt.Sprintf("component_%d", number)
	}
	optional := ""
	if len(b.optional) > 0 {
		var items strings.Builder
		for _, o := range b.optional {
			items.WriteString("<li>" + text(o) + "</li>")
		}
		optional = "<br><br>Optional inputs:<ul style='text-align:left;'>" + items.String() + "</ul>"
	}
	return fmt.Sprintf(`%s["<b>%s</b><br><small><i>%s%s</i></small>"]:::component`, id, text(b.name), text(b.class), optional)
}

func (a *arrow) mermaid(nodes []string) string {
	label := fmt.Sprintf(`"%s<br><small><i>%s</i></small>"`, strings.ReplaceAll(text(a.label), "-&gt;", "->"), text(a.typ))
	switch {
	case a.from < 0:
		return "i{&ast;}--" + label + "--> " + nodes[a.to]
	case a.to < 0:
		return nodes[a.from] + "--" + label + "--> o{&ast;}"
	case a.mandatory:
		return nodes[a.from] + " -- " + label + " --> " + nodes[a.to]
	}
	return nodes[a.from] + " -. " + label + " .-> " + nodes[a.to]
}

// text escapes what would end a label or begin a tag. Quotes in types such as Literal['a'] stay as Haystack writes them.
func text(s string) string {
	return strings.ReplaceAll(html.EscapeString(strings.ToValidUTF8(s, "\uFFFD")), "&#39;", "'")
}
