package pyyaml

import (
	"fmt"
	"strings"
)

const (
	lineWidth  = 80
	indentStep = 2
)

// emitter writes nodes as text, by the rules of yaml/emitter.py and yaml/serializer.py for block style.
type emitter struct {
	out     strings.Builder
	anchors map[*outNode]int // 0: met once; else the number of its anchor
	written map[*outNode]bool
	last    int // the last anchor's number

	column     int
	indent     int  // -1 outside the document's first node
	whitespace bool // the last character was a space, or nothing stands on the line
	indention  bool // nothing but indicators stands on the line
	openEnded  bool // the document needs "..." behind it
}

// context is where a node stands.
type context struct{ root, mapping, key bool }

// anchor numbers the nodes that occur more than once, in the order in which they occur again.
func (e *emitter) anchor(n *outNode) {
	if number, met := e.anchors[n]; met {
		if number == 0 {
			e.last++
			e.anchors[n] = e.last
		}
		return
	}
	e.anchors[n] = 0
	for _, item := range n.items {
		e.anchor(item)
	}
	for _, p := range n.pairs {
		e.anchor(p[0])
		e.anchor(p[1])
	}
}

func (e *emitter) anchorName(n *outNode) string {
	if e.anchors[n] == 0 {
		return ""
	}
	return fmt.Sprintf("id%03d", e.anchors[n])
}

func (e *emitter) document(root *outNode) {
	e.node(root, context{root: true})
	e.newLine()
	if e.openEnded {
		e.indicator("...", true, false, false)
		e.newLine()
	}
}

func (e *emitter) node(n *outNode, in context) {
	name := e.anchorName(n)
	if e.written[n] {
		e.indicator("*"+name, true, false, false)
		return
	}
	e.written[n] = true
	if name != "" {
		e.indicator("&"+name, true, false, false)
	}
	switch n.kind {
	case Scalar:
		e.scalar(n, in)
	case Sequence:
		e.tag(n.tag, n.tag == tagSeq)
		e.sequence(n, in)
	default:
		e.tag(n.tag, n.tag == tagMap)
		e.mapping(n)
	}
}

func (e *emitter) tag(tag string, implied bool) {
	if !implied {
		e.indicator(dumpedTag(tag), true, false, false)
	}
}

// dumpedTag is a tag as it stands in the text; every tag of a dumped value has the same prefix.
func dumpedTag(tag string) string { return "!!" + strings.TrimPrefix(tag, tagPrefix) }

// indicator writes punctuation, with a space in front if one is needed.
func (e *emitter) indicator(s string, needSpace, whitespace, indention bool) {
	if needSpace && !e.whitespace {
		s = " " + s
	}
	e.whitespace = whitespace
	e.indention = e.indention && indention
	e.openEnded = false
	e.put(s)
}

// put writes ASCII text within a line.
func (e *emitter) put(s string) {
	e.out.WriteString(s)
	e.column += len(s)
}

func (e *emitter) lineBreak() {
	e.out.WriteByte('\n')
	e.whitespace, e.indention, e.column = true, true, 0
}

// newLine moves to the indentation of the current node, on a new line unless only indicators stand before it.
func (e *emitter) newLine() {
	indent := max(e.indent, 0)
	if !e.indention || e.column > indent || e.column == indent && !e.whitespace {
		e.lineBreak()
	}
	if e.column < indent {
		e.whitespace = true
		e.put(strings.Repeat(" ", indent-e.column))
	}
}

// deeper runs write with more indentation.
func (e *emitter) deeper(indent int, write func()) {
	old := e.indent
	e.indent = indent
	write()
	e.indent = old
}

func (e *emitter) sequence(n *outNode, in context) {
	if len(n.items) == 0 {
		e.indicator("[", true, true, false)
		e.indicator("]", false, false, false)
		return
	}
	indent := e.indent
	switch {
	case indent < 0:
		indent = 0
	case !in.mapping || e.indention: // the list behind "key:" stands as deep as the key
		indent += indentStep
	}
	e.deeper(indent, func() {
		for _, item := range n.items {
			e.newLine()
			e.indicator("-", true, false, true)
			e.node(item, context{})
		}
	})
}

func (e *emitter) mapping(n *outNode) {
	if len(n.pairs) == 0 {
		e.indicator("{", true, true, false)
		e.indicator("}", false, false, false)
		return
	}
	indent := e.indent + indentStep
	if e.indent < 0 {
		indent = 0
	}
	e.deeper(indent, func() {
		for _, p := range n.pairs {
			e.newLine()
			e.pair(p[0], p[1])
		}
	})
}

func (e *emitter) pair(key, value *outNode) {
	if e.simpleKey(key) {
		e.node(key, context{mapping: true, key: true})
		e.indicator(":", false, false, false)
	} else {
		e.indicator("?", true, false, true)
		e.node(key, context{mapping: true})
		e.newLine()
		e.indicator(":", true, false, true)
	}
	e.node(value, context{mapping: true})
}

// simpleKey reports whether a key fits in front of a ":"; its length counts with anchor and tag, written or not.
func (e *emitter) simpleKey(n *outNode) bool {
	length := len(e.anchorName(n))
	if e.written[n] {
		return length < 128
	}
	length += len(dumpedTag(n.tag))
	if n.kind == Scalar {
		a := analyze(n.text)
		return length+a.length < 128 && !a.empty && !a.multiline
	}
	return length < 128 && len(n.items)+len(n.pairs) == 0
}
