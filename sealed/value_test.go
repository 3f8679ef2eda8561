package sealed_test

import (
	"testing"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

func TestASealedValueKeepsItsOwnCopy(t *testing.T) {
	b := []byte("secret")
	v := sealed.New(b)
	clear(b)
	first := reveal.Inside(v)
	if string(first) != "secret" {
		t.Fatalf("got %q", first)
	}
	clear(first)
	if got := reveal.Inside(v); string(got) != "secret" {
		t.Fatalf("a reader changed the value: %q", got)
	}
}

func TestZero(t *testing.T) {
	if !(sealed.Value{}).IsZero() || sealed.NewString("").IsZero() || sealed.New(nil).IsZero() {
		t.Error("only a value that holds nothing is zero")
	}
	if got := reveal.Inside(sealed.Value{}); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestDestinationsOfAValue(t *testing.T) {
	a, b := sealed.MustDestination("a.example"), sealed.MustDestination("b.example")
	v := sealed.NewString("x")
	if _, decided := v.Destinations(); decided || v.Allows(a) {
		t.Error("nobody has decided where a new value may go")
	}
	nowhere := v.For()
	if dests, decided := nowhere.Destinations(); !decided || len(dests) != 0 || nowhere.Allows(a) {
		t.Error("For() means nowhere")
	}
	list := []sealed.Destination{a}
	only := v.For(list...)
	list[0] = b
	if got, _ := only.Destinations(); !only.Allows(a) || only.Allows(b) || len(got) != 1 {
		t.Errorf("got %v", got)
	}
	got, _ := only.Destinations()
	got[0] = b
	if only.Allows(b) {
		t.Error("a reader changed the destinations")
	}
	if moved := only.For(b); moved.Allows(a) || !moved.Allows(b) || only.Allows(b) {
		t.Error("For replaces, in a copy")
	}
}

func BenchmarkAllows(b *testing.B) {
	d := sealed.MustDestination("a.example")
	v := sealed.NewString("x").For(sealed.MustDestination("b.example"), d)
	b.ReportAllocs()
	for b.Loop() {
		if !v.Allows(d) {
			b.Fatal("no")
		}
	}
}
