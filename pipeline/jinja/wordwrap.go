package jinja

import (
	"strings"
	"unicode"

	"github.com/haywardhq/hayward/pipeline/value"
)

func filterWordwrap(r *run, a []value.Value) (value.Value, error) {
	breakLong, err := truthArg(a[2], true)
	if err != nil {
		return nil, err
	}
	newline, err := r.wrapString(a[3])
	if err != nil {
		return nil, err
	}
	hyphens, err := truthArg(a[4], true)
	if err != nil {
		return nil, err
	}
	s, ok := str(a[0])
	b, isBytes := a[0].(value.Bytes)
	switch {
	case isBytes && b != "":
		return nil, typeErr("cannot use a string pattern on a bytes-like object")
	case asUndefined(a[0]) != nil:
		return nil, asUndefined(a[0]).fail()
	case !ok && !isBytes:
		return nil, noAttribute(a[0], "splitlines")
	}
	lines, err := r.lines(s, false)
	if err != nil || len(lines) == 0 {
		return likeJoin(a[3], ""), err
	}
	if err := r.alloc(16 * len(s)); err != nil {
		return nil, err
	}
	w := wrapper{width: 79, breakLong: breakLong, hyphens: hyphens}
	if a[1] != nil {
		if w.width, w.noSlice, err = r.wrapWidth(a[1]); err != nil {
			return nil, err
		}
	}
	parts := make([]string, len(lines))
	for i, line := range lines {
		wrapped := w.wrap(line)
		if w.sliced {
			return nil, typeErr("slice indices must be integers or None or have an __index__ method")
		}
		if isMarkup(a[3]) {
			for j, text := range wrapped {
				if wrapped[j], err = r.escapeText(text); err != nil {
					return nil, err
				}
			}
		}
		if err := r.reserve(len(wrapped), len(newline)); err != nil {
			return nil, err
		}
		parts[i] = strings.Join(wrapped, newline)
	}
	if err := r.reserve(len(parts), len(newline)); err != nil {
		return nil, err
	}
	return likeJoin(a[3], strings.Join(parts, newline)), nil
}

// likeJoin returns text as markup if it was joined by markup, which escapes what it joins.
func likeJoin(sep value.Value, text string) value.Value {
	if sep == nil {
		return value.Str(text)
	}
	return like(sep, text)
}

// wrapper is Python's textwrap.TextWrapper with tabs and white space left as they are.
type wrapper struct {
	width              int
	breakLong, hyphens bool
	noSlice, sliced    bool // the width is no int, and a word was cut by it
}

// wrapString is what lines are joined by.
func (r *run) wrapString(v value.Value) (string, error) {
	if value.IsNone(v) {
		return "\n", nil
	}
	if u := asUndefined(v); u != nil {
		return "", u.fail()
	}
	s, ok := str(v)
	if _, isBytes := v.(value.Bytes); !ok && !isBytes {
		return "", noAttribute(v, "join")
	}
	return s, nil
}

// wrapWidth is a width as an int; noSlice says that it is a float, by which lines can be measured but not cut.
func (r *run) wrapWidth(v value.Value) (n int, noSlice bool, err error) {
	none, err := r.order(tokLtEq, v, value.Int(0), 0)
	if err != nil {
		return 0, false, err
	}
	text, err := r.repr(v)
	if err == nil && none {
		err = valueErr("invalid width %s (must be > 0)", text)
	}
	if f, ok := v.(value.Float); ok {
		return int(min(float64(f), 1<<40)), true, err
	}
	if err == nil {
		n, err = clampIndex(v)
	}
	return n, false, err
}

