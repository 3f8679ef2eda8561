package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// signature is the parameters of a Python function that templates call, with the name that its messages use.
type signature struct {
	fn       string
	hidden   string // the parameter that Python fills in front of the others: self, environment, ...
	params   []string
	required int
	posOnly  int // the first ones that no keyword reaches
}

// bind puts arguments in the order of a Python function's parameters; missing optional ones are nil.
func (a *args) bind(fn string, names []string, required int) ([]value.Value, error) {
	return a.bindTo(&signature{fn: fn, params: names, required: required})
}

// nothing checks the arguments of a Python method that takes none.
func (a *args) nothing(fn string) error {
	_, err := a.bindTo(&signature{fn: fn, hidden: "self"})
	return err
}

// positions checks the arguments of a Python method with *args alone.
func (a *args) positions(fn string) error {
	if len(a.kw) > 0 {
		return typeErr("%s() got an unexpected keyword argument '%s'", fn, a.kw[0].Name)
	}
	return nil
}

// reserved checks the keywords of a function with **kwargs: none may name a parameter that is filled already.
func (a *args) reserved(fn string, params ...string) error {
	for _, name := range params {
		if hasKwarg(a.kw, name) {
			return typeErr("%s() got multiple values for argument '%s'", fn, name)
		}
	}
	return nil
}

// bindTo is bind in CPython's order of checks: keywords, then too many positions, then missing ones.
func (a *args) bindTo(s *signature) ([]value.Value, error) {
	if len(a.pos) == len(s.params) && len(a.kw) == 0 {
		return a.pos, nil
	}
	out := make([]value.Value, len(s.params))
	copy(out, a.pos)
	for _, k := range a.kw {
		i := indexOf(s.params, k.Name)
		switch {
		case k.Name == s.hidden:
			return nil, typeErr("%s() got multiple values for argument '%s'", s.fn, k.Name)
		case i < 0:
			if lost := s.positionalOnly(a.kw); lost != "" {
				return nil, typeErr("%s() got some positional-only arguments passed as keyword arguments: '%s'", s.fn, lost)
			}
			return nil, typeErr("%s() got an unexpected keyword argument '%s'", s.fn, k.Name)
		case i < s.posOnly:
			return nil, typeErr("%s() got some positional-only arguments passed as keyword arguments: '%s'", s.fn,
				s.positionalOnly(a.kw))
		case out[i] != nil:
			return nil, typeErr("%s() got multiple values for argument '%s'", s.fn, k.Name)
		}
		out[i] = k.Value
	}
	if len(a.pos) > len(s.params) {
		return nil, s.tooMany(len(a.pos))
	}
	return out, s.missing(out)
}

// positionalOnly lists the parameters that keywords name and cannot reach.
func (s *signature) positionalOnly(kw []Kwarg) string {
	var lost []string
	for _, name := range s.params[:s.posOnly] {
		if hasKwarg(kw, name) {
			lost = append(lost, name)
		}
	}
	return strings.Join(lost, ", ")
}

func (s *signature) tooMany(got int) error {
	n, required := len(s.params), s.required
	if s.hidden != "" {
		n, required, got = n+1, required+1, got+1
	}
	was := "were"
	if got == 1 {
		was = "was"
	}
	if required < n {
		return typeErr("%s() takes from %d to %d positional arguments but %d %s given", s.fn, required, n, got, was)
	}
	return typeErr("%s() takes %d positional argument%s but %d %s given", s.fn, n, plural(n), got, was)
}

func (s *signature) missing(got []value.Value) error {
	var lost []string
	for i, n := range s.params[:s.required] {
		if got[i] == nil {
			lost = append(lost, quote(n))
		}
	}
	switch n := len(lost); n {
	case 0:
		return nil
	case 1:
		return typeErr("%s() missing 1 required positional argument: %s", s.fn, lost[0])
	case 2:
		return typeErr("%s() missing 2 required positional arguments: %s and %s", s.fn, lost[0], lost[1])
	default:
		return typeErr("%s() missing %d required positional arguments: %s, and %s", s.fn, n,
			strings.Join(lost[:n-1], ", "), lost[n-1])
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
