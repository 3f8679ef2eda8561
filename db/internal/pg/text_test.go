package pg

import (
	"cmp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAnyTextCanBeKept(t *testing.T) {
	texts := rapid.StringOf(rapid.RuneFrom([]rune("\x00\x01\x02a~é")))
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		ea, eb := escapeText(a), escapeText(b)
		if strings.ContainsRune(ea, 0) || unescapeText(ea) != a {
			t.Fatalf("%q is kept as %q and read as %q", a, ea, unescapeText(ea))
		}
		if cmp.Compare(a, b) != cmp.Compare(ea, eb) {
			t.Fatalf("%q and %q are in another order as %q and %q", a, b, ea, eb)
		}
	})
	if got := unescapeText("a\x01z\x01"); got != "a\x01z\x01" {
		t.Errorf("what another program wrote is read as %q", got)
	}
}
