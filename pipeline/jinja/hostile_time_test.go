package jinja_test

import (
	"slices"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// witness is an object whose attribute "now" notes the time of each look: the last one is when the template still did
// what it wanted, so from there to the end is at least the time since it reached its limit.
type witness struct{ last time.Time }

func (*witness) Kind() value.Kind    { return value.KindObject }
func (*witness) Class() string       { return "test.Witness" }
func (*witness) Repr() string        { return "Witness()" }
func (*witness) ToDict() *value.Dict { return &value.Dict{} }
func (w *witness) Attr(name string) (value.Value, bool) {
	if name != "now" {
		return nil, false
	}
	w.last = time.Now()
	return value.Str(""), true
}

// endings are the attacks that other engines die of, hang in or fall for, under the default limits where none is named.
var endings = []struct {
	name, tpl string
	kind      fault.Kind
	limits    jinja.Limits
}{
	{"endless macro", "{% macro a() %}{{ w.now }}{{ a() }}{% endmacro %}{{ a() }}", fault.TooLarge, jinja.Limits{}},
	{"two loops of 20,000, by steps", "{% for i in range(20000) %}{% for j in range(20000) %}{% set x = w.now %}{% endfor %}{% endfor %}", fault.TooLarge,
		jinja.Limits{Steps: 1_000_000}}, // a tenth of the default: for speed
	{"two loops of 20,000, by time", "{% for i in range(20000) %}{% for j in range(20000) %}{% set x = w.now %}{% endfor %}{% endfor %}", fault.TooLarge,
		jinja.Limits{Steps: 1 << 40, Time: 100 * time.Millisecond}},
	{"text repeated ten thousand million times", "{{ w.now }}{{ 'a' * 10**10 }}", fault.TooLarge, jinja.Limits{}},
	{"list repeated ten thousand million times", "{{ w.now }}{{ [0] * 10**10 }}", fault.TooLarge, jinja.Limits{}},
	{"doubling text", "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set x = w.now %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", fault.TooLarge, jinja.Limits{}},
	{"include of a file", "{{ w.now }}{% include '/etc/hostname' %}", fault.Failed, jinja.Limits{}},
	{"include of a list", "{{ w.now }}{% include ['/etc/hostname', '/etc/passwd'] %}", fault.Failed, jinja.Limits{}},
	{"import of a file", "{{ w.now }}{% from '/etc/hostname' import x %}", fault.Failed, jinja.Limits{}},
	{"extends a file", "{{ w.now }}{% extends '/etc/hostname' %}", fault.Failed, jinja.Limits{}},
}

// stopped renders and returns the time from the last thing the template did to the end.
func stopped(t testing.TB, i int) time.Duration {
	t.Helper()
	c, w := endings[i], &witness{}
	out, err := render(jinja.New(jinja.Options{Limits: c.limits}), c.tpl, value.NewDict("w", w))
	end := time.Now()
	if !fault.Is(err, c.kind) || out != "" {
		t.Fatalf("%s: got %.80q, %v", c.name, out, err)
	}
	if w.last.IsZero() {
		return 0 // it did not even start
	}
	return end.Sub(w.last)
}

// Each is stopped by a limit or refused, and this process goes on. The time since the last thing the template did is
// printed; BenchmarkHostile measures it, and one that takes seconds hangs.
func TestHostileEndsSoon(t *testing.T) {
	for i, c := range endings {
		took := make([]time.Duration, 3)
		for n := range took {
			took[n] = stopped(t, i)
		}
		if t.Logf("%s: at most %s", c.name, slices.Max(took)); slices.Min(took) > 2*time.Second {
			t.Errorf("%s: %s after its limit", c.name, slices.Min(took))
		}
	}
}

// BenchmarkHostile is the longest time from a template's last act to its end.
func BenchmarkHostile(b *testing.B) {
	for i, c := range endings {
		b.Run(c.name, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				longest = max(longest, stopped(b, i))
			}
			b.ReportMetric(float64(longest.Microseconds()), "µs/longest")
		})
	}
}
