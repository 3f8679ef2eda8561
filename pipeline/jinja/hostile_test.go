package jinja_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// hostile are templates that must end in an error of a kind, soon, and take nothing with them.
var hostile = []struct {
	name, tpl string
	kind      fault.Kind
}{
	{"endless macro", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", fault.TooLarge},
	{"endless pair of macros", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}", fault.TooLarge},
	{"endless caller", "{% macro a() %}{% call a() %}{{ caller() }}{% endcall %}{% endmacro %}{{ a() }}", fault.TooLarge},
	{"endless block", "{% block b %}{{ self.b() }}{% endblock %}", fault.TooLarge},
	{"endless recursive loop", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", fault.TooLarge},
	{"two big loops", "{% for i in range(20000) %}{% for j in range(20000) %}{% endfor %}{% endfor %}", fault.TooLarge},
	{"two big loops in filters", "{% for i in range(20000) %}{% set x = range(20000)|sum %}{% endfor %}", fault.TooLarge},
	{"long text", "{{ 'a' * 10**10 }}", fault.TooLarge},
	{"long list", "{{ [0] * 10**10 }}", fault.TooLarge},
	{"long tuple", "{{ (1, 2) * 10**9 }}", fault.TooLarge},
	{"doubling text", "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", fault.TooLarge},
	{"doubling sum", "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", fault.TooLarge},
	{"doubling join", "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s]|join %}{% endfor %}", fault.TooLarge},
	{"doubling block set", "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}{% endfor %}", fault.TooLarge},
	{"doubling list", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", fault.TooLarge},
	{"doubling replace", "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s|replace('a', 'aaaa') %}{% endfor %}", fault.TooLarge},
	{"shared list printed", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}", fault.TooLarge},
	{"shared list as JSON", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}", fault.TooLarge},
	{"shared list printed prettily", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|pprint }}", fault.TooLarge},
	{"shared lists compared", "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}", fault.TooLarge},
	{"shared lists ordered", "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a < ns.b }}", fault.TooLarge},
	{"shared tuple as key", "{% set ns = namespace(s=(1,)) %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}", fault.TooLarge},
	{"shared type printed", "{% set ns = namespace(s=1) %}{% for i in range(48) %}{% set ns.s = dict[ns.s, ns.s] %}{% endfor %}{{ ns.s }}", fault.TooLarge},
	{"shared type as key", "{% set ns = namespace(s=1) %}{% for i in range(48) %}{% set ns.s = dict[ns.s, ns.s] %}{% endfor %}{{ {ns.s: 1} }}", fault.TooLarge},
	{"shared types compared", "{% set ns = namespace(a=1, b=1) %}{% for i in range(48) %}{% set ns.a = dict[ns.a, ns.a] %}{% set ns.b = dict[ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}", fault.TooLarge},
	{"shared types in tuples", "{% set ns = namespace(s=1) %}{% for i in range(48) %}{% set ns.s = dict[(1, (ns.s, ns.s))] %}{% endfor %}{{ {ns.s: 1} }}", fault.TooLarge},
	{"type of a shared tuple", "{% set ns = namespace(s=(1,)) %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ dict[ns.s] }}", fault.TooLarge},
	{"shared list in a format", "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ '%s' % [ns.s] }}", fault.TooLarge},
	{"power of powers", "{{ 10 ** (10 ** 10) }}", fault.TooLarge},
	{"growing power", "{% set ns = namespace(n=10) %}{% for i in range(60) %}{% set ns.n = ns.n * ns.n %}{% endfor %}", fault.TooLarge},
	{"format width", "{{ '%1000000000d' % 1 }}", fault.TooLarge},
	{"format star width", "{{ '%*d' % (1000000000, 1) }}", fault.TooLarge},
	{"format precision", "{{ '%.1000000000f' % 1.5 }}", fault.TooLarge},
	{"format filter", "{{ '%1000000000s'|format('a') }}", fault.TooLarge},
	{"str.format width", "{{ '{:1000000000}'.format('a') }}", fault.TooLarge},
	{"str.format nested width", "{{ '{:{w}}'.format('a', w=1000000000) }}", fault.TooLarge},
	{"str.format precision", "{{ '{:.1000000000f}'.format(1.5) }}", fault.TooLarge},
	{"str.format grouped", "{{ '{:01000000000,}'.format(1) }}", fault.TooLarge},
	{"center", "{{ 'a'|center(10**10) }}", fault.TooLarge},
	{"ljust", "{{ 'a'.ljust(10**10) }}", fault.TooLarge},
	{"zfill", "{{ 'a'.zfill(10**10) }}", fault.TooLarge},
	{"expandtabs", "{{ '\t'.expandtabs(2**31 - 1) }}", fault.TooLarge},
	{"names of characters", "{{ ('\\\\N{X}' * 100000).encode().decode('unicode_escape', 'ignore') }}", fault.TooLarge},
	{"names for characters", "{{ ('é' * 10**7).encode('ascii', 'namereplace') }}", fault.TooLarge},
	{"indent", "{{ 'a\nb'|indent(10**10) }}", fault.TooLarge},
	{"wordwrap separator", "{{ ('a' * 100000)|wordwrap(1, wrapstring='b' * 100000) }}", fault.TooLarge},
	{"wordwrap of nothing", "{{ (' ' * 100000 ~ 'a' * 100000)|wordwrap(1, wrapstring='b' * 100000) }}", fault.TooLarge},
	{"batch fill", "{{ [1]|batch(10**10, 'x')|list }}", fault.TooLarge},
	{"slice count", "{{ [1]|slice(10**10)|list }}", fault.TooLarge},
	{"tojson indent", "{{ [[1]]|tojson(10**9) }}", fault.TooLarge},
	{"join separator", "{{ range(100000)|join('a' * 100000) }}", fault.TooLarge},
	{"list of lists", "{{ range(100000)|map('string')|map('list')|map('join', 'x' * 10000)|list|length }}", fault.TooLarge},
	{"endless list", "{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}", fault.TooLarge},
	{"big output", "{% for i in range(100000) %}{{ 'a' * 1000 }}{% endfor %}", fault.TooLarge},
	{"popping from the front", "{% set l = range(100000)|list %}{% for i in range(100000) %}{% set _ = l.insert(0, 1) %}{% endfor %}", fault.TooLarge},
	{"to_bytes", "{{ (1).to_bytes(10**10, 'big') }}", fault.TooLarge},
	{"include", "{% include '/etc/passwd' %}", fault.Failed},
	{"import", "{% import 'os' as os %}", fault.Failed},
	{"range", "{{ range(10**9)|list }}", fault.Failed},
	{"class walk", "{{ ''.__class__.__mro__[1].__subclasses__() }}", fault.Failed},
	{"class walk by item", "{{ ''['__class__']['__mro__'] }}", fault.Failed},
	{"class walk by filter", "{{ (''|attr('__class__')|attr('__mro__')|attr('__subclasses__'))() }}", fault.Failed},
	{"class walk by format", "{{ '{0.__class__.__mro__}'.format('') }}", fault.Failed},
	{"class walk by map", "{{ ['']|map(attribute='__class__.__mro__')|list }}", fault.Failed},
	{"a step beyond 64 bits", "{{ range(-9 * 10**18, 9 * 10**18, 6 * 10**18)[::2]|list }}", fault.Failed},
	{"globals of a function", "{{ range.__globals__.x }}", fault.Failed},
	{"globals of a macro", "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}", fault.Failed},
}

func TestHostile(t *testing.T) {
	env := jinja.New(jinja.Options{Limits: jinja.Limits{Steps: 2_000_000, Memory: 32 << 20}}) // a fifth of the defaults: for speed
	goroutines := runtime.NumGoroutine()
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			out, err := render(env, c.tpl, nil)
			if err == nil {
				t.Fatalf("got %.80q", out)
			}
			if !fault.Is(err, c.kind) {
				t.Fatalf("kind %s, want %s: %v", fault.KindOf(err), c.kind, err)
			}
		})
	}
	if n := runtime.NumGoroutine(); n > goroutines+1 {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

// More types inside types would have to be descended into.
func TestTypesInsideTypesEnd(t *testing.T) {
	for _, inner := range []string{"ns.s", "(1, ns.s)", "((ns.s,),)"} {
		tpl, err := jinja.New(jinja.Options{}).Compile("{% set ns = namespace(s=1) %}{% for i in range(1000) %}{% set ns.s = dict["+inner+"] %}{% endfor %}", "t")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.Render(t.Context(), nil); pyError(err) != "RecursionError: maximum recursion depth exceeded" {
			t.Errorf("%s: %v", inner, err)
		}
	}
}

// Sources that would overflow the stack of a parser, a compiler or an evaluator that does not count.
func TestHostileSources(t *testing.T) {
	n := 20000
	env := jinja.New(jinja.Options{MaxSource: 16 << 20})
	for name, tpl := range map[string]string{
		"parentheses": "{{ " + strings.Repeat("(", n) + strings.Repeat(")", n) + " }}",
		"lists":       "{{ " + strings.Repeat("[", n) + strings.Repeat("]", n) + " }}",
		"dicts":       "{{ " + strings.Repeat("{1:", n) + "1" + strings.Repeat("}", n) + " }}",
		"minus":       "{{ " + strings.Repeat("-", n) + "1 }}",
		"not":         "{{ " + strings.Repeat("not ", n) + "1 }}",
		"sum":         "{{ 1" + strings.Repeat("+1", n) + " }}",
		"power":       "{{ 1" + strings.Repeat("**1", n) + " }}",
		"and":         "{{ 1" + strings.Repeat(" and 1", n) + " }}",
		"attributes":  "{{ x" + strings.Repeat(".a", n) + " }}",
		"items":       "{{ x" + strings.Repeat("[0]", n) + " }}",
		"calls":       "{{ x" + strings.Repeat("()", n) + " }}",
		"filters":     "{{ x" + strings.Repeat("|e", n) + " }}",
		"tests":       "{{ x" + strings.Repeat(" is defined", n) + " }}",
		"inline if":   "{{ 1" + strings.Repeat(" if 1 else 1", n) + " }}",
		"nested if":   strings.Repeat("{% if 1 %}", n),
		"nested for":  strings.Repeat("{% for x in y %}", n),
		"filter tag":  "{% filter e" + strings.Repeat("|e", n) + " %}{% endfilter %}",
		"targets":     "{% set " + strings.Repeat("(", n) + "a" + strings.Repeat(")", n) + " = 1 %}",
	} {
		_, err := env.Compile(tpl, "")
		if err == nil {
			t.Errorf("%s: compiled", name)
		} else if k := fault.KindOf(err); k != fault.TooLarge && k != fault.Invalid {
			t.Errorf("%s: kind %s: %.100s", name, k, err)
		}
	}
	if _, err := jinja.New(jinja.Options{}).Compile(strings.Repeat("a", 2<<20), ""); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a long source: %v", err)
	}
}

