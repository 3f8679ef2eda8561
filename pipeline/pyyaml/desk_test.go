package pyyaml

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/pipeline/value"
)

// A desk that is left holds nothing of the document, be the document read, refused, short or long.
func TestDeskIsWiped(t *testing.T) {
	for name, src := range map[string]string{
		"empty": "", "read": "a: {b: [c, *x]}\n", "anchored": "a: &x [1, {k: v}]\nb: *x\n", "refused": "a: [b, {c: d}\n- e: 'f",
		"deep": strings.Repeat("[", 20) + strings.Repeat("]", 20), "long": strings.Repeat("- {a: b, c: [d, e]}\n", 300),
		"wide": "{" + strings.Repeat("k: v, ", 300) + "}",
	} {
		d := &desk{}
		r, err := newReader([]byte(src), "f")
		if err != nil {
			t.Fatal(err)
		}
		c := &composer{scanner: scanner{reader: r, indent: -1, keyOK: true}, limits: Limits{}.orDefault()}
		c.sit(d)
		if root, err := c.compose(); err == nil && root != nil {
			if _, err := (&constructor{}).construct(root); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		d.wipe(c.made)
		if !reflect.ValueOf(*d).IsZero() {
			t.Errorf("%s: the desk still holds something", name)
		}
	}
}

// Documents that are read at once, and one after another, do not see each other.
func TestDesksAreNotShared(t *testing.T) {
	var wait sync.WaitGroup
	for who := range 8 {
		wait.Go(func() {
			var kept []*Document
			for round := range 50 {
				doc, err := Load(fmt.Appendf(nil, "who: [w%d, {round: r%d}]\n", who, round), "f", Limits{})
				if err != nil {
					t.Error(err)
					return
				}
				kept = append(kept, doc)
				_, _ = Load([]byte("a: [b, {c: d}\n- e"), "f", Limits{}) // refused half way
			}
			for round, doc := range kept {
				want := fmt.Sprintf("{'who': ['w%d', {'round': 'r%d'}]}", who, round)
				if got := value.Repr(doc.Value()); got != want {
					t.Errorf("%s, not %s", got, want)
				}
			}
		})
	}
	wait.Wait()
}
