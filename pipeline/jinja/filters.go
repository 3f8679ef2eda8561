package jinja

import "github.com/haywardhq/hayward/pipeline/value"

type builtinFn = func(r *run, a []value.Value) (value.Value, error)

// def describes a built-in filter or test; optional parameters end in a question mark.
func def(pyName string, fn builtinFn, params ...string) *builtinFunc {
	b := &builtinFunc{signature: signature{fn: pyName}, fn: fn}
	for _, p := range params {
		if p[len(p)-1] == '?' {
			p = p[:len(p)-1]
		} else {
			b.required++
		}
		b.params = append(b.params, p)
	}
	return b
}

// hide names the parameter that Jinja fills in front of the value.
func (b *builtinFunc) hide(param string) *builtinFunc {
	b.hidden = param
	return b
}

// positional says that no keyword reaches the value.
func (b *builtinFunc) positional() *builtinFunc {
	b.posOnly = 1
	return b
}

// inC says that it is a function of CPython with one parameter, not one of Jinja's.
func (b *builtinFunc) inC() *builtinFunc {
	b.c = true
	return b
}

func rawDef(fn func(r *run, a *args) (value.Value, error)) *builtinFunc { return &builtinFunc{raw: fn} }

// builtinFilters are the filters of Jinja (jinja2.filters.FILTERS).
func builtinFilters() map[string]*builtinFunc {
	length := def("len", filterLength, "obj").inC()
	dflt := def("do_default", filterDefault, "value", "default_value?", "boolean?")
	escape := def("escape", filterEscape, "s").positional()
	return map[string]*builtinFunc{
		"abs":            def("abs", filterAbs, "x").inC(),
		"attr":           def("do_attr", filterAttr, "obj", "name").hide("environment"),
		"batch":          def("do_batch", filterBatch, "value", "linecount", "fill_with?"),
		"capitalize":     def("do_capitalize", onText(value.PyCapitalize), "s"),
		"center":         def("do_center", filterCenter, "value", "width?"),
		"count":          length,
		"d":              dflt,
		"default":        dflt,
		"dictsort":       def("do_dictsort", filterDictsort, "value", "case_sensitive?", "by?", "reverse?"),
		"e":              escape,
		"escape":         escape,
		"filesizeformat": def("do_filesizeformat", filterFilesize, "value", "binary?"),
		"first":          def("sync_do_first", filterFirst, "seq").hide("environment"),
		"float":          def("do_float", filterFloat, "value", "default?"),
		"forceescape":    def("do_forceescape", filterForceEscape, "value"),
		"format":         rawDef(filterFormat),
		"groupby":        def("sync_do_groupby", filterGroupby, "value", "attribute", "default?", "case_sensitive?").hide("environment"),
		"indent":         def("do_indent", filterIndent, "s", "width?", "first?", "blank?"),
		"int":            def("do_int", filterInt, "value", "default?", "base?"),
		"items":          def("do_items", filterItems, "value"),
		"join":           def("sync_do_join", filterJoin, "value", "d?", "attribute?").hide("eval_ctx"),
		"last":           def("do_last", filterLast, "seq").hide("environment"),
		"length":         length,
		"list":           def("sync_do_list", filterList, "value"),
		"lower":          def("do_lower", onText(value.PyLower), "s"),
		"map":            rawDef(filterMap),
		"max":            def("do_max", minMax(tokGt), "value", "case_sensitive?", "attribute?").hide("environment"),
		"min":            def("do_min", minMax(tokLt), "value", "case_sensitive?", "attribute?").hide("environment"),
		"pprint":         def("do_pprint", filterPprint, "value"),
		"random":         def("do_random", filterRandom, "seq").hide("context"),
		"reject":         rawDef(selector("reject", false, false)),
		"rejectattr":     rawDef(selector("rejectattr", false, true)),
		"replace":        def("do_replace", filterReplace, "s", "old", "new", "count?").hide("eval_ctx"),
		"reverse":        def("do_reverse", filterReverse, "value"),
		"round":          def("do_round", filterRound, "value", "precision?", "method?"),
		"safe":           def("do_mark_safe", filterSafe, "value"),
		"select":         rawDef(selector("select", true, false)),
		"selectattr":     rawDef(selector("selectattr", true, true)),
		"slice":          def("sync_do_slice", filterSlice, "value", "slices", "fill_with?"),
		"sort":           def("do_sort", filterSort, "value", "reverse?", "case_sensitive?", "attribute?").hide("environment"),
		"string":         def("soft_str", filterString, "s").positional(),
		"striptags":      def("do_striptags", filterStriptags, "value"),
		"sum":            def("sync_do_sum", filterSum, "iterable", "attribute?", "start?").hide("environment"),
		"title":          def("do_title", filterTitle, "s"),
		"tojson":         def("do_tojson", filterTojson, "value", "indent?").hide("eval_ctx"),
		"trim":           def("do_trim", filterTrim, "value", "chars?"),
		"truncate":       def("do_truncate", filterTruncate, "s", "length?", "killwords?", "end?", "leeway?").hide("env"),
		"unique":         def("sync_do_unique", filterUnique, "value", "case_sensitive?", "attribute?").hide("environment"),
		"upper":          def("do_upper", onText(value.PyUpper), "s"),
		"urlencode":      def("do_urlencode", filterUrlencode, "value"),
		"urlize": def("do_urlize", filterUrlize, "value", "trim_url_limit?", "nofollow?", "target?", "rel?",
			"extra_schemes?").hide("eval_ctx"),
		"wordcount": def("do_wordcount", filterWordcount, "s"),
		"wordwrap":  def("do_wordwrap", filterWordwrap, "s", "width?", "break_long_words?", "wrapstring?", "break_on_hyphens?").hide("environment"),
		"xmlattr":   def("do_xmlattr", filterXMLattr, "d", "autospace?").hide("eval_ctx"),
	}
}

