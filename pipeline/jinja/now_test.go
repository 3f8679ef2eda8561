package jinja_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// What {% now %} prints at 2026-11-22 07:49:02 UTC, as arrow 1.4 printed it.
func TestNow(t *testing.T) {
	env := jinja.New(jinja.Options{Tags: []jinja.Tag{jinja.NowTag()}})
	ctx := jinja.WithClock(context.Background(), func() time.Time { return time.Date(2026, 11, 22, 7, 49, 2, 0, time.UTC) })
	for tpl, want := range map[string]string{
		"{% now 'UTC' %}":                            "2026-11-22 07:49:02",
		"{% now 'Europe/Berlin' %}":                  "2026-11-22 08:49:02",
		"{% now tz %}":                               "2026-11-22 07:49:02",
		"{% now none %}":                             "2026-11-22 07:49:02",
		"{% now 'EST' %}":                            "2026-11-22 02:49:02",
		"{% now '0200' %}":                           "2026-11-22 09:49:02",
		"{% now 'UTC', '' %}":                        "2026-11-22 07:49:02",
		"{% now '+02:00', '%H %z %Z' %}":             "09 +0200 UTC+02:00",
		"{% now 'Europe/Berlin', '%z %Z' %}":         "+0100 CET",
		"{% now 'utc', '%z %Z' %}":                   "+0000 UTC",
		"{% now 'UTC' + 'hours=2' %}":                "2026-11-22 09:49:02",
		"{% now 'UTC' - 'days=1, hours=3', '%Y' %}":  "2026",
		"{% now 'UTC' - 'days=1, hours=3' %}":        "2026-11-21 04:49:02",
		"{% now 'UTC' + 'months=1' %}":               "2026-12-22 07:49:02",
		"{% now 'UTC' + 'months=3,days=9' %}":        "2027-03-03 07:49:02",
		"{% now 'UTC' + 'days=0.5' %}":               "2026-11-22 19:49:02",
		"{% now 'UTC' + 'quarters=1,weeks=2' %}":     "2027-03-08 07:49:02",
		"{% now 'UTC' + '' %}":                       "2026-11-22 07:49:02",
		"a{%- now 'UTC', '%H' -%} b":                 "a07b",
		"{% now 'UTC', '%a %d %b %Y %I:%M %p %j' %}": "Sun 22 Nov 2026 07:49 AM 326",

		"{% now 'nope' %}":                  "ValueError: Invalid timezone nope: Could not parse timezone expression 'nope'.",
		"{% now '../etc/passwd' %}":         "ValueError: Invalid timezone ../etc/passwd: Could not parse timezone expression '../etc/passwd'.",
		"{% now 5 %}":                       "ValueError: Invalid timezone 5: expected string or bytes-like object, got 'int'",
		"{% now 'UTC' + 'foo=2' %}":         "ValueError: Invalid offset or operator foo=2, +: Invalid shift time frame. Please select one of the following: years, months, days, hours, minutes, seconds, microseconds, weeks, quarters, weekday.",
		"{% now 'UTC' + 'hours' %}":         "ValueError: Invalid offset or operator hours, +: not enough values to unpack (expected 2, got 1)",
		"{% now 'UTC' + 'hours=x' %}":       "ValueError: Invalid offset or operator hours=x, +: could not convert string to float: '+x'",
		"{% now 'UTC' - 'hours=-2' %}":      "ValueError: Invalid offset or operator hours=-2, -: could not convert string to float: '--2'",
		"{% now 'UTC' + 'years=1.5' %}":     "ValueError: Invalid offset or operator years=1.5, +: Non-integer years and months are ambiguous and not currently supported.",
		"{% now 'UTC' + 'years=99999' %}":   "ValueError: Invalid offset or operator years=99999, +: year 102025 is out of range",
		"{% now 'UTC' + 'days=99999999' %}": "OverflowError: date value out of range",
		"{% now 'UTC' + 5 %}":               "ValueError: Invalid offset or operator 5, +: 'int' object has no attribute 'split'",
		"{% now 'UTC', 5 %}":                "TypeError: strftime() argument 1 must be str, not int",
		"{% now %}":                         "TemplateSyntaxError: unexpected 'end of statement block'",
	} {
		got := ""
		tpl, err := env.Compile(tpl, "")
		if err == nil {
			got, err = tpl.Render(ctx, value.NewDict("tz", value.Str("UTC")))
		}
		if err != nil {
			got = pyError(err)
		}
		if got != want {
			t.Errorf("%v:\n got %q\nwant %q", tpl, got, want)
		}
	}
}

// A variable is one whether it stands in a tag of an extension or in braces.
func TestNowNamesItsVariables(t *testing.T) {
	tpl, err := jinja.New(jinja.Options{Tags: []jinja.Tag{jinja.NowTag()}}).Compile("{% now tz + shift, fmt %}", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := tpl.Undeclared(); len(got) != 3 || got[0] != "tz" || got[1] != "shift" || got[2] != "fmt" {
		t.Error(got)
	}
}

func TestVariablesComeInOrder(t *testing.T) {
	for src, want := range map[string][3]string{
		"{{ z }}{{ a }}{{ m }}{{ z }}":                                                  {"[z a m]", "[]", "[z a m]"},
		"{% set a = b %}{{ a }}{{ c }}":                                                 {"[b c]", "[a]", "[b c]"},
		"{% if x %}{% set y = 1 %}{% endif %}{{ y }}":                                   {"[x y]", "[y]", "[x]"},
		"{% set p, q = pair %}{{ p }}{{ range(3) }}":                                    {"[pair]", "[p q]", "[pair]"},
		"{% for d in docs %}{{ d }}{{ loop.index }}{{ e }}{% endfor %}{{ d }}":          {"[d docs e]", "[]", "[d docs e]"},
		"{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}":                        {"[b c]", "[]", "[b c]"},
		"{% block k %}{{ in_block }}{% endblock %}{% with w = v %}{{ w }}{% endwith %}": {"[in_block v]", "[]", "[in_block v]"},
	} {
		tpl, err := jinja.New(jinja.Options{}).Compile(src, "")
		if err != nil {
			t.Fatal(err)
		}
		got := [3]string{fmt.Sprint(tpl.Undeclared()), fmt.Sprint(tpl.Assigned()), fmt.Sprint(tpl.Variables())}
		if got != want {
			t.Errorf("%s: %v, want %v", src, got, want)
		}
	}
}

func ExampleEnv_Compile() {
	tpl, err := jinja.New(jinja.Options{}).Compile("Hello {{ name }}!", "greeting")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := tpl.Render(context.Background(), value.NewDict("name", value.Str("World")))
	fmt.Println(text, err)
	// Output: Hello World! <nil>
}
