package value_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/vectortest"
)

// The golden files are Python's own answers: conformance/oracle/values.py remakes them.

// goldenCase is one question to Python: an operation, its arguments, and what came back.
type goldenCase struct {
	line int
	op   string
	args []value.Value
	want value.Value // nil when Python raised
	err  string      // the exception's class
	text string      // and its text
}

func loadGolden(t *testing.T, name string) []goldenCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []goldenCase
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(nil, 1<<20)
	for line := 1; scanner.Scan(); line++ {
		v, err := value.FromJSONLimits(scanner.Bytes(), value.JSONLimits{Depth: 1000})
		if err != nil {
			t.Fatalf("%s:%d: %v", name, line, err)
		}
		out = append(out, newCase(t, line, v.(*value.Dict)))
	}
	if len(out) < 300 {
		t.Fatalf("%s holds %d cases", name, len(out))
	}
	return out
}

func newCase(t *testing.T, line int, d *value.Dict) goldenCase {
	t.Helper()
	text := func(key string) string {
		v, _ := d.Get(key)
		s, _ := v.(value.Str)
		return string(s)
	}
	c := goldenCase{line: line, op: text("op"), err: text("error"), text: text("text")}
	args, _ := d.Get("args")
	for _, a := range args.(*value.List).Items {
		c.args = append(c.args, decode(t, a))
	}
	if want, ok := d.Get("want"); ok {
		c.want = decode(t, want)
	}
	return c
}

// decode reads the notation, and dicts whose keys are no strings as {"$pairs": [[k, v], ...]}.
func decode(t *testing.T, v value.Value) value.Value {
	t.Helper()
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, it := range v.Items {
			out.Items = append(out.Items, decode(t, it))
		}
		return out
	case *value.Dict:
		if special, ok := decodeSpecial(t, v); ok {
			return special
		}
		out := &value.Dict{}
		for k, it := range v.All() {
			out.SetKey(k, decode(t, it))
		}
		return out
	}
	return v
}

func decodeSpecial(t *testing.T, d *value.Dict) (value.Value, bool) {
	t.Helper()
	for key, arg := range d.Strings() {
		if !strings.HasPrefix(key, "$") {
			return nil, false
		}
		items, _ := decode(t, arg).(*value.List)
		switch key {
		case "$pairs":
			out := &value.Dict{}
			for _, pair := range items.Items {
				p := pair.(*value.List).Items
				out.SetKey(p[0], p[1])
			}
			return out, true
		case "$tuple":
			return value.Tuple(items.Items), true
		case "$set":
			s, _ := value.NewSet(items.Items...)
			return s, true
		}
		return vectortest.MustDecode(t, d), true
	}
	return nil, false
}

func (c goldenCase) str(i int) string { return string(c.args[i].(value.Str)) }
func (c goldenCase) int(i int) int    { return int(c.args[i].(value.Int)) }

func pyStr(s string, err error) (value.Value, error) { return value.Str(s), err }

func strs(s []string, err error) (value.Value, error) { return value.Strs(s...), err }

func boolean(b bool, err error) (value.Value, error) { return value.Bool(b), err }

