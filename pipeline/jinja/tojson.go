package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

var jsonHTML = strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "'", `\u0027`)

// filterTojson is json.dumps with sorted keys, made safe for HTML.
func filterTojson(r *run, a []value.Value) (value.Value, error) {
	opts := value.JSONOptions{SortKeys: true, Default: jsonDefault}
	extra, grow := 0, 2
	if _, isText := str(a[0]); !isText && !value.IsNone(a[1]) { // text is written without a look at the indent
		n, text, err := jsonIndent(a[1])
		if err != nil {
			return nil, err
		}
		opts.Indent, opts.IndentText, extra = &n, text, n*max(1, len(text))
		if isMarkup(a[1]) { // which Python puts in front of the items of a list
			opts.ListText, grow = htmlEscaper.Replace, 12
		}
	}
	if err := r.measure(a[0], extra, grow, 1); err != nil {
		return nil, err
	}
	text, err := value.ToJSON(a[0], opts)
	if err != nil {
		return nil, err
	}
	text = jsonHTML.Replace(text)
	return markup{text: text}, r.alloc(2 * len(text))
}

// jsonIndent is the indent of one level: so many spaces, or once a text.
func jsonIndent(v value.Value) (n int, text string, err error) {
	if text, ok := str(v); ok {
		return min(len(text), 1), text, nil
	}
	if u := asUndefined(v); u != nil {
		return 0, "", u.fail()
	}
	if !isInt(v) {
		return 0, "", typeErr("can't multiply sequence by non-int of type '%s'", typeName(v))
	}
	if n, err = index(v); n > 1000 {
		return 0, "", limitErr("Memory", "tojson cannot indent by more than 1000")
	}
	return max(n, 0), "", err
}

// jsonDefault writes what only templates know as what it is in Python.
func jsonDefault(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case markup:
		return value.Str(v.text), nil
	case *groupTuple:
		return v.pair, nil
	}
	return nil, typeErr("Object of type %s is not JSON serializable", value.TypeName(v))
}

// measure goes over a value as json.dumps will, so that one that shares its parts many times over is stopped before it
// is written out. indent is the spaces per level, grow how many times as long text may become.
func (r *run) measure(v value.Value, indent, grow, depth int) error {
	if err := r.step(); err != nil {
		return err
	}
	if depth > maxValueNest {
		return raise("RecursionError", "maximum recursion depth exceeded while encoding a JSON object")
	}
	if err := r.alloc(8 + indent*depth); err != nil {
		return err
	}
	each := func(items []value.Value) error {
		for _, x := range items {
			if err := r.measure(x, indent, grow, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	switch v := v.(type) {
	case value.Str:
		return r.alloc(grow * len(v))
	case *value.BigInt:
		return r.digits(v)
	case *value.List:
		return each(v.Items)
	case value.Tuple:
		return each(v)
	case *groupTuple:
		return each(v.pair)
	case *value.Dict:
		for k, x := range v.All() {
			if u := asUndefined(k); u != nil && v.Len() > 1 { // the keys are sorted
				return u.fail()
			}
			if s, ok := str(k); ok {
				if err := r.alloc(2 * len(s)); err != nil {
					return err
				}
			}
			if err := r.measure(x, indent, grow, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
