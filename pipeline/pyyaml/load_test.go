package pyyaml

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// plainly writes a value as conformance/oracle/yaml_cases.py does: JSON with a name for everything JSON lacks.
func plainly(v value.Value) any {
	switch v := v.(type) {
	case value.Bool:
		return bool(v)
	case value.Int:
		return map[string]any{"i": strconv.FormatInt(int64(v), 10)}
	case *value.BigInt:
		return map[string]any{"i": v.N.String()}
	case value.Float:
		return map[string]any{"f": value.Repr(v)}
	case value.Str:
		return string(v)
	case value.Bytes:
		return map[string]any{"bytes": fmt.Sprintf("%x", string(v))}
	case value.Date:
		return map[string]any{"date": fmt.Sprintf("%04d-%02d-%02d", v.Year, v.Month, v.Day)}
	case value.DateTime:
		layout := "2006-01-02T15:04:05"
		if v.Time.Nanosecond() != 0 {
			layout += ".000000"
		}
		if v.Aware {
			layout += "-07:00"
		}
		return map[string]any{"date": v.Time.Format(layout)}
	case *value.List:
		return plainItems(v.Items)
	case value.Tuple:
		return map[string]any{"tuple": plainItems(v)}
	case *value.Set:
		return map[string]any{"set": plainItems(v.Items())}
	case *value.Dict:
		pairs := []any{}
		for k, item := range v.All() {
			pairs = append(pairs, []any{plainly(k), plainly(item)})
		}
		return map[string]any{"m": pairs}
	}
	return nil
}

func plainItems(items []value.Value) []any {
	out := []any{}
	for _, item := range items {
		out = append(out, plainly(item))
	}
	return out
}

func canonical(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type loadCase struct {
	Y   string `json:"y"`
	V   any    `json:"v"`
	Err string `json:"err"`
}

func readLines[T any](t *testing.T, name string) []T {
	t.Helper()
	dir := "testdata"
	if d := os.Getenv("PYYAML_GOLDEN"); d != "" {
		dir = d // a larger run of the same script
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c T
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// TestLoadAsPyYAML runs what conformance/oracle/yaml_cases.py had PyYAML 6.0.3 load.
func TestLoadAsPyYAML(t *testing.T) {
	cases := readLines[loadCase](t, "load.jsonl")
	if len(cases) < 200 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		doc, err := Load([]byte(c.Y), "", Limits{})
		if c.Err != "" {
			checkRefused(t, c, doc, err)
			continue
		}
		if err != nil {
			t.Errorf("Load(%q): %v; Python reads %s", c.Y, err, canonical(t, c.V))
			continue
		}
		if got, want := canonical(t, plainly(doc.Value())), canonical(t, c.V); got != want {
			t.Errorf("Load(%q)\n is %s\nnot %s", c.Y, got, want)
		}
	}
}

// checkRefused compares the class of the error; errors from inside Python (a bad date, \U00110000) have none of PyYAML's.
func checkRefused(t *testing.T, c loadCase, doc *Document, err error) {
	t.Helper()
	got := ClassOf(err)
	ok := got == Class(c.Err)
	switch Class(c.Err) {
	case ReaderError, ScannerError, ParserError, ComposerError, ConstructorError:
	default:
		ok = got == ScannerError || got == ConstructorError
	}
	switch {
	case err == nil:
		t.Errorf("Load(%q) is %s, Python refuses it: %s", c.Y, canonical(t, plainly(doc.Value())), c.Err)
	case !ok && !fault.Is(err, fault.Unsupported): // what is refused on purpose may be refused before the error Python sees
		t.Errorf("Load(%q): %v is a %s, not a %s", c.Y, err, string(got), c.Err)
	case fault.From(err).Where.Line == 0:
		t.Errorf("Load(%q): %v has no place", c.Y, err)
	}
}

// vectorForm is the form of pyyaml.json, which does not tell tuples and sets from lists and mappings, and writes keys
// that are not strings as JSON text.
func vectorForm(v value.Value) any {
	switch v := v.(type) {
	case value.Bytes:
		return map[string]any{"bytes": string(v)}
	case value.DateTime:
		return map[string]any{"date": v.Time.Format(time.RFC3339Nano[:19] + "-07:00")}
	case *value.List:
		return vectorItems(v.Items)
	case value.Tuple:
		return vectorItems(v)
	case *value.Set:
		d := &value.Dict{}
		for _, item := range v.Items() {
			d.SetKey(item, value.None)
		}
		return vectorForm(d)
	case *value.Dict:
		pairs := []any{}
		for k, item := range v.All() {
			var key any = plainly(k)
			if _, ok := key.(string); !ok {
				data, _ := json.Marshal(key)
				key = strings.Replace(string(data), `":"`, `": "`, 1)
			}
			pairs = append(pairs, []any{key, vectorForm(item)})
		}
		return map[string]any{"m": pairs}
	}
	return plainly(v)
}

func vectorItems(items []value.Value) []any {
	out := []any{}
	for _, item := range items {
		out = append(out, vectorForm(item))
	}
	return out
}

func TestVectors(t *testing.T) {
	dir := os.Getenv("HAYWARD_VECTORS")
	if dir == "" {
		dir = "../../../shared/vectors"
	}
	data, err := os.ReadFile(filepath.Join(dir, "pyyaml.json"))
	if err != nil {
		t.Skipf("part missing: pyyaml.json is not in %s; testdata/load.jsonl covers the same ground", dir)
	}
	var cases []loadCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		doc, err := Load([]byte(c.Y), "", Limits{})
		if c.Err != "" {
			checkRefused(t, c, doc, err)
			continue
		}
		if err != nil {
			t.Errorf("Load(%q): %v", c.Y, err)
			continue
		}
		if got, want := canonical(t, vectorForm(doc.Value())), canonical(t, c.V); got != want {
			t.Errorf("Load(%q)\n is %s\nnot %s", c.Y, got, want)
		}
	}
}

// Python's int() and float() strip any white space and read the digits of any script.
func TestNumbersOfOtherScripts(t *testing.T) {
	for src, want := range map[string]string{
		"!!int \"\u202812\"": "12", "!!int \"１２\"": "12", "!!int \"-\u202812\"": "-12", "!!int \"0x\u20281F\"": "31", "!!int \"0x１F\"": "31",
		"!!int \"0٣\"": "3", "!!int \"1:30:٤\"": "5404", "!!int \"0x-5\"": "-5", "!!float \"١.٥\"": "1.5", "!!float \"\u30002\"": "2.0",
	} {
		doc, err := Load([]byte(src), "n.yml", Limits{})
		if err != nil || value.Repr(doc.Value()) != want {
			t.Errorf("%q: %v", src, err)
		}
	}
}
