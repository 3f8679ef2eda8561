package flag

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/typed"
)

// Op is how a condition compares.
type Op string

// The operators. An attribute that is a list matches if one of its elements does. A condition on an attribute that is not
// there, or of another type than the operator compares, does not hold; neither does its negation.
const (
	OpEquals     Op = "equals"      // one of the values; numbers by amount
	OpContains   Op = "contains"    // text that contains one of the values
	OpStartsWith Op = "starts_with" // text that begins with one of the values
	OpEndsWith   Op = "ends_with"   // text that ends with one of the values
	OpMatches    Op = "matches"     // text in which one of the patterns (RE2) is found
	OpLess       Op = "lt"          // a number below the value
	OpLessEq     Op = "lte"
	OpGreater    Op = "gt"
	OpGreaterEq  Op = "gte"
	OpSemverEq   Op = "semver_eq" // a version with the precedence of https://semver.org
	OpSemverLt   Op = "semver_lt"
	OpSemverLte  Op = "semver_lte"
	OpSemverGt   Op = "semver_gt"
	OpSemverGte  Op = "semver_gte"
	OpExists     Op = "exists"     // takes no value
	OpInSegment  Op = "in_segment" // takes segments' keys and no attribute, see [InSegment]
)

// Condition compares one attribute of the caller. The attributes app_id, tenant_id, user_id and ip come from the scope and
// cannot be given by hand; all others from [WithAttributes].
type Condition struct {
	Attribute string `json:"attribute,omitempty"`
	Op        Op     `json:"op"`
	Values    []any  `json:"values,omitempty"`
	Negate    bool   `json:"negate,omitempty"`
}

// If is a condition on an attribute.
func If(attribute string, op Op, values ...any) Condition {
	return Condition{Attribute: attribute, Op: op, Values: values}
}

// Not is the condition's opposite, for attributes that are there.
func (c Condition) Not() Condition {
	c.Negate = !c.Negate
	return c
}

// Limits of conditions.
const (
	maxConditions = 100
	maxPattern    = 1024     // bytes of a regular expression
	maxSubject    = 64 << 10 // bytes of text a pattern looks through
)

// compiledCondition is a condition whose values are parsed.
type compiledCondition struct {
	Condition
	test     func(attr any) bool // nil for exists and in_segment
	segments []*compiledSegment  // for in_segment: one must hold
}

// match reports whether the condition holds for whom a flag is evaluated for.
func (c *compiledCondition) match(s *subject) bool {
	if c.segments != nil {
		in := false
		for _, seg := range c.segments {
			in = in || seg.holds(s)
		}
		return in != c.Negate
	}
	attr, there := s.attribute(c.Attribute)
	return c.holds(attr, there)
}

func (c *compiledCondition) holds(attr any, there bool) bool {
	switch {
	case c.Op == OpExists:
		return there != c.Negate
	case !there || !c.comparable(attr):
		return false
	}
	if list, ok := attr.([]any); ok {
		return slices.ContainsFunc(list, c.test) != c.Negate
	}
	return c.test(attr) != c.Negate
}

// comparable reports whether an attribute has the type the operator compares.
func (c *compiledCondition) comparable(attr any) bool {
	if list, ok := attr.([]any); ok {
		return len(list) > 0 && !slices.ContainsFunc(list, func(a any) bool { return !c.comparable(a) })
	}
	switch c.Op {
	case OpEquals:
		return attr != nil
	case OpLess, OpLessEq, OpGreater, OpGreaterEq:
		_, err := typed.Encode(attr) // NaN and infinities have no order
		t := typed.Type(attr)
		return err == nil && (t == "int" || t == "float")
	case OpSemverEq, OpSemverLt, OpSemverLte, OpSemverGt, OpSemverGte:
		s, ok := attr.(string)
		_, err := parseVersion(s)
		return ok && err == nil
	}
	s, ok := attr.(string)
	return ok && len(s) <= maxSubject
}

func compileConditions(cs []Condition, where string, segments *segmentCompiler) ([]compiledCondition, error) {
	if len(cs) == 0 || len(cs) > maxConditions {
		return nil, fault.New(fault.Invalid, "a segment has 1 to %d conditions, not %d", maxConditions, len(cs)).At(fault.Where{Field: where})
	}
	out := make([]compiledCondition, len(cs))
	for i, c := range cs {
		out[i].Condition = c
		var err error
		if c.Op == OpInSegment {
			out[i].segments, err = segments.named(c)
		} else {
			out[i].test, err = c.compile()
		}
		if err != nil {
			return nil, fault.From(err).At(fault.Where{Field: where + "[" + strconv.Itoa(i) + "]"})
		}
	}
	return out, nil
}