func wrapSpace(c rune) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// wrap breaks one line into lines of at most width characters.
func (w *wrapper) wrap(s string) []string {
	chunks := w.chunks([]rune(s))
	var lines []string
	for len(chunks) > 0 {
		if len(lines) > 0 && chunks[0].blank() {
			chunks = chunks[1:]
		}
		var cur []rune
		last := 0 // where the last chunk of the line begins
		for len(chunks) > 0 && len(cur)+len(chunks[0].text) <= w.width {
			last = len(cur)
			cur = append(cur, chunks[0].text...)
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0].text) > w.width {
			cut := w.cut(chunks[0].text, w.width-len(cur), len(cur) == 0)
			if w.breakLong { // an empty piece, too, is the line's last one
				last = len(cur)
			}
			if cut > 0 {
				last = len(cur)
				cur = append(cur, chunks[0].text[:cut]...)
				if chunks[0].text = chunks[0].text[cut:]; len(chunks[0].text) == 0 {
					chunks = chunks[1:]
				}
			}
		}
		if len(cur) > 0 && len(cur)-last <= spacesAtEnd(cur[last:]) {
			cur = cur[:last]
		}
		if len(cur) > 0 {
			lines = append(lines, string(cur))
		}
	}
	return lines
}

// chunk is text that a line ends before or behind. Pieces are cut from its front, so that how many white characters it
// ends with is counted once.
type chunk struct {
	text   []rune
	spaces int
}

func (c chunk) blank() bool { return len(c.text) <= c.spaces }

func spacesAtEnd(s []rune) int {
	n := 0
	for n < len(s) && value.IsSpace(s[len(s)-1-n]) {
		n++
	}
	return n
}

// cut is how much of a chunk that is too long goes on the line.
func (w *wrapper) cut(chunk []rune, left int, empty bool) int {
	if !w.breakLong {
		if empty {
			return len(chunk)
		}
		return 0
	}
	w.sliced = w.sliced || w.noSlice
	end := min(left, len(chunk))
	if !w.hyphens || len(chunk) <= left {
		return end
	}
	for i := end - 1; i > 0; i-- {
		if chunk[i] != '-' {
			continue
		}
		for _, c := range chunk[:i] {
			if c != '-' {
				return i + 1
			}
		}
		break
	}
	return end
}

// chunks splits text where lines may break: around white space and, with hyphens, behind them and around dashes.
func (w wrapper) chunks(s []rune) []chunk {
	dashes := make([]int, len(s)+1) // where the run of dashes at i ends
	for i := len(s) - 1; i >= 0; i-- {
		dashes[i] = i
		if s[i] == '-' {
			dashes[i] = max(dashes[i+1], i+1)
		}
		if i+1 < len(s) && s[i] == '-' && s[i+1] != '-' {
			dashes[i] = i + 1
		}
	}
	var out []chunk
	for i := 0; i < len(s); {
		j := w.chunkEnd(s, i, dashes)
		out = append(out, chunk{s[i:j], spacesAtEnd(s[i:j])})
		i = j
	}
	return out
}

func (w wrapper) chunkEnd(s []rune, i int, dashes []int) int {
	if wrapSpace(s[i]) {
		for i < len(s) && wrapSpace(s[i]) {
			i++
		}
		return i
	}
	if !w.hyphens {
		for i < len(s) && !wrapSpace(s[i]) {
			i++
		}
		return i
	}
	if dashBetween(s, i, dashes) {
		return dashes[i]
	}
	for j := i + 1; ; j++ {
		switch {
		case j < len(s) && s[j] == '-' && hyphenBreak(s, j):
			return j + 1
		case j == len(s) || wrapSpace(s[j]) || dashBetween(s, j, dashes):
			return j
		}
	}
}

func wordPunct(c rune) bool { return value.IsWord(c) || strings.ContainsRune(`!"'&.,?`, c) }

func letter(s []rune, i int) bool {
	return i >= 0 && i < len(s) && value.IsWord(s[i]) && !unicode.Is(unicode.Nd, s[i])
}

// dashBetween is a dash of two or more hyphens between words.
func dashBetween(s []rune, i int, dashes []int) bool {
	return i > 0 && i < len(s) && s[i] == '-' && dashes[i]-i >= 2 && wordPunct(s[i-1]) && dashes[i] < len(s) &&
		value.IsWord(s[dashes[i]])
}

// hyphenBreak reports whether a line may break behind the hyphen at j.
func hyphenBreak(s []rune, j int) bool {
	before := letter(s, j-1) && letter(s, j-2) || j >= 3 && letter(s, j-3) && s[j-2] == '-' && letter(s, j-1)
	if !before || !letter(s, j+1) {
		return false
	}
	return letter(s, j+2) || j+2 < len(s) && s[j+2] == '-' && letter(s, j+3)
}
