package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// builtinTests are the tests of Jinja (jinja2.tests.TESTS).
func builtinTests() map[string]*builtinFunc {
	is := func(pyName string, fn func(v value.Value) bool) *builtinFunc {
		return def(pyName, func(_ *run, a []value.Value) (value.Value, error) { return value.Bool(fn(a[0])), nil }, "value")
	}
	cmp := func(pyName string, op tokenKind) *builtinFunc {
		return rawDef(func(r *run, a *args) (value.Value, error) {
			if err := a.function("_operator."+pyName, pyName, 2, 2); err != nil {
				return nil, err
			}
			ok, err := r.compareOp(op, a.pos[0], a.pos[1])
			return value.Bool(ok), err
		})
	}
	eq, ne := cmp("eq", tokEq), cmp("ne", tokNe)
	gt, ge, lt, le := cmp("gt", tokGt), cmp("ge", tokGtEq), cmp("lt", tokLt), cmp("le", tokLtEq)
	return map[string]*builtinFunc{
		"odd":         def("test_odd", remainder(2, 1), "value"),
		"even":        def("test_even", remainder(2, 0), "value"),
		"divisibleby": def("test_divisibleby", testDivisible, "value", "num"),
		"defined":     is("test_defined", func(v value.Value) bool { return asUndefined(v) == nil }),
		"undefined":   is("test_undefined", IsUndefined),
		"filter":      def("test_filter", testFilter, "value").hide("env"),
		"test":        def("test_test", testTest, "value").hide("env"),
		"none":        is("test_none", value.IsNone),
		"boolean":     is("test_boolean", func(v value.Value) bool { _, ok := v.(value.Bool); return ok }),
		"true":        is("test_true", func(v value.Value) bool { return v == value.Bool(true) }),
		"false":       is("test_false", func(v value.Value) bool { return v == value.Bool(false) }),
		"integer":     is("test_integer", isInteger),
		"float":       is("test_float", func(v value.Value) bool { _, ok := v.(value.Float); return ok }),
		"lower":       def("test_lower", caseTest(isLower), "value"),
		"upper":       def("test_upper", caseTest(isUpper), "value"),
		"string":      is("test_string", func(v value.Value) bool { _, ok := str(v); return ok }),
		"mapping":     is("test_mapping", func(v value.Value) bool { _, ok := v.(*value.Dict); return ok }),
		"number":      is("test_number", func(v value.Value) bool { return isNumber(value.Plain(v)) }),
		"sequence":    def("test_sequence", testSequence, "value"),
		"iterable":    def("test_iterable", testIterable, "value"),
		"callable":    is("callable", isCallable).inC(),
		"sameas":      def("test_sameas", testSameas, "value", "other"),
		"escaped":     is("test_escaped", func(v value.Value) bool { return isMarkup(v) || isChainable(v) }),
		"in": def("test_in", func(r *run, a []value.Value) (value.Value, error) {
			ok, err := r.contains(a[1], a[0])
			return value.Bool(ok), err
		}, "value", "seq"),
		"==": eq, "eq": eq, "equalto": eq, "!=": ne, "ne": ne, ">": gt, "gt": gt, "greaterthan": gt, "ge": ge, ">=": ge,
		"<": lt, "lt": lt, "lessthan": lt, "<=": le, "le": le,
	}
}

func isInteger(v value.Value) bool {
	_, isBool := v.(value.Bool)
	return !isBool && isInt(v)
}

func isChainable(v value.Value) bool {
	u := asUndefined(v)
	return u != nil && u.kind == Chainable
}

func isCallable(v value.Value) bool {
	switch v.(type) {
	case callable, Callable, *undefined:
		return true
	}
	return false
}

func remainder(n, want int) builtinFn {
	return func(r *run, a []value.Value) (value.Value, error) {
		m, err := r.arith(tokMod, a[0], value.Int(n))
		if err != nil {
			return nil, err
		}
		ok, err := r.equal(m, value.Int(want))
		return value.Bool(ok), err
	}
}

func testDivisible(r *run, a []value.Value) (value.Value, error) {
	m, err := r.arith(tokMod, a[0], a[1])
	if err != nil {
		return nil, err
	}
	ok, err := r.equal(m, value.Int(0))
	return value.Bool(ok), err
}

func testFilter(r *run, a []value.Value) (value.Value, error) {
	if err := r.hashable(a[0]); err != nil {
		return nil, err
	}
	s, ok := str(a[0])
	return value.Bool(ok && r.env.filter(s) != nil), nil
}

func testTest(r *run, a []value.Value) (value.Value, error) {
	if err := r.hashable(a[0]); err != nil {
		return nil, err
	}
	s, ok := str(a[0])
	return value.Bool(ok && r.env.test(s) != nil), nil
}

func caseTest(test func(string) bool) builtinFn {
	return func(r *run, a []value.Value) (value.Value, error) {
		s, err := r.str(a[0])
		return value.Bool(test(s)), err
	}
}

func testSequence(r *run, a []value.Value) (value.Value, error) {
	switch v := a[0].(type) {
	case *value.Set, *dictView, *loopCtx:
		return value.Bool(false), nil
	case *undefined:
		return value.Bool(strict(v) == nil), nil
	}
	_, err := r.length(a[0])
	if err != nil && !catchable(err, "TypeError") {
		return nil, err
	}
	if _, isObject := a[0].(value.Lener); isObject {
		switch a[0].(type) {
		case markup, *rangeVal, *groupTuple:
		default:
			return value.Bool(false), nil
		}
	}
	return value.Bool(err == nil), nil
}

func testIterable(r *run, a []value.Value) (value.Value, error) {
	_, err := r.iter(a[0])
	if err != nil && !catchable(err, "TypeError") {
		return nil, err
	}
	return value.Bool(err == nil), nil
}

// testSameas is Python's "is". Small ints, short text and constants are one object there; containers are themselves.
func testSameas(r *run, a []value.Value) (value.Value, error) {
	x, y := a[0], a[1]
	switch x.(type) {
	case value.Tuple:
		t, ok := y.(value.Tuple)
		v := x.(value.Tuple)
		return value.Bool(ok && len(t) == len(v) && (len(t) == 0 || &t[0] == &v[0])), nil
	case value.Str, value.Int, value.Float, value.Bool, value.Bytes:
		if x.Kind() != y.Kind() {
			return value.Bool(false), nil
		}
		same, err := r.equal(x, y)
		return value.Bool(same), err
	}
	if value.IsNone(x) {
		return value.Bool(value.IsNone(y)), nil
	}
	if _, ok := y.(value.Tuple); ok {
		return value.Bool(false), nil
	}
	return value.Bool(x == y), nil
}