// ops answers every operation of the golden files.
var ops = map[string]func(goldenCase) (value.Value, error){
	"repr":   func(c goldenCase) (value.Value, error) { return pyStr(value.Repr(c.args[0]), nil) },
	"str":    func(c goldenCase) (value.Value, error) { return pyStr(value.ToStr(c.args[0]), nil) },
	"ascii":  func(c goldenCase) (value.Value, error) { return pyStr(value.ASCII(c.args[0]), nil) },
	"type":   func(c goldenCase) (value.Value, error) { return pyStr(value.TypeName(c.args[0]), nil) },
	"truthy": func(c goldenCase) (value.Value, error) { return boolean(value.Truthy(c.args[0]), nil) },
	"len": func(c goldenCase) (value.Value, error) {
		n, err := value.Len(c.args[0])
		return value.Int(n), err
	},
	"json": func(c goldenCase) (value.Value, error) {
		return pyStr(value.ToJSON(c.args[0], jsonOptions(c.args[1].(*value.Dict))))
	},
	"loads": func(c goldenCase) (value.Value, error) { return value.FromJSON([]byte(c.str(0))) },
	"==":    func(c goldenCase) (value.Value, error) { return boolean(value.Equal(c.args[0], c.args[1]), nil) },
	"<":     compare("<"), "<=": compare("<="), ">": compare(">"), ">=": compare(">="),
	"+": binary(value.Add), "-": binary(value.Sub), "*": binary(value.Mul), "/": binary(value.TrueDiv),
	"//": binary(value.FloorDiv), "%": binary(value.Mod), "**": binary(value.Pow),
	"in":      func(c goldenCase) (value.Value, error) { return boolean(value.Contains(c.args[1], c.args[0])) },
	"neg":     func(c goldenCase) (value.Value, error) { return value.Neg(c.args[0]) },
	"pos":     func(c goldenCase) (value.Value, error) { return value.Pos(c.args[0]) },
	"int":     func(c goldenCase) (value.Value, error) { return value.ParseInt(c.str(0)) },
	"literal": func(c goldenCase) (value.Value, error) { return value.LiteralEval(c.str(0)) },

	"s.lower": text(value.PyLower), "s.upper": text(value.PyUpper), "s.title": text(value.PyTitle),
	"s.capitalize": text(value.PyCapitalize), "s.strip": text(value.PyStrip), "s.lstrip": text(value.PyLStrip),
	"s.rstrip":     text(value.PyRStrip),
	"s.split":      func(c goldenCase) (value.Value, error) { return strs(value.PySplit(c.str(0)), nil) },
	"s.splitlines": func(c goldenCase) (value.Value, error) { return strs(value.PySplitLines(c.str(0), false), nil) },
	"s.splitkeep":  func(c goldenCase) (value.Value, error) { return strs(value.PySplitLines(c.str(0), true), nil) },
	"s.splitn":     func(c goldenCase) (value.Value, error) { return strs(value.PySplitN(c.str(0), c.int(1)), nil) },
	"s.splitsep":   func(c goldenCase) (value.Value, error) { return strs(value.PySplitSep(c.str(0), c.str(1), c.int(2))) },
	"s.normalize":  func(c goldenCase) (value.Value, error) { return pyStr(value.Normalize(c.str(0), c.str(1))) },
	"s.slice": func(c goldenCase) (value.Value, error) {
		return pyStr(value.PySlice(c.str(0), c.int(1), c.int(2)), nil)
	},
}

func compare(op string) func(goldenCase) (value.Value, error) {
	return func(c goldenCase) (value.Value, error) { return boolean(value.Compare(op, c.args[0], c.args[1])) }
}

func binary(f func(a, b value.Value) (value.Value, error)) func(goldenCase) (value.Value, error) {
	return func(c goldenCase) (value.Value, error) { return f(c.args[0], c.args[1]) }
}

func text(f func(string) string) func(goldenCase) (value.Value, error) {
	return func(c goldenCase) (value.Value, error) { return pyStr(f(c.str(0)), nil) }
}

func jsonOptions(d *value.Dict) value.JSONOptions {
	var o value.JSONOptions
	for key, v := range d.Strings() {
		switch key {
		case "ensure_ascii":
			o.RawUnicode = !value.Truthy(v)
		case "sort_keys":
			o.SortKeys = value.Truthy(v)
		case "allow_nan":
			o.RefuseNaN = !value.Truthy(v)
		case "default":
			o.Default = value.DefaultStr
		case "indent":
			n := int(v.(value.Int))
			o.Indent = &n
		case "separators":
			pair := v.(*value.List).Items
			o.ItemSeparator, o.KeySeparator = value.ToStr(pair[0]), value.ToStr(pair[1])
		}
	}
	return o
}

