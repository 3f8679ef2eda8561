package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// CPython's own functions check their arguments in one of a few ways, each with its own words. Which one a function uses is
// seen in its C source alone.

// builtin checks the arguments of a method that takes positions only: none (METH_NOARGS), one (METH_O), or several
// (METH_FASTCALL).
func (a *args) builtin(self value.Value, name string, least, most int) error {
	if len(a.kw) == 0 && len(a.pos) >= least && len(a.pos) <= most {
		return nil
	}
	return a.function(typeName(self)+"."+name, name, least, most)
}

// function is builtin for a function that is no method: full is its name where CPython names the module or type with it.
func (a *args) function(full, name string, least, most int) error {
	n := len(a.pos)
	switch {
	case len(a.kw) > 0:
		return typeErr("%s() takes no keyword arguments", full)
	case n >= least && n <= most:
		return nil
	case most == 0:
		return typeErr("%s() takes no arguments (%d given)", full, n)
	case least == most && most == 1:
		return typeErr("%s() takes exactly one argument (%d given)", full, n)
	case least == most:
		return typeErr("%s expected %d argument%s, got %d", name, least, plural(least), n)
	case n < least:
		return typeErr("%s expected at least %d argument%s, got %d", name, least, plural(least), n)
	}
	return typeErr("%s expected at most %d argument%s, got %d", name, most, plural(most), n)
}

// parsed checks the arguments of a method that takes a tuple of them (METH_VARARGS with PyArg_ParseTuple).
func (a *args) parsed(name string, least, most int) error {
	n := len(a.pos)
	switch {
	case len(a.kw) > 0:
		return typeErr("%s() takes no keyword arguments", name)
	case n >= least && n <= most:
		return nil
	case least == most:
		return typeErr("%s() takes exactly %d argument%s (%d given)", name, least, plural(least), n)
	case n < least:
		return typeErr("%s() takes at least %d argument%s (%d given)", name, least, plural(least), n)
	}
	return typeErr("%s() takes at most %d argument%s (%d given)", name, most, plural(most), n)
}

// cKeywords is a C function that takes keywords (Argument Clinic's _PyArg_UnpackKeywords).
type cKeywords struct {
	name     string
	params   []string
	required int
	posOnly  int // the first ones that no keyword reaches
	most     int // positions at most
}

// unpack puts the arguments in the order of the parameters; missing optional ones are nil.
func (c *cKeywords) unpack(a *args) ([]value.Value, error) {
	n, kw := len(a.pos), len(a.kw)
	switch {
	case n+kw > len(c.params):
		how := ""
		if n == 0 {
			how = "keyword "
		}
		return nil, typeErr("%s() takes at most %d %sargument%s (%d given)", c.name, len(c.params), how, plural(len(c.params)), n+kw)
	case n > c.most && c.most == 0:
		return nil, typeErr("%s() takes no positional arguments", c.name)
	case n > c.most:
		return nil, typeErr("%s() takes at most %d positional argument%s (%d given)", c.name, c.most, plural(c.most), n)
	case n < c.posOnly:
		how := "at least"
		if c.posOnly == c.most {
			how = "exactly"
		}
		return nil, typeErr("%s() takes %s %d positional argument%s (%d given)", c.name, how, c.posOnly, plural(c.posOnly), n)
	}
	out := make([]value.Value, len(c.params))
	copy(out, a.pos)
	for i := n; i < len(out); i++ {
		for _, k := range a.kw {
			if k.Name == c.params[i] {
				out[i], kw = k.Value, kw-1
			}
		}
		if out[i] == nil && i < c.required {
			return nil, typeErr("%s() missing required argument '%s' (pos %d)", c.name, c.params[i], i+1)
		}
	}
	if kw == 0 {
		return out, nil
	}
	return nil, c.leftOver(a)
}

// leftOver is the error of keywords that no parameter took.
func (c *cKeywords) leftOver(a *args) error {
	for i := c.posOnly; i < len(a.pos); i++ {
		if hasKwarg(a.kw, c.params[i]) {
			return typeErr("argument for %s() given by name ('%s') and position (%d)", c.name, c.params[i], i+1)
		}
	}
	for _, k := range a.kw {
		if i := indexOf(c.params, k.Name); i < c.posOnly {
			return typeErr("'%s' is an invalid keyword argument for %s()", k.Name, c.name)
		}
	}
	return nil
}

// keywords is unpack for the common function, whose parameters all are optional and take both.
func (a *args) keywords(name string, params ...string) ([]value.Value, error) {
	if len(a.kw) == 0 && len(a.pos) == len(params) {
		return a.pos, nil
	}
	return (&cKeywords{name: name, params: params, most: len(params)}).unpack(a)
}

// strArg is a parameter of type str, of a C function, that Argument Clinic checks; which is "argument", with its position or
// name if there are several.
func strArg(v value.Value, fn, which string) (string, error) {
	s, ok := str(v)
	if !ok {
		return "", typeErr("%s() %s must be str, not %s", fn, which, cName(v))
	}
	return s, nil
}

// cName is the name of a value's type as Argument Clinic says it.
func cName(v value.Value) string {
	if value.IsNone(v) {
		return "None"
	}
	return typeName(v)
}
