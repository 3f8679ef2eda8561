package cow_test

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/auth/internal/cow"
)

type key struct{ app, id string }

func TestItBehavesAsAPlainMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, plain := cow.New[key, int](), map[key]int{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k := key{"app", fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "key"))}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				v := rapid.Int().Draw(t, "value")
				m.Set(k, v)
				plain[k] = v
			case 2:
				m.Delete(k)
				delete(plain, k)
			case 3:
				m.Replace(plain)
			}
			got, ok := m.Get(k)
			if want, have := plain[k]; got != want || ok != have {
				t.Fatalf("%v: got %v %v, want %v %v", k, got, ok, want, have)
			}
			if m.Len() != len(plain) {
				t.Fatalf("%d entries, want %d", m.Len(), len(plain))
			}
		}
		m.DeleteFunc(func(_ key, v int) bool { return v%2 == 0 })
		for k, v := range plain {
			if _, ok := m.Get(k); ok != (v%2 != 0) {
				t.Fatalf("%v: kept %v", v, ok)
			}
		}
	})
}

func TestReadersAndWritersAtOnce(t *testing.T) {
	m := cow.New[string, int]()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				m.Set(fmt.Sprint(w, "-", i), i)
				if v, ok := m.Get(fmt.Sprint(w, "-", i)); !ok || v != i {
					t.Errorf("a writer does not see its own write")
				}
			}
		})
	}
	wg.Wait()
	if m.Len() != 800 {
		t.Errorf("%d entries, want 800", m.Len())
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	m := cow.New[key, int]()
	k := key{"app", "usr_1"}
	m.Set(k, 1)
	if n := testing.AllocsPerRun(100, func() { m.Get(k) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
