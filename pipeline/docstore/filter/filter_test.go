package filter

import (
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// What Python makes of these: datetime.fromisoformat, then dateutil.parser.parse. "" is an error.
func TestDatesArePythons(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"2024-01-05", "2024-01-05T00:00:00"},
		{"20240105", "2024-01-05T00:00:00"},
		{"2024-W01-5", "2024-01-05T00:00:00"},
		{"2024W015", "2024-01-05T00:00:00"},
		{"2024-W01", "2024-01-01T00:00:00"},
		{"2024-01-05T10", "2024-01-05T10:00:00"},
		{"2024-01-05T10:20", "2024-01-05T10:20:00"},
		{"2024-01-05 10:20:30", "2024-01-05T10:20:30"},
		{"2024-01-05T102030", "2024-01-05T10:20:30"},
		{"2024-01-05T10:20:30.5", "2024-01-05T10:20:30.500000"},
		{"2024-01-05T10:20:30,123456789", "2024-01-05T10:20:30.123456"},
		{"2024-01-05T10:20:30Z", "2024-01-05T10:20:30+00:00"},
		{"2024-01-05T10:20:30+02:00", "2024-01-05T10:20:30+02:00"},
		{"2024-01-05T10:20:30-0530", "2024-01-05T10:20:30-05:30"},
		{"2024-01-05x10:20", "2024-01-05T10:20:00"},
		{"2024-01-05T24:00", ""},
		{"2024-13-01", ""},
		{"2024-02-30", ""},
		{"2024/1/5", "2024-01-05T00:00:00"},
		{"2024-1-5", "2024-01-05T00:00:00"},
		{"1/5/2024", "2024-01-05T00:00:00"},
		{"13/5/2024", "2024-05-13T00:00:00"},
		{"5 Jan 2024", "2024-01-05T00:00:00"},
		{"Jan 5, 2024", "2024-01-05T00:00:00"},
		{"January 5, 2024 10:30 PM", "2024-01-05T22:30:00"},
		{"Fri, 05 Jan 2024 10:00:00 GMT", "2024-01-05T10:00:00+00:00"},
		{"5th of January 2024", "2024-01-05T00:00:00"},
		{"05-Jan-2024", "2024-01-05T00:00:00"},
		{"2024 Jan 5", "2024-01-05T00:00:00"},
		{"Jan 5 2024 9:05am", "2024-01-05T09:05:00"},
		{"1.5.2024", "2024-01-05T00:00:00"},
		{"01/05/24", "2024-01-05T00:00:00"},
		{"5 Jan 99", "1999-01-05T00:00:00"},
		{"hello", ""},
		{"", ""},
		{"2024-01-05T", "2024-01-05T00:00:00"},
		{"2024-01-05T1", ""},
		{"2024-06-31", ""},
		{"2024-01-05T10:61", ""},
		{"2024.01.05", "2024-01-05T00:00:00"},
	} {
		got := ""
		if v, ok := ParseDate(c.in); ok {
			got = v.(value.DateTime).ISO('T')
		}
		if got != c.want {
			t.Errorf("%q is %q, want %q", c.in, got, c.want)
		}
	}
}

func cond(field, op string, v value.Value) *value.Dict {
	return value.NewDict("field", value.Str(field), "operator", value.Str(op), "value", v)
}

func list(op string, conditions ...value.Value) *value.Dict {
	return value.NewDict("operator", value.Str(op), "conditions", value.NewList(conditions...))
}