// beyond are the limits that Python does not have: its answer is larger than Hayward lets a value become.
func beyond(err error) bool { return fault.Is(err, fault.TooLarge) }

func TestPythonValues(t *testing.T)   { runGolden(t, "values.jsonl", true) }
func TestPythonLiterals(t *testing.T) { runGolden(t, "literals.jsonl", false) }

// runGolden compares classes of errors always, and their texts where Python's sentence is promised.
func runGolden(t *testing.T, file string, texts bool) {
	counts := map[string]int{}
	for _, c := range loadGolden(t, file) {
		run, ok := ops[c.op]
		if !ok {
			t.Fatalf("%s:%d: no operation %q", file, c.line, c.op)
		}
		counts[c.op]++
		got, err := run(c)
		if problem := c.judge(got, err, texts); problem != "" {
			t.Errorf("%s:%d: %s%s: %s", file, c.line, c.op, brief(c.args), problem)
		}
	}
	t.Logf("%s: %v", file, counts)
}

func (c goldenCase) judge(got value.Value, err error, texts bool) string {
	switch {
	case c.err == "" && err != nil:
		return fmt.Sprintf("want %s, got the error %v", value.Repr(c.want), err)
	case c.err == "":
		if d := vectortest.Diff(c.want, got); d != "" {
			return d
		}
		if value.Repr(c.want) != value.Repr(got) && c.want.Kind() != value.KindSet { // order and signs of zero count too
			return fmt.Sprintf("want %s, got %s", value.Repr(c.want), value.Repr(got))
		}
		return ""
	case err == nil:
		return fmt.Sprintf("want %s: %s, got %s", c.err, c.text, value.Repr(got))
	case beyond(err):
		return ""
	}
	f := fault.From(err)
	if !texts && f.Code != "TypeError" && c.err != "TypeError" {
		return "" // a literal that is none: which of two errors it is depends on all of Python's grammar
	}
	if f.Code != c.err && !slices.Contains([]string{"IndentationError", "MemoryError"}, c.err) {
		return fmt.Sprintf("want %s: %s, got %s: %s", c.err, c.text, f.Code, f.Message)
	}
	if texts && f.Message != c.text && !strings.Contains(c.text, "codec can't decode") {
		return fmt.Sprintf("want the text %q, got %q", c.text, f.Message)
	}
	return ""
}

func brief(args []value.Value) string {
	s := value.Repr(value.Tuple(args))
	if len(s) > 200 {
		return value.PySlice(s, 0, 200) + "..."
	}
	return s
}

// TestCharacterClasses compares every code point that Python's Unicode has assigned; Go's tables are a version ahead.
func TestCharacterClasses(t *testing.T) {
	data, err := os.ReadFile("testdata/classes.json")
	if err != nil {
		t.Fatal(err)
	}
	var classes map[string]json.RawMessage
	if err := json.Unmarshal(data, &classes); err != nil {
		t.Fatal(err)
	}
	assigned := readRanges(t, classes["assigned"])
	for name, ours := range map[string]func(rune) bool{"printable": value.Printable, "alnum": value.IsAlnum, "space": value.IsSpace,
		"word": value.IsWord, "res": value.IsSpace, "red": func(r rune) bool { return unicode.Is(unicode.Nd, r) }} {
		theirs := readRanges(t, classes[name])
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if unicode.Is(assigned, r) && unicode.Is(theirs, r) != ours(r) {
				t.Errorf("%s: U+%04X: Python says %v", name, r, unicode.Is(theirs, r))
			}
		}
	}
}

func readRanges(t *testing.T, raw json.RawMessage) *unicode.RangeTable {
	t.Helper()
	var pairs [][2]uint32
	if err := json.Unmarshal(raw, &pairs); err != nil || len(pairs) == 0 {
		t.Fatalf("no ranges: %v", err)
	}
	out := &unicode.RangeTable{}
	for _, p := range pairs {
		out.R32 = append(out.R32, unicode.Range32{Lo: p[0], Hi: p[1], Stride: 1})
	}
	return out
}
