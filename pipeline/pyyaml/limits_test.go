package pyyaml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// laughs is a document of few lines in which every alias holds ten of the one before.
func laughs(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestLimits(t *testing.T) {
	var merges strings.Builder
	merges.WriteString("a0: &a0 {k: v}\n")
	for i := 1; i < 20; i++ {
		fmt.Fprintf(&merges, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i-1, i-1)
	}
	var ladder strings.Builder
	for i := range 40 {
		fmt.Fprintf(&ladder, "a%d: &a%d [[*a%d]]\n", i+1, i+1, i)
	}
	for name, c := range map[string]struct {
		text   string
		limits Limits
		kind   fault.Kind
	}{
		"bytes":                 {strings.Repeat("#", 1<<20+1), Limits{}, fault.TooLarge},
		"own bytes":             {"a: 12345678", Limits{Bytes: 10}, fault.TooLarge},
		"depth":                 {strings.Repeat("[", 65) + strings.Repeat("]", 65), Limits{}, fault.TooLarge},
		"depth in blocks":       {strings.Repeat("- ", 65) + "x", Limits{}, fault.TooLarge},
		"depth through aliases": {"a0: &a0 []\n" + ladder.String(), Limits{}, fault.TooLarge},
		"nodes":                 {strings.Repeat("- x\n", 100_000), Limits{}, fault.TooLarge},
		"billion laughs":        {laughs(9), Limits{}, fault.TooLarge},
		"merges":                {merges.String(), Limits{}, fault.TooLarge},
		"a list in itself":      {"&a [*a]", Limits{}, fault.Unsupported},
		"a mapping in itself":   {"a: &a\n  b: {c: *a}", Limits{}, fault.Unsupported},
	} {
		if _, err := Load([]byte(c.text), "f.yml", c.limits); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"depth": strings.Repeat("[", 64) + strings.Repeat("]", 64), "laughs": laughs(3), "nodes": strings.Repeat("- x\n", 99_999),
	} {
		if _, err := Load([]byte(text), "f.yml", Limits{}); err != nil {
			t.Errorf("%s at the limit: %v", name, err)
		}
	}
}

func TestDigits(t *testing.T) {
	for text, ok := range map[string]bool{
		strings.Repeat("9", maxDigits): true, strings.Repeat("9", maxDigits+1): false, "0x" + strings.Repeat("f", 3571): true,
		"0x" + strings.Repeat("f", 3572): false, "0b" + strings.Repeat("1", 14285): false, "0" + strings.Repeat("7", 5000): false,
	} {
		if _, err := Load([]byte(text), "", Limits{}); (err == nil) != ok {
			t.Errorf("%d characters: %v", len(text), err)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, c := range []struct {
		text, want string
		class      Class
	}{
		{"a: 1\nb:\n  - c\n d: 2\n", "f.yml:4:2: ", ParserError},
		{"a:\tb", "f.yml:1:3: No value can begin with the character '\\t'.", ScannerError},
		{"a: 'x", "f.yml:1:4: The string that begins here has no closing quote.", ScannerError},
		{"a: b: c", "f.yml:1:5: A mapping value (':') cannot stand here.", ScannerError},
		{"a: *x", "f.yml:1:4: The alias *x has no anchor &x before it.", ComposerError},
		{"a: 1\n---\nb: 2", "f.yml:2:1: A second document begins here", ComposerError},
		{"a: !secret x", "f.yml:1:4: The tag !secret is not known.", ConstructorError},
		{"a: !!int x", `f.yml:1:4: "x" is not a valid !!int`, ConstructorError},
		{"- 2024-02-30", `f.yml:1:3: "2024-02-30" is not a valid !!timestamp`, ConstructorError},
		{"[a]: b", "f.yml:1:1: A list cannot be the key of a mapping.", ConstructorError},
		{"é: \x07", "f.yml:1:4: The character U+0007 is not allowed in YAML", ReaderError},
		{"a: \xff", "f.yml:1:4: The file is not UTF-8", ReaderError},
	} {
		_, err := Load([]byte(c.text), "f.yml", Limits{})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || ClassOf(err) != c.class || fault.From(err).Code != "YAMLError" {
			t.Errorf("Load(%q): %v (%s)", c.text, err, string(ClassOf(err)))
		}
	}
}

func TestPlaces(t *testing.T) {
	const text = `components:
  prompt:   # a comment
    type: T
    init_parameters: {template: 'x', n: 1}
connections:
- sender: a.b
  receiver: c.d
-   sender: e
1: one
shared: &s {k: v}
use:
  <<: *s
  k: w
`
	doc, err := Load([]byte(text), "p.yml", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path       []any
		key, value string
	}{
		{nil, "1:1", "1:1"},
		{[]any{"components", "prompt"}, "2:3", "3:5"},
		{[]any{"components", "prompt", "type"}, "3:5", "3:11"},
		{[]any{"components", "prompt", "init_parameters", "n"}, "4:38", "4:41"},
		{[]any{"connections", 0}, "6:3", "6:3"},
		{[]any{"connections", 1, "sender"}, "8:5", "8:13"},
		{[]any{value.Int(1)}, "9:1", "9:4"},
		{[]any{"use", "k"}, "13:3", "13:6"},
		{[]any{"components", "prompt", "nothing", "here"}, "2:3", "2:3"}, // the last place on the way
		{[]any{"connections", 7}, "5:1", "5:1"},
	} {
		if got := doc.Pos(c.path...).String(); got != "p.yml:"+c.key {
			t.Errorf("Pos(%v) = %s, not %s", c.path, got, c.key)
		}
		if got := doc.ValuePos(c.path...).String(); got != "p.yml:"+c.value {
			t.Errorf("ValuePos(%v) = %s, not %s", c.path, got, c.value)
		}
	}
	if n := doc.Node("shared"); n == nil || n.Get("k").Value != value.Str("v") {
		t.Error("Node(shared)")
	}
	if doc.Node("components", "x") != nil {
		t.Error("a path that leads nowhere has a node")
	}
}

func TestSharedIdentity(t *testing.T) {
	doc, err := Load([]byte("a: &x [1]\nb: *x\nc: [1]"), "", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if doc.Node("a").Value != doc.Node("b").Value {
		t.Error("an alias is another list")
	}
	if doc.Node("a").Value == doc.Node("c").Value {
		t.Error("two lists are one")
	}
}

func TestEmpty(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "null"} {
		doc, err := Load([]byte(text), "f", Limits{})
		if err != nil || doc.Value() != value.None || doc.Pos("a").Line < 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
}