func TestDatesInFilters(t *testing.T) {
	doc := document.Text("x").WithMeta(value.NewDict("d", value.Str("2024-01-05T10:00:00"), "n", value.Int(1), "next", value.Str("2024-01-06"), "zoned", value.Str("2024-01-05T10:00:00+02:00")))
	for name, c := range map[string]struct {
		filter *value.Dict
		strict bool
		want   string // "true", "false" or the start of an error
	}{
		"equal in another spelling": {cond("meta.d", "==", value.Str("2024-01-05 10:00")), false, "true"},
		"naive takes the zone":      {cond("meta.zoned", "==", value.Str("2024-01-05T10:00")), false, "true"},
		"unless strict":             {cond("meta.zoned", "==", value.Str("2024-01-05T10:00")), true, "false"},
		"strict ordering":           {cond("meta.zoned", "<=", value.Str("2024-01-05T10:00")), true, "false"},
		"midnight at the end":       {cond("meta.next", "==", value.Str("2024-01-05T24:00")), false, "true"},
		"a number as a date":        {cond("meta.n", ">", value.Str("2024-01-05")), false, "Can't compare strings"},
		"a text that is no date":    {cond("meta.d", ">", value.Str("hello")), false, "Can't compare strings"},
		"in, as a date":             {cond("meta.d", "in", value.NewList(value.Str("2024-01-05T10:00"))), false, "true"},
		"missing":                   {cond("meta.x.y", "==", value.None), false, "true"},
		"unknown root":              {cond("foo.bar", "==", value.None), false, "true"},
		"not ordered":               {cond("meta.n", ">", value.NewDict()), false, "'>' not supported between instances of 'int' and 'dict'"},
		"hidden by OR":              {list("OR", cond("meta.n", "==", value.Int(1)), cond("meta.n", "?", value.Int(1))), false, "true"},
		"reached by AND":            {list("AND", cond("meta.n", "==", value.Int(1)), cond("meta.n", "?", value.Int(1))), false, "Unknown comparison operator '?'"},
	} {
		t.Run(name, func(t *testing.T) {
			ok, err := Compile(c.filter, c.strict).Matches(doc)
			got := map[bool]string{true: "true", false: "false"}[ok]
			if err != nil {
				got = fault.From(err).Message
			}
			if len(got) < len(c.want) || got[:len(c.want)] != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	for name, c := range map[string]struct {
		filter *value.Dict
		want   bool
	}{
		"equality":  {cond("meta.a", "==", value.Int(1)), true},
		"ordering":  {cond("meta.a", ">", value.Int(1)), false},
		"malformed": {value.NewDict("operator", value.Str("AND")), false},
		"group":     {list("NOT", cond("a", "in", value.NewList())), true},
	} {
		if f := Compile(c.filter, false); f.Total() != c.want {
			t.Errorf("%s: %v", name, f.Total())
		}
	}
}

func TestPolicies(t *testing.T) {
	a, b, a2 := cond("meta.a", "==", value.Int(1)), cond("meta.b", "==", value.Int(2)), cond("meta.a", "==", value.Int(3))
	for name, c := range map[string]struct {
		policy         Policy
		own, run, want *value.Dict
	}{
		"replace":              {Replace, a, b, b},
		"replace by nothing":   {Replace, a, nil, a},
		"replace by empty":     {Replace, a, &value.Dict{}, a},
		"two comparisons":      {Merge, a, b, list("AND", a, b)},
		"of one field":         {Merge, a, a2, a2},
		"AND and AND":          {Merge, list("AND", a), list("AND", b), list("AND", a, b)},
		"OR and OR":            {Merge, list("OR", a), list("OR", b), list("AND", list("OR", a), list("OR", b))},
		"AND and OR":           {Merge, list("AND", a), list("OR", b), list("OR", b)},
		"comparison and AND":   {Merge, a, list("AND", b), list("AND", b, a)},
		"the run's field wins": {Merge, a, list("AND", a2), list("AND", a2)},
		"AND and comparison":   {Merge, list("AND", a, b), a2, list("AND", b, a2)},
		"OR and comparison":    {Merge, list("OR", a), b, b},
		"nothing of its own":   {Merge, nil, b, b},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := c.policy.Apply(c.own, c.run)
			if !value.Equal(got, c.want) {
				t.Errorf("got %s, want %s", value.Repr(got), value.Repr(c.want))
			}
		})
	}
	if _, err := ParsePolicy("both"); fault.From(err).Message != "Unknown FilterPolicy type 'both'. Supported types are: ['replace', 'merge']" {
		t.Errorf("got %v", err)
	}
}

// FuzzDates holds that no text makes a date parser crash, and that what is read can be read again.
func FuzzDates(f *testing.F) {
	for _, s := range []string{"2024-W01-5T10:20:30.5+02:00", "5th of Jan. 2024 9:05am", "\u00e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := ParseDate(s)
		if !ok {
			return
		}
		if iso := v.(value.DateTime).ISO('T'); len(iso) >= 19 && iso[0] != '-' {
			if again, ok := ParseDate(iso); !ok || !value.Equal(v, again) {
				t.Fatalf("%q becomes %q, which is read as %v", s, iso, again)
			}
		}
	})
}
