package pytype

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The golden files come from conformance/oracle/type_cases.py, which runs Haystack 3.4.0.
func readLines[T any](t *testing.T, name string) []T {
	t.Helper()
	dir := "testdata"
	if d := os.Getenv("PYTYPE_GOLDEN"); d != "" {
		dir = d // a larger run of the same script
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c T
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestParseAsHaystack(t *testing.T) {
	cases := readLines[struct{ S, Canon, Display, Error string }](t, "parse.jsonl")
	if len(cases) < 300 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		got, err := Parse(c.S)
		if c.Error != "" {
			if err == nil {
				t.Errorf("Parse(%q) = %s, Python refuses it: %s", c.S, got, c.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("Parse(%q): %v; Python reads %s", c.S, err, c.Canon)
			continue
		}
		if got.String() != c.Canon {
			t.Errorf("Parse(%q).String() = %s, Python writes %s", c.S, got, c.Canon)
		}
		if got.Display() != c.Display {
			t.Errorf("Parse(%q).Display() = %s, Python shows %s", c.S, got.Display(), c.Display)
		}
	}
}

func TestCompatibleAsHaystack(t *testing.T) {
	cases := readLines[struct {
		Sender, Receiver, Conversion, Common string
		OK, Strict                           bool
	}](t, "pairs.jsonl")
	if len(cases) < 600 {
		t.Fatalf("only %d pairs", len(cases))
	}
	for _, c := range cases {
		s, err := Parse(c.Sender)
		r, err2 := Parse(c.Receiver)
		if err != nil || err2 != nil {
			t.Errorf("%s -> %s: %v %v", c.Sender, c.Receiver, err, err2)
			continue
		}
		if got := CompatibleStrict(s, r); got != c.Strict {
			t.Errorf("CompatibleStrict(%s, %s) = %v, Python says %v", c.Sender, c.Receiver, got, c.Strict)
		}
		if got, ok := CommonType(s, r); ok != (c.Common != "") || ok && got.String() != c.Common {
			if ok && cached(got, c.Common) {
				t.Logf("known: CommonType(%s, %s) = %s; Python says %s", c.Sender, c.Receiver, got, c.Common)
			} else {
				t.Errorf("CommonType(%s, %s) = %s, %v; Python says %q", c.Sender, c.Receiver, got, ok, c.Common)
			}
		}
		if conv, ok := Compatible(s, r); ok != c.OK || string(conv) != c.Conversion {
			t.Errorf("Compatible(%s, %s) = %q, %v; Python says %q, %v", c.Sender, c.Receiver, conv, ok, c.Conversion, c.OK)
		}
	}
}

// cached reports a difference that is Python's alone, in cases made at random: typing.Union gives the object it made first for
// an equal set of arms, so that the order of arms depends on what the process did before. The checked-in cases have none.
func cached(got *Type, want string) bool {
	if os.Getenv("PYTYPE_GOLDEN") == "" {
		return false
	}
	w, err := Parse(want)
	if err != nil || len(got.Args) != len(w.Args) {
		return false
	}
	arms := func(t *Type) []string {
		var out []string
		for _, a := range t.Args {
			out = append(out, a.String())
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(arms(got), arms(w))
}