func (c Condition) compile() (func(any) bool, error) {
	if c.Attribute == "" || len(c.Attribute) > 256 {
		return nil, fault.New(fault.Invalid, "a condition names no attribute").WithHint("name one, such as country")
	}
	if (c.Op == OpExists) != (len(c.Values) == 0) || len(c.Values) > maxItems {
		return nil, fault.New(fault.Invalid, "the operator %q has %d values", string(c.Op), len(c.Values)).
			WithHint("exists takes none; every other operator at least one and at most %d", maxItems)
	}
	switch c.Op {
	case OpExists:
		return nil, nil
	case OpEquals:
		return c.equals()
	case OpContains:
		return c.texts(strings.Contains)
	case OpStartsWith:
		return c.texts(strings.HasPrefix)
	case OpEndsWith:
		return c.texts(strings.HasSuffix)
	case OpMatches:
		return c.patterns()
	case OpLess, OpLessEq, OpGreater, OpGreaterEq:
		return c.numbers()
	case OpSemverEq, OpSemverLt, OpSemverLte, OpSemverGt, OpSemverGte:
		return c.versions()
	}
	return nil, fault.New(fault.Invalid, "there is no operator %q", string(c.Op)).
		WithHint("one of equals, contains, starts_with, ends_with, matches, lt, lte, gt, gte, semver_eq, semver_lt, semver_lte, semver_gt, " +
			"semver_gte, exists, in_segment")
}

func (c Condition) equals() (func(any) bool, error) {
	values := make([]any, len(c.Values))
	for i, v := range c.Values {
		e, err := typed.Encode(v)
		if err != nil {
			return nil, err
		}
		if values[i], err = typed.Decode(e); err != nil {
			return nil, err
		}
	}
	return func(attr any) bool {
		return slices.ContainsFunc(values, func(v any) bool { return typed.Equal(v, attr) })
	}, nil
}

func (c Condition) strings() ([]string, error) {
	out := make([]string, len(c.Values))
	for i, v := range c.Values {
		s, ok := v.(string)
		if !ok {
			return nil, fault.New(fault.Invalid, "the operator %s compares text, and value %d is %s", string(c.Op), i+1, typed.Name(v))
		}
		out[i] = s
	}
	return out, nil
}

func (c Condition) texts(match func(s, part string) bool) (func(any) bool, error) {
	parts, err := c.strings()
	return func(attr any) bool {
		s, _ := attr.(string)
		return slices.ContainsFunc(parts, func(part string) bool { return match(s, part) })
	}, err
}

func (c Condition) patterns() (func(any) bool, error) {
	texts, err := c.strings()
	if err != nil {
		return nil, err
	}
	patterns := make([]*regexp.Regexp, len(texts))
	for i, s := range texts {
		re, err := regexp.Compile(s)
		if err != nil || len(s) > maxPattern {
			return nil, fault.New(fault.Invalid, "pattern %d is not a regular expression of at most %d bytes", i+1, maxPattern).
				WithHint("the syntax is that of RE2: https://github.com/google/re2/wiki/Syntax")
		}
		patterns[i] = re
	}
	return func(attr any) bool {
		s, _ := attr.(string)
		return slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(s) })
	}, nil
}

// one refuses an ordering operator with several values: nobody can say what "less than 1 or 2" should mean.
func (c Condition) one() (any, error) {
	if len(c.Values) != 1 {
		return nil, fault.New(fault.Invalid, "the operator %s compares with one value, not %d", string(c.Op), len(c.Values))
	}
	return c.Values[0], nil
}

func (c Condition) numbers() (func(any) bool, error) {
	v, err := c.one()
	if err != nil {
		return nil, err
	}
	if t := typed.Type(v); t != "int" && t != "float" {
		return nil, fault.New(fault.Invalid, "the operator %s compares numbers, and the value is %s", string(c.Op), typed.Name(v))
	}
	if _, err := typed.Encode(v); err != nil {
		return nil, err
	}
	return func(attr any) bool { return c.Op.accepts(typed.Compare(attr, v)) }, nil
}

func (c Condition) versions() (func(any) bool, error) {
	v, err := c.one()
	if err != nil {
		return nil, err
	}
	s, ok := v.(string)
	want, err := parseVersion(s)
	if err != nil || !ok {
		return nil, fault.New(fault.Invalid, "the operator %s compares versions, and the value is none", string(c.Op)).
			WithHint("write it like 1.2.3 or 1.2.3-rc.1")
	}
	return func(attr any) bool {
		s, _ := attr.(string)
		have, err := parseVersion(s)
		return err == nil && c.Op.accepts(have.compare(want))
	}, nil
}

// accepts reports whether a comparison came out as the operator asks.
func (o Op) accepts(n int) bool {
	switch o {
	case OpLess, OpSemverLt:
		return n < 0
	case OpLessEq, OpSemverLte:
		return n <= 0
	case OpGreater, OpSemverGt:
		return n > 0
	case OpGreaterEq, OpSemverGte:
		return n >= 0
	}
	return n == 0
}
