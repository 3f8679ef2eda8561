package canon_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/vault/internal/canon"
)

func TestDifferentFieldsNeverGiveTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("a:\x00"))), 1, 4).Draw(t, "a")
		b := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("a:\x00"))), 1, 4).Draw(t, "b")
		if string(encode(a)) == string(encode(b)) && !equal(a, b) {
			t.Fatalf("%q and %q collide", a, b)
		}
	})
}

func TestFieldsComeBack(t *testing.T) {
	b := canon.Int(canon.Text(canon.Text(nil, "a"), []byte{}), -7)
	r := canon.NewReader(b)
	if x, y, n := r.Text(), r.Text(), r.Int(); x != "a" || y != "" || n != -7 || r.Done() != nil {
		t.Fatalf("%q %q %d %v", x, y, n, r.Done())
	}
	for cut := range b {
		r := canon.NewReader(b[:cut])
		r.Text()
		r.Text()
		r.Int()
		if r.Done() == nil {
			t.Fatalf("%d of %d bytes were accepted", cut, len(b))
		}
	}
	r = canon.NewReader(append(b, 0))
	r.Text()
	r.Text()
	r.Int()
	if r.Done() == nil {
		t.Fatal("a byte too many was accepted")
	}
}

func encode(fields []string) (out []byte) {
	for _, f := range fields {
		out = canon.Text(out, f)
	}
	return out
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
