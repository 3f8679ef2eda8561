package jinja

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

func filterPprint(r *run, a []value.Value) (value.Value, error) {
	p := pprinter{r: r}
	v, err := p.ordered(a[0], 0)
	if err != nil {
		return nil, err
	}
	err = p.format(v, 0, 0, 0)
	return value.Str(p.b.String()), err
}

const pprintWidth = 80

// pprinter is Python's pprint.pformat with its default settings.
type pprinter struct {
	r *run
	b strings.Builder
}

// ordered returns a copy of v with sorted dicts, which pprint prints even on one line.
func (p *pprinter) ordered(v value.Value, depth int) (value.Value, error) {
	if err := p.r.step(); err != nil {
		return nil, err
	}
	if depth > maxValueNest {
		return nil, raise("RecursionError", "maximum recursion depth exceeded")
	}
	items := func(list []value.Value) ([]value.Value, error) {
		if err := p.r.allocItems(len(list)); err != nil {
			return nil, err
		}
		out := make([]value.Value, len(list))
		for i, x := range list {
			var err error
			if out[i], err = p.ordered(x, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch v := v.(type) {
	case *value.List:
		out, err := items(v.Items)
		return &value.List{Items: out}, err
	case value.Tuple:
		out, err := items(v)
		return value.Tuple(out), err
	case *value.Dict:
		return p.orderedDict(v, depth)
	}
	return v, nil
}

func (p *pprinter) orderedDict(d *value.Dict, depth int) (value.Value, error) {
	keys := dictKeys(d)
	if err := p.r.allocItems(4 * len(keys)); err != nil {
		return nil, err
	}
	var failed error
	sort.SliceStable(keys, func(i, j int) bool {
		if failed != nil {
			return false
		}
		less, err := p.before(keys[i], keys[j])
		failed = err
		return less
	})
	if failed != nil {
		return nil, failed
	}
	out := &value.Dict{}
	for _, k := range keys {
		v, _ := d.GetKey(k)
		v, err := p.ordered(v, depth+1)
		if err != nil {
			return nil, err
		}
		out.SetKey(k, v)
	}
	return out, nil
}

// before orders keys by value, or by type where Python cannot compare them.
func (p *pprinter) before(a, b value.Value) (bool, error) {
	less, err := p.r.order(tokLt, a, b, 0)
	if catchable(err, "TypeError") {
		return "<class '"+typeName(a)+"'>" < "<class '"+typeName(b)+"'>", nil
	}
	return less, err
}

func (p *pprinter) write(s string) error {
	p.b.WriteString(s)
	return p.r.alloc(len(s))
}

// format writes v; indent is the column it stands at, allowance what must follow on its last line.
func (p *pprinter) format(v value.Value, indent, allowance, level int) error {
	rep, err := p.r.repr(v)
	if err != nil {
		return err
	}
	if utf8.RuneCountInString(rep) <= pprintWidth-indent-allowance {
		return p.write(rep)
	}
	switch v := v.(type) {
	case *value.Dict:
		return p.dict(v, indent, allowance, level+1)
	case *value.List:
		return p.bracketed("[", v.Items, "]", indent, allowance, level+1)
	case value.Tuple:
		end := ")"
		if len(v) == 1 {
			end = ",)"
		}
		return p.bracketed("(", v, end, indent, allowance, level+1)
	case *value.Set:
		if v.Len() > 0 {
			items, err := p.r.sorted(v.Items(), func(v value.Value) (value.Value, error) { return v, nil }, false)
			if err != nil {
				items = v.Items()
			}
			return p.bracketed("{", items, "}", indent, allowance, level+1)
		}
	case value.Str:
		return p.text(string(v), rep, indent, allowance, level+1)
	}
	return p.write(rep)
}

func (p *pprinter) bracketed(open string, items []value.Value, end string, indent, allowance, level int) error {
	if err := p.write(open); err != nil {
		return err
	}
	for i, v := range items {
		if i > 0 {
			if err := p.write(",\n" + strings.Repeat(" ", indent+1)); err != nil {
				return err
			}
		}
		after := 1
		if i == len(items)-1 {
			after = allowance + len(end)
		}
		if err := p.format(v, indent+1, after, level); err != nil {
			return err
		}
	}
	return p.write(end)
}

func (p *pprinter) dict(d *value.Dict, indent, allowance, level int) error {
	if err := p.write("{"); err != nil {
		return err
	}
	i := 0
	for k, v := range d.All() {
		if i > 0 {
			if err := p.write(",\n" + strings.Repeat(" ", indent+1)); err != nil {
				return err
			}
		}
		i++
		rep, err := p.r.repr(k)
		if err != nil {
			return err
		}
		if err := p.write(rep + ": "); err != nil {
			return err
		}
		after := 1
		if i == d.Len() {
			after = allowance + 1
		}
		if err := p.format(v, indent+1+utf8.RuneCountInString(rep)+2, after, level); err != nil {
			return err
		}
	}
	return p.write("}")
}

// text breaks a long text into literals, one per line of output.
func (p *pprinter) text(s, rep string, indent, allowance, level int) error {
	lines, err := p.r.lines(s, true)
	if err != nil {
		return err
	}
	if level == 1 {
		indent++
		allowance++
	}
	width := pprintWidth - indent
	var chunks []string
	for i, line := range lines {
		last := i == len(lines)-1
		room := width
		if last {
			room -= allowance
		}
		rep = quote(line)
		if utf8.RuneCountInString(rep) <= room {
			chunks = append(chunks, rep)
			continue
		}
		chunks = append(chunks, p.words(line, width, room)...)
	}
	if err := p.r.alloc(len(s) + len(chunks)*(indent+3)); err != nil {
		return err
	}
	if len(chunks) == 1 {
		return p.write(rep)
	}
	out := strings.Join(chunks, "\n"+strings.Repeat(" ", indent))
	if level == 1 {
		out = "(" + out + ")"
	}
	return p.write(out)
}

// words fills literals of at most width with the words of a line; room is the width of the last one.
func (p *pprinter) words(line string, width, room int) []string {
	var out []string
	parts := spacedWords(line)
	cur, curWidth := "", 0
	for i, part := range parts {
		limit := width
		if i == len(parts)-1 {
			limit = room
		}
		candidate := cur + part
		if curWidth > 2*pprintWidth || utf8.RuneCountInString(quote(candidate)) > limit {
			if cur != "" {
				out = append(out, quote(cur))
			}
			candidate = part
		}
		cur, curWidth = candidate, len(candidate)
	}
	if cur != "" {
		out = append(out, quote(cur))
	}
	return out
}

// spacedWords splits a line into words with the space behind them.
func spacedWords(line string) []string {
	var out []string
	for line != "" {
		word := strings.IndexFunc(line, value.IsSpace)
		if word < 0 {
			return append(out, line)
		}
		space := strings.IndexFunc(line[word:], func(c rune) bool { return !value.IsSpace(c) })
		if space < 0 {
			return append(out, line)
		}
		out = append(out, line[:word+space])
		line = line[word+space:]
	}
	return out
}