// softText is markupsafe.soft_str: the text of a value, and whether it is markup.
func (r *run) softText(v value.Value) (string, error) {
	if s, ok := str(v); ok {
		return s, nil
	}
	return r.str(v)
}

// onText is a filter that turns text into text of the same kind.
func onText(fn func(string) string) builtinFn {
	return func(r *run, a []value.Value) (value.Value, error) {
		s, err := r.softText(a[0])
		if err != nil {
			return nil, err
		}
		if err := r.alloc(2 * len(s)); err != nil {
			return nil, err
		}
		return like(a[0], fn(s)), nil
	}
}

// intArg is an optional int argument.
func intArg(v value.Value, dflt int) (int, error) {
	if v == nil {
		return dflt, nil
	}
	return index(v)
}

// attrGetter looks an attribute path up ("a.b.0"), as jinja2.filters.make_attrgetter does.
type attrGetter struct {
	parts  []value.Value
	dflt   value.Value // in place of what is undefined; nil leaves it
	folded bool        // compare text without case
}

func newGetter(attribute value.Value, folded bool) attrGetter {
	return attrGetter{parts: attributeParts(attribute), folded: folded}
}

func (g attrGetter) get(r *run, v value.Value) (value.Value, error) {
	for _, part := range g.parts {
		var err error
		if v, err = r.getitem(v, part); err != nil {
			return nil, err
		}
		if g.dflt != nil && asUndefined(v) != nil {
			v = g.dflt
		}
	}
	if g.folded {
		return r.ignoreCase(v)
	}
	return v, nil
}

func (r *run) ignoreCase(v value.Value) (value.Value, error) {
	if s, ok := str(v); ok {
		return like(v, value.PyLower(s)), r.alloc(len(s))
	}
	return v, nil
}

func attributeParts(attribute value.Value) []value.Value {
	if value.IsNone(attribute) {
		return nil
	}
	s, ok := str(attribute)
	if !ok {
		return []value.Value{attribute}
	}
	return pathParts(attribute, s)
}

func filterLength(r *run, a []value.Value) (value.Value, error) {
	n, err := r.length(a[0])
	return value.Int(n), err
}

func filterDefault(_ *run, a []value.Value) (value.Value, error) {
	dflt := a[1]
	if dflt == nil {
		dflt = value.Str("")
	}
	if asUndefined(a[0]) != nil {
		return dflt, nil
	}
	byTruth, err := truthArg(a[2], false)
	if err != nil || !byTruth {
		return a[0], err
	}
	ok, err := truth(a[0])
	if ok {
		return a[0], err
	}
	return dflt, err
}

func filterEscape(r *run, a []value.Value) (value.Value, error) { return r.escape(a[0]) }

func filterForceEscape(r *run, a []value.Value) (value.Value, error) {
	s, err := r.str(a[0])
	if err != nil {
		return nil, err
	}
	s, err = r.escapeText(s)
	return markup{text: s}, err
}

func filterSafe(r *run, a []value.Value) (value.Value, error) {
	s, err := r.str(a[0])
	return markup{text: s}, err
}

func filterString(r *run, a []value.Value) (value.Value, error) {
	if _, ok := str(a[0]); ok {
		return a[0], nil
	}
	s, err := r.str(a[0])
	return value.Str(s), err
}

func filterAttr(r *run, a []value.Value) (value.Value, error) {
	if err := r.hashable(a[1]); err != nil {
		return nil, err
	}
	name, ok := str(a[1])
	if !ok {
		return nil, typeErr("attribute name must be string, not '%s'", typeName(a[1]))
	}
	if u := asUndefined(a[0]); u != nil {
		if isDunder(name) && !isPrivate(u, name) {
			return r.undefItem(u, a[1]), nil
		}
		return r.undefinedAttr(u, name)
	}
	got, err := r.pyAttr(a[0], name)
	if err != nil {
		return nil, err
	}
	if got == nil {
		return r.undefItem(a[0], a[1]), nil
	}
	return r.getattr(a[0], name)
}

func filterRandom(r *run, a []value.Value) (value.Value, error) {
	n, err := r.length(a[0])
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return r.undefHint("No random item, sequence was empty.", ""), nil
	}
	return r.item(a[0], value.Int(randomIndex(n)))
}