// Long but flat sources are no attack.
func TestLongFlatSources(t *testing.T) {
	n := 5000
	env := jinja.New(jinja.Options{})
	for name, tpl := range map[string]string{
		"concat": "{{ 1" + strings.Repeat("~1", n) + " }}",
		"list":   "{{ [" + strings.Repeat("1,", n) + "] }}",
		"elif":   "{% if x %}" + strings.Repeat("{% elif x %}a", n) + "{% endif %}",
		"prints": strings.Repeat("{{ 1 }}", n),
	} {
		if _, err := render(env, tpl, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContextStopsARender(t *testing.T) {
	tpl, err := jinja.New(jinja.Options{Limits: jinja.Limits{Steps: 1 << 40}}).
		Compile("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() {
		_, err := tpl.Render(ctx, nil)
		stopped <- err
	}()
	cancel()
	select {
	case err = <-stopped:
	case <-time.After(30 * time.Second):
		t.Fatal("the render goes on")
	}
	if !fault.Is(err, fault.Canceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLimitsAreSettings(t *testing.T) {
	for _, c := range []struct {
		tpl    string
		limits jinja.Limits
		hint   string
	}{
		{"{% for i in range(100) %}{% endfor %}", jinja.Limits{Steps: 50}, "Limits.Steps"},
		{"{{ 'a' * 100 }}", jinja.Limits{Memory: 50}, "Limits.Memory"},
		{"{% for i in range(100) %}a{% endfor %}", jinja.Limits{Output: 50}, "Limits.Output"},
		{"{% macro m(n) %}{{ m(n - 1) if n }}{% endmacro %}{{ m(20) }}", jinja.Limits{Depth: 10}, "Limits.Depth"},
		{"{% for i in range(100000) %}{% for i in range(1000) %}{% endfor %}{% endfor %}",
			jinja.Limits{Steps: 1 << 40, Time: time.Millisecond}, "Limits.Time"},
	} {
		_, err := render(jinja.New(jinja.Options{Limits: c.limits}), c.tpl, nil)
		if f := fault.From(err); f == nil || f.Kind != fault.TooLarge || !strings.Contains(f.Hint, c.hint) {
			t.Errorf("%q: %v", c.tpl, err)
		}
	}
	if _, err := render(jinja.New(jinja.Options{Limits: jinja.Limits{Range: 5}}), "{{ range(6) }}", nil); err == nil {
		t.Error("range(6) with a limit of 5")
	}
}

func TestConcurrentRenders(t *testing.T) {
	for _, appender := range []string{"docs.append(0)", "docs['app' ~ 'end'](0)"} { // known and not known beforehand to change
		concurrently(t, appender)
	}
}

func concurrently(t *testing.T, appender string) {
	t.Helper()
	tpl, err := jinja.New(jinja.Options{}).Compile(
		"{% set l = docs|map(attribute='content')|list %}{% set _ = "+appender+" %}{{ l|join(',') }}", "")
	if err != nil {
		t.Fatal(err)
	}
	docs := value.NewList(value.NewDict("content", value.Str("a")), value.NewDict("content", value.Str("b")))
	vars := value.NewDict("docs", docs)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if out, err := tpl.Render(context.Background(), vars); err != nil || out != "a,b" {
					t.Errorf("%q %v", out, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A template that changes what it was given changes its own copy.
func TestInputsStayAsTheyAre(t *testing.T) {
	for _, tpl := range []string{
		"{% set _ = l.append(1) %}{{ l }}", "{% set _ = d.update(x=1) %}{{ d }}", "{% set m = l['app' ~ 'end'] %}{{ m(1) }}{{ l }}",
		"{% set m = l|attr('append') %}{{ m(1) }}{{ l }}", "{% set _ = d.l.append(1) %}{{ d }}", "{% set _ = o.l.append(1) %}",
		"{% set _ = [l]|map(attribute='clear')|map('default')|first %}{{ _() }}{{ l }}", "{% set _ = g.append(2) %}{{ g }}",
	} {
		l := value.NewList(value.Int(0))
		g := value.NewList(value.Int(5))
		vars := value.NewDict("l", l, "d", value.NewDict("l", l), "o", &thing{l})
		env := jinja.New(jinja.Options{Globals: map[string]value.Value{"g": g}})
		if _, err := render(env, tpl, vars); err != nil {
			t.Errorf("%q: %v", tpl, err)
		}
		if got := value.Repr(l) + value.Repr(g); got != "[0][5]" {
			t.Errorf("%q left %s", tpl, got)
		}
	}
}

// thing is an object of another room that holds a shared list.
type thing struct{ l *value.List }

func (*thing) Kind() value.Kind      { return value.KindObject }
func (*thing) Class() string         { return "haystack.Thing" }
func (*thing) Repr() string          { return "Thing()" }
func (o *thing) ToDict() *value.Dict { return value.NewDict("l", o.l) }
func (o *thing) Attr(name string) (value.Value, bool) {
	if name == "l" {
		return o.l, true
	}
	return nil, false
}

func TestObjectsShowTheirAttributesOnly(t *testing.T) {
	env := jinja.New(jinja.Options{})
	for tpl, want := range map[string]string{
		"{{ o.l }}": "[1]", "{{ o['l'] }}": "[1]", "{{ o.Attr }}": "", "{{ o.ToDict }}": "", "{{ o }}": "Thing()",
		"{{ o.to_dict() }}": "{'l': [1]}", "{{ o|attr('l') }}": "[1]", "{{ [o]|map(attribute='l')|list }}": "[[1]]",
	} {
		got, err := render(env, tpl, value.NewDict("o", &thing{value.NewList(value.Int(1))}))
		if err != nil || got != want {
			t.Errorf("%s: %q %v", tpl, got, err)
		}
	}
	_, err := render(env, "{{ o.nope.x }}", value.NewDict("o", &thing{}))
	if got := pyError(err); got != "UndefinedError: 'haystack.Thing object' has no attribute 'nope'" {
		t.Error(got)
	}
}
