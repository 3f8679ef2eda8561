package maintext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// blocks begin and end a line.
var blocks = map[atom.Atom]bool{atom.P: true, atom.Div: true, atom.Section: true, atom.Article: true, atom.Main: true, atom.Header: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Ul: true, atom.Ol: true, atom.Dl: true,
	atom.Li: true, atom.Dt: true, atom.Dd: true, atom.Blockquote: true, atom.Pre: true, atom.Table: true, atom.Tr: true, atom.Thead: true,
	atom.Tbody: true, atom.Tfoot: true, atom.Caption: true, atom.Hr: true, atom.Figure: true, atom.Figcaption: true, atom.Address: true,
	atom.Details: true, atom.Summary: true, atom.Body: true, atom.Center: true}

// render writes one paragraph a line; list items begin with "- ", the cells of a row are separated by bars.
func render(n *html.Node) string {
	w := &writer{}
	w.node(n, false)
	w.newline()
	return strings.TrimSpace(w.out.String())
}

type writer struct {
	out    strings.Builder
	line   strings.Builder
	space  bool   // white space is due before the next word
	prefix string // of the next line
}

func (w *writer) node(n *html.Node, pre bool) {
	switch n.Type {
	case html.TextNode:
		if pre {
			w.verbatim(n.Data)
		} else {
			w.words(n.Data)
		}
		return
	case html.ElementNode:
	default:
		return
	}
	block := blocks[n.DataAtom]
	switch {
	case block:
		w.newline()
	case n.DataAtom == atom.Br && pre:
		w.verbatim("\n")
	case n.DataAtom == atom.Br:
		w.newline()
	}
	if n.DataAtom == atom.Li {
		w.prefix = "- "
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if cell(c) {
			w.bar()
		}
		w.node(c, pre || n.DataAtom == atom.Pre)
	}
	if n.DataAtom == atom.Tr {
		w.bar()
	}
	if block {
		w.newline()
	}
}

// bar opens a cell, or ends a row.
func (w *writer) bar() {
	if w.line.Len() > 0 {
		w.line.WriteByte(' ')
	}
	w.line.WriteByte('|')
	w.space = true
}

func cell(n *html.Node) bool { return n.DataAtom == atom.Td || n.DataAtom == atom.Th }

func (w *writer) words(text string) {
	for i, f := range strings.Fields(text) {
		if i > 0 || w.space || startsWithSpace(text) {
			if w.line.Len() > 0 {
				w.line.WriteByte(' ')
			}
		}
		w.line.WriteString(f)
		w.space = false
	}
	if endsWithSpace(text) {
		w.space = true
	}
}

func startsWithSpace(s string) bool { return s != "" && strings.TrimLeft(s[:1], " \t\r\n\f") == "" }
func endsWithSpace(s string) bool {
	return s != "" && strings.TrimLeft(s[len(s)-1:], " \t\r\n\f") == ""
}

// verbatim keeps lines and spaces, as in pre.
func (w *writer) verbatim(text string) {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			w.newline()
		}
		if w.space && w.line.Len() > 0 {
			w.line.WriteByte(' ')
		}
		w.space = false
		w.line.WriteString(strings.TrimRight(line, "\r"))
	}
}

func (w *writer) newline() {
	line := strings.TrimRight(w.line.String(), " \t")
	w.line.Reset()
	w.space = false
	if strings.Trim(line, " \t|") == "" {
		return
	}
	w.out.WriteString(w.prefix)
	w.prefix = ""
	w.out.WriteString(line)
	w.out.WriteByte('\n')
}
