package pyyaml

import (
	"fmt"
	"strings"
)

// analysis is what a text allows (yaml/emitter.py, analyze_scalar).
type analysis struct {
	length                   int // in characters
	empty, multiline         bool
	plainOK, singleOK, block bool
}

func analyze(s string) analysis {
	if s == "" {
		return analysis{empty: true, plainOK: true, singleOK: true}
	}
	text := []rune(s)
	last := len(text) - 1
	a := analysis{length: len(text), plainOK: true, singleOK: true, block: text[last] != ' '}
	a.plainOK = !edge(text[0]) && !edge(text[last]) && !strings.HasPrefix(s, "---") && !strings.HasPrefix(s, "...")
	for i, c := range text {
		if markup(text, i) {
			a.plainOK = false
		}
		if c != '\n' && (c < ' ' || c > '~') {
			a.plainOK, a.singleOK, a.block = false, false, false
		}
		if !yamlBreak(c) {
			continue
		}
		a.multiline, a.plainOK = true, false
		if i > 0 && text[i-1] == ' ' {
			a.singleOK, a.block = false, false
		}
		if i < last && text[i+1] == ' ' {
			a.singleOK = false
		}
	}
	return a
}

func yamlBreak(c rune) bool { return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029 }

func edge(c rune) bool { return c == ' ' || yamlBreak(c) }

// markup reports whether the character at i would be read as punctuation in a plain scalar in block style.
func markup(text []rune, i int) bool {
	gapAfter := i+1 >= len(text) || isGap(text[i+1])
	switch c := text[i]; {
	case c == ':':
		return gapAfter
	case c == '#':
		return i == 0 || isGap(text[i-1])
	case i > 0:
		return false
	case c == '?' || c == '-':
		return gapAfter
	default:
		return c != 0 && strings.ContainsRune(",[]{}&*!|>'\"%@`", c)
	}
}

// scalar chooses a style, writes the tag if the text alone would give another one, and writes the text.
func (e *emitter) scalar(n *outNode, in context) {
	a := analyze(n.text)
	implied := resolve(n.text) == n.tag
	style := e.style(n, a, in, implied)
	e.tag(n.tag, style == ' ' && implied || style != ' ' && n.tag == tagStr)
	indent := e.indent + indentStep
	if e.indent < 0 {
		indent = indentStep
	}
	e.deeper(indent, func() {
		switch style {
		case '"':
			e.doubleQuoted([]rune(n.text), !in.key)
		case '\'':
			e.singleQuoted(n.text, !in.key)
		case '|':
			e.literal(n.text)
		default:
			e.plain(n.text, in)
		}
	})
}

// style is ' ' for plain, the quote, or '|'.
func (e *emitter) style(n *outNode, a analysis, in context, implied bool) byte {
	switch {
	case n.block:
		if !in.key && a.block {
			return '|'
		}
		return '"'
	case implied && a.plainOK && !(in.key && (a.empty || a.multiline)):
		return ' '
	case a.singleOK && !(in.key && a.multiline):
		return '\''
	}
	return '"'
}

// plain writes a text without quotes; single spaces beyond the width become line breaks.
func (e *emitter) plain(s string, in context) {
	e.openEnded = e.openEnded || in.root
	if s == "" {
		return
	}
	if !e.whitespace {
		e.put(" ")
	}
	e.whitespace, e.indention = false, false
	for len(s) > 0 {
		word := run(s, false)
		e.put(word)
		s = s[len(word):]
		gap := run(s, true)
		if len(gap) == 1 && e.column > lineWidth && !in.key {
			e.newLine()
			e.whitespace, e.indention = false, false
		} else {
			e.put(gap)
		}
		s = s[len(gap):]
	}
}

// run returns the spaces, or the text up to the next space, that s begins with.
func run(s string, spaces bool) string {
	i := strings.IndexFunc(s, func(r rune) bool { return (r == ' ') != spaces })
	if i < 0 {
		return s
	}
	return s[:i]
}

func (e *emitter) singleQuoted(s string, split bool) {
	e.indicator("'", true, false, false)
	for i := 0; i < len(s); {
		switch s[i] {
		case ' ':
			gap := run(s[i:], true)
			if len(gap) == 1 && e.column > lineWidth && split && i > 0 && i+1 < len(s) {
				e.newLine()
			} else {
				e.put(gap)
			}
			i += len(gap)
		case '\n':
			e.lineBreak() // one break more, since the first of them reads as a space
			for ; i < len(s) && s[i] == '\n'; i++ {
				e.lineBreak()
			}
			e.newLine()
		case '\'':
			e.put("''")
			i++
		default:
			word := s[i:]
			if n := strings.IndexAny(word, " \n'"); n >= 0 {
				word = word[:n]
			}
			e.put(word)
			i += len(word)
		}
	}
	e.indicator("'", false, false, false)
}

var dumpEscapes = map[rune]string{0: "0", 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 27: "e", '"': `"`, '\\': `\`,
	0x85: "N", 0xa0: "_", 0x2028: "L", 0x2029: "P"}

func escaped(c rune) string {
	if s, ok := dumpEscapes[c]; ok {
		return `\` + s
	}
	switch {
	case c >= ' ' && c <= '~':
		return ""
	case c <= 0xff:
		return fmt.Sprintf(`\x%02X`, c)
	case c <= 0xffff:
		return fmt.Sprintf(`\u%04X`, c)
	}
	return fmt.Sprintf(`\U%08X`, c)
}

// doubleQuoted writes a text with escapes. Lines are cut at spaces and behind escapes; a "\" ends such a line, and
// another one keeps a space at the beginning of the next.
func (e *emitter) doubleQuoted(text []rune, split bool) {
	e.indicator(`"`, true, false, false)
	pending := 0 // where the text not yet written begins
	for i, c := range text {
		esc := escaped(c)
		if esc != "" {
			e.put(string(text[pending:i]) + esc)
			pending = i + 1
		}
		if !split || i == 0 || i >= len(text)-1 || c != ' ' && pending < i || e.column+max(i-pending, -1) <= lineWidth {
			continue
		}
		if pending < i {
			e.put(string(text[pending:i]))
			pending = i
		}
		e.put(`\`)
		e.newLine()
		e.whitespace, e.indention = false, false
		if text[pending] == ' ' {
			e.put(`\`)
		}
	}
	e.put(string(text[pending:]))
	e.indicator(`"`, false, false, false)
}

// literal writes base64 lines.
func (e *emitter) literal(s string) {
	e.indicator("|", true, false, false)
	e.lineBreak()
	for line := range strings.Lines(s) {
		e.newLine()
		e.out.WriteString(strings.TrimSuffix(line, "\n"))
		e.lineBreak()
	}
}
