package pyyaml

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// unplain builds the value that a dump case describes; refs are the containers met so far.
type unplain struct{ refs []value.Value }

func (u *unplain) value(t *testing.T, x any) value.Value {
	t.Helper()
	switch x := x.(type) {
	case nil:
		return value.None
	case bool:
		return value.Bool(x)
	case string:
		return value.Str(x)
	case []any:
		l := value.NewList()
		u.refs = append(u.refs, l)
		l.Items = u.items(t, x)
		return l
	case map[string]any:
		for name, inside := range x {
			return u.named(t, name, inside)
		}
	}
	t.Fatalf("unknown form %v", x)
	return nil
}

func (u *unplain) items(t *testing.T, items []any) []value.Value {
	t.Helper()
	out := make([]value.Value, 0, len(items))
	for _, item := range items {
		out = append(out, u.value(t, item))
	}
	return out
}

func (u *unplain) named(t *testing.T, name string, x any) value.Value {
	t.Helper()
	switch name {
	case "ref":
		return u.refs[int(x.(float64))]
	case "i":
		n, _ := new(big.Int).SetString(x.(string), 10)
		if n.IsInt64() {
			return value.Int(n.Int64())
		}
		return &value.BigInt{N: n}
	case "f":
		f, err := strconv.ParseFloat(x.(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		return value.Float(f)
	case "bytes":
		b, err := hex.DecodeString(x.(string))
		if err != nil {
			t.Fatal(err)
		}
		return value.Bytes(b)
	case "date":
		return u.date(t, x.(string))
	case "tuple":
		if len(x.([]any)) == 0 {
			return value.Tuple{}
		}
		at := len(u.refs)
		u.refs = append(u.refs, nil)
		u.refs[at] = value.Tuple(u.items(t, x.([]any)))
		return u.refs[at]
	case "set":
		s := &value.Set{}
		u.refs = append(u.refs, s)
		for _, item := range u.items(t, x.([]any)) {
			s.Add(item)
		}
		return s
	}
	d := &value.Dict{}
	u.refs = append(u.refs, d)
	for _, p := range x.([]any) {
		k := u.value(t, p.([]any)[0])
		d.SetKey(k, u.value(t, p.([]any)[1]))
	}
	return d
}

func (u *unplain) date(t *testing.T, s string) value.Value {
	t.Helper()
	u.refs = append(u.refs, nil) // dates have an identity in Python
	if d, err := time.Parse("2006-01-02", s); err == nil {
		return value.Date{Year: d.Year(), Month: int(d.Month()), Day: d.Day()}
	}
	if d, err := time.Parse("2006-01-02T15:04:05.999999", s); err == nil {
		return value.DateTime{Time: d}
	}
	d, err := time.Parse("2006-01-02T15:04:05.999999-07:00", s)
	if err != nil {
		t.Fatal(err)
	}
	return value.DateTime{Time: d, Aware: true}
}

// TestDumpAsPyYAML compares with what conformance/oracle/yaml_cases.py had PyYAML 6.0.3 write.
func TestDumpAsPyYAML(t *testing.T) {
	cases := readLines[struct {
		V any    `json:"v"`
		Y string `json:"y"`
	}](t, "dump.jsonl")
	if len(cases) < 200 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		u := &unplain{}
		got, err := Dump(u.value(t, c.V))
		if err != nil || got != c.Y {
			t.Errorf("Dump(%s): %v\n is %q\nnot %q", canonical(t, c.V), err, got, c.Y)
		}
	}
}

type object struct{ value.Object }

func (object) Kind() value.Kind { return value.KindObject }
func (object) Class() string    { return "haystack.dataclasses.document.Document" }

func TestDumpRefuses(t *testing.T) {
	if _, err := Dump(value.NewList(object{})); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Document") {
		t.Errorf("an object: %v", err)
	}
	deep := value.NewList()
	for range maxDumpDepth + 1 {
		deep = value.NewList(deep)
	}
	if _, err := Dump(deep); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too deep: %v", err)
	}
}

func TestDumpOfItself(t *testing.T) {
	l := value.NewList()
	l.Items = append(l.Items, l)
	if got, err := Dump(l); err != nil || got != "&id001\n- *id001\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func ExampleDump() {
	text, _ := Dump(value.NewDict("when", value.Str("12:30"), "tags", value.NewList(value.Str("yes"), value.Tuple{value.Int(1)})))
	fmt.Print(text)
	// Output:
	// tags:
	// - 'yes'
	// - !!python/tuple
	//   - 1
	// when: '12:30'
}
