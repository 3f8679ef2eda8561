package jinja

import (
	"html"

	"github.com/haywardhq/hayward/pipeline/value"
)

// ownOfMarkup are the methods that Markup has itself.
const ownOfMarkup = " capitalize title lower upper swapcase casefold split rsplit splitlines strip lstrip rstrip center ljust rjust " +
	"partition rpartition replace translate expandtabs zfill removeprefix removesuffix join unescape striptags escape "

// markupSignature is a method of markupsafe.Markup, which are Python functions around those of str.
type markupSignature struct {
	signature
	defaults []value.Value // of the last parameters
	escaped  int           // the parameter that is escaped, -1 for none
}

func markupDef(name string, required, posOnly int, params ...string) *markupSignature {
	return &markupSignature{escaped: -1,
		signature: signature{fn: "Markup." + name, hidden: "self", params: params, required: required, posOnly: posOnly}}
}

func (m *markupSignature) or(defaults ...value.Value) *markupSignature {
	m.defaults = defaults
	return m
}

func (m *markupSignature) escape(param int) *markupSignature {
	m.escaped = param
	return m
}

// over calls a method of str with the arguments in order.
func (m *markupSignature) over(inner method) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		got, err := a.bindTo(&m.signature)
		if err != nil {
			return nil, err
		}
		pos := make([]value.Value, len(got))
		for i, v := range got {
			if v == nil {
				v = m.defaults[i-m.required]
			}
			if i == m.escaped {
				if v, err = r.escape(v); err != nil {
					return nil, err
				}
			}
			pos[i] = v
		}
		return inner(r, self, &args{pos: pos})
	}
}

// markupMethods are str's, with Markup's own in their place.
func markupMethods(text methodTable) methodTable {
	out := make(methodTable, len(text)+3)
	for name, m := range text {
		out[name] = m
	}
	over := func(name string, m *markupSignature) { out[name] = methodInfo{fn: m.over(text[name].fn)} }
	for _, name := range []string{"capitalize", "title", "lower", "upper", "swapcase", "casefold"} {
		over(name, markupDef(name, 0, 0))
	}
	for _, name := range []string{"split", "rsplit"} {
		over(name, markupDef(name, 0, 0, "sep", "maxsplit").or(value.None, value.Int(-1)))
	}
	for _, name := range []string{"strip", "lstrip", "rstrip"} {
		over(name, markupDef(name, 0, 1, "chars").or(value.None))
	}
	for _, name := range []string{"center", "ljust", "rjust"} {
		over(name, markupDef(name, 1, 2, "width", "fillchar").or(value.Str(" ")).escape(1))
	}
	for _, name := range []string{"partition", "rpartition"} {
		over(name, markupDef(name, 1, 1, "sep"))
	}
	over("splitlines", markupDef("splitlines", 0, 0, "keepends").or(value.Bool(false)))
	over("replace", markupDef("replace", 2, 3, "old", "new", "count").or(value.Int(-1)).escape(1))
	over("translate", markupDef("translate", 1, 1, "table"))
	over("expandtabs", markupDef("expandtabs", 0, 0, "tabsize").or(value.Int(8)))
	over("zfill", markupDef("zfill", 1, 1, "width"))
	over("removeprefix", markupDef("removeprefix", 1, 1, "prefix"))
	over("removesuffix", markupDef("removesuffix", 1, 0, "suffix"))
	out["join"] = methodInfo{fn: markupDef("join", 1, 1, "iterable").over(joinMarkup)}
	out["unescape"] = methodInfo{fn: markupDef("unescape", 0, 0).over(unescapeMarkup)}
	out["striptags"] = methodInfo{fn: markupDef("striptags", 0, 0).over(func(r *run, self value.Value, _ *args) (value.Value, error) {
		return filterStriptags(r, []value.Value{self})
	})}
	escape := markupDef("escape", 1, 1, "s")
	escape.hidden = "cls"
	out["escape"] = methodInfo{fn: escape.over(func(r *run, _ value.Value, a *args) (value.Value, error) { return r.escape(a.pos[0]) })}
	return out
}

func unescapeMarkup(r *run, self value.Value, _ *args) (value.Value, error) {
	s, _ := str(self)
	return value.Str(html.UnescapeString(s)), r.alloc(2 * len(s))
}

// joinMarkup is join of each item escaped.
func joinMarkup(r *run, self value.Value, a *args) (value.Value, error) {
	if _, err := r.iter(a.pos[0]); err != nil {
		return nil, err
	}
	return joinText(r, self, a)
}
