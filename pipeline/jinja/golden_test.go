package jinja_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// goldenCase is a template and what Jinja2 made of it: conformance/oracle/jinja_cases.py.
type goldenCase struct {
	Tpl  string `json:"tpl"`
	Ctx  string `json:"ctx"`
	Opts struct {
		Undefined  string `json:"undefined"`
		Trim       bool   `json:"trim"`
		Lstrip     bool   `json:"lstrip"`
		Keep       bool   `json:"keep"`
		Autoescape bool   `json:"autoescape"`
	} `json:"opts"`
	Out *string `json:"out"`
	Err *struct {
		Class   string `json:"class"`
		Message string `json:"message"`
		Line    *int   `json:"line"`
	} `json:"err"`
	Undeclared []string `json:"undeclared"`
	Native     *string  `json:"native"`
}

type golden struct {
	Contexts map[string]json.RawMessage `json:"contexts"`
	Cases    []goldenCase               `json:"cases"`
}

func readGolden(t testing.TB, file string) (golden, map[string]*value.Dict) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil && strings.HasSuffix(file, ".gz") {
		var packed *gzip.Reader
		if packed, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
			data, err = io.ReadAll(packed)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	contexts := map[string]*value.Dict{}
	for name, raw := range g.Contexts {
		v, err := value.FromJSON(raw)
		if err != nil {
			t.Fatal(err)
		}
		contexts[name] = decode(v).(*value.Dict)
	}
	return g, contexts
}

// decode turns {"$tuple": [...]} and its like into what they say.
func decode(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, x := range v.Items {
			out.Items = append(out.Items, decode(x))
		}
		return out
	case *value.Dict:
		if t, ok := v.Get("$tuple"); ok {
			return value.Tuple(decode(t).(*value.List).Items)
		}
		if s, ok := v.Get("$set"); ok {
			set, _ := value.NewSet(decode(s).(*value.List).Items...)
			return set
		}
		if b, ok := v.Get("$bytes"); ok {
			var out []byte
			for _, x := range b.(*value.List).Items {
				out = append(out, byte(x.(value.Int)))
			}
			return value.Bytes(out)
		}
		out := &value.Dict{}
		for k, x := range v.All() {
			out.SetKey(k, decode(x))
		}
		return out
	}
	return v
}

var undefinedKinds = map[string]jinja.UndefinedKind{"": jinja.Default, "default": jinja.Default, "strict": jinja.Strict,
	"chainable": jinja.Chainable, "debug": jinja.Debug}

func (c *goldenCase) env() *jinja.Env {
	return jinja.New(jinja.Options{Undefined: undefinedKinds[c.Opts.Undefined], TrimBlocks: c.Opts.Trim,
		LstripBlocks: c.Opts.Lstrip, KeepTrailingNewline: c.Opts.Keep, Autoescape: c.Opts.Autoescape})
}

// accepted are differences from Python with a reason that a user would accept. The case's template is the key.
var accepted = map[string]string{
	"{{ 5[1:2] }}":                       "only as a constant: Jinja's optimizer turns the TypeError into an undefined",
	"{{ 'inf'|float|int }}":              "Jinja writes the constant inf into Python code that has no such name",
	"{{ 'a'|center(width=5, width=6) }}": "only as a constant: Jinja's optimizer drops the first of two equal keywords",
	"{{ {x: 1} }}":                       "an undefined value as a dict key is refused clearly: values have no such key",
	"{{ f(a=1, a=2) }}":                  "Python's message goes on with a line of the code Jinja makes",
	"{{ '<' ~ ('>'|safe) }}":             "only as a constant under autoescape: Jinja's optimizer forgets what is safe",
}

func TestGolden(t *testing.T) {
	g, contexts := readGolden(t, "testdata/cases.json")
	if len(g.Cases) < 250 {
		t.Fatalf("only %d cases", len(g.Cases))
	}
	for i := range g.Cases {
		c := &g.Cases[i]
		if c.Ctx == "" {
			c.Ctx = "main"
		}
		if _, ok := accepted[c.Tpl]; ok {
			continue
		}
		before := value.Repr(contexts[c.Ctx])
		checkGolden(t, c, contexts[c.Ctx])
		if after := value.Repr(contexts[c.Ctx]); after != before {
			t.Fatalf("%q changed its input", c.Tpl)
		}
	}
}

func checkGolden(t *testing.T, c *goldenCase, vars *value.Dict) {
	t.Helper()
	got, err := render(c.env(), c.Tpl, vars)
	switch {
	case c.Out != nil && err != nil:
		t.Errorf("%q %v:\n got error %s\nwant %q", c.Tpl, c.Opts, pyError(err), *c.Out)
	case c.Out != nil && got != *c.Out:
		t.Errorf("%q %v:\n got %q\nwant %q", c.Tpl, c.Opts, got, *c.Out)
	case c.Err != nil && err == nil:
		t.Errorf("%q %v:\n got %q\nwant error %s: %s", c.Tpl, c.Opts, got, c.Err.Class, c.Err.Message)
	case c.Err != nil && pyError(err) != c.Err.Class+": "+c.Err.Message:
		t.Errorf("%q %v:\n got error %s\nwant error %s: %s", c.Tpl, c.Opts, pyError(err), c.Err.Class, c.Err.Message)
	// Python's own SyntaxError counts the lines of one expression; here it is the template's line.
	case c.Err != nil && c.Err.Line != nil && c.Err.Class != "SyntaxError" && fault.From(err).Where.Line != *c.Err.Line:
		t.Errorf("%q: error at line %d, want %d (%s)", c.Tpl, fault.From(err).Where.Line, *c.Err.Line, pyError(err))
	}
	if tpl, err := c.env().Compile(c.Tpl, ""); err == nil && c.Undeclared != nil {
		names := tpl.Undeclared()
		sort.Strings(names)
		if !slices.Equal(names, c.Undeclared) {
			t.Errorf("%q: undeclared %v, want %v", c.Tpl, names, c.Undeclared)
		}
	}
	if c.Native != nil {
		checkNative(t, c, vars)
	}
}

func checkNative(t *testing.T, c *goldenCase, vars *value.Dict) {
	t.Helper()
	tpl, err := c.env().Compile(c.Tpl, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := tpl.RenderNative(context.Background(), vars)
	if err != nil {
		t.Errorf("%q native: %v", c.Tpl, err)
	} else if text := value.Repr(got); text != *c.Native {
		t.Errorf("%q native:\n got %s\nwant %s", c.Tpl, text, *c.Native)
	}
}

func TestReasonsOfDifferences(t *testing.T) {
	for tpl, why := range accepted {
		if !strings.Contains(why, " ") {
			t.Errorf("%q has no reason", tpl)
		}
	}
}
