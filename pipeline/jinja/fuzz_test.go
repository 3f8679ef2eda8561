package jinja_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

func seeds(f *testing.F) {
	g, _ := readGolden(f, "testdata/cases.json")
	for i := range g.Cases {
		f.Add(g.Cases[i].Tpl)
	}
	for _, h := range hostile {
		f.Add(h.tpl)
	}
}

// Every source either compiles or is refused with a fault that says why; nothing panics.
func FuzzCompile(f *testing.F) {
	seeds(f)
	env := jinja.New(jinja.Options{Tags: []jinja.Tag{jinja.NowTag()}})
	f.Fuzz(func(t *testing.T, src string) {
		tpl, err := env.Compile(src, "fuzz")
		if err != nil {
			if k := fault.KindOf(err); k == fault.Internal {
				t.Fatalf("%q: %v", src, err)
			}
			return
		}
		tpl.Undeclared()
	})
}

// Every template ends within its limits, with text or with a fault, and leaves its input as it was.
func FuzzRender(f *testing.F) {
	seeds(f)
	_, contexts := readGolden(f, "testdata/cases.json")
	vars := contexts["main"]
	before := value.Repr(vars)
	limits := jinja.Limits{Steps: 200_000, Memory: 4 << 20, Output: 1 << 20}
	env := jinja.New(jinja.Options{Limits: limits, Tags: []jinja.Tag{jinja.NowTag()}})
	f.Fuzz(func(t *testing.T, src string) {
		tpl, err := env.Compile(src, "")
		if err != nil {
			return
		}
		start := time.Now()
		_, err = tpl.Render(context.Background(), vars)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%q took %s", src, took)
		}
		if err != nil && fault.KindOf(err) == fault.Internal {
			t.Fatalf("%q: %v", src, err)
		}
		if after := value.Repr(vars); after != before {
			t.Fatalf("%q changed its input to %s", src, after)
		}
	})
}

// TestRandom runs templates that conformance/oracle/jinja_fuzz.py made at random.
func TestRandom(t *testing.T) { runRandom(t, "testdata/random.json") }

// TestCalls runs the table of calls with odd arguments that conformance/oracle/jinja_calls.py made.
func TestCalls(t *testing.T) { runRandom(t, "testdata/calls.json.gz") }

// TestDifferential runs a file of further random templates: HAYWARD_JINJA_CASES names it.
func TestDifferential(t *testing.T) {
	file := os.Getenv("HAYWARD_JINJA_CASES")
	if file == "" {
		t.Skip("part missing: no further random cases (HAYWARD_JINJA_CASES; conformance/oracle/jinja_fuzz.py makes them)")
	}
	runRandom(t, file)
}

func runRandom(t *testing.T, file string) {
	g, contexts := readGolden(t, file)
	if len(g.Cases) == 0 {
		t.Fatal("no cases")
	}
	for i := range g.Cases {
		c := &g.Cases[i]
		if c.Ctx == "" {
			c.Ctx = "main"
		}
		if !ours(c) {
			checkGolden(t, c, contexts[c.Ctx])
		}
	}
	t.Logf("%d cases", len(g.Cases))
}

// Of an error or an output of Python's, what holds something of Python itself: complex numbers, functions that Jinja makes
// for its own compiler, and numbers that cannot be printed, which are refused here when they are made. With its constant
// folding off, Jinja also writes a float literal beyond the range as the name inf, which does not exist.
var (
	complexNumber = regexp.MustCompile(`\([-+0-9.e]+[-+][0-9.e]+j\)|'complex'|\bcomplex\(\)|complex number`)
	pythonsOwn    = regexp.MustCompile(`<template>|<locals>|^Exceeds the limit \(4300 digits\)|^name 'inf' is not defined$`)
)

// A filter or call block that gives no text is an error that counts the pieces before it; here it is always piece 0.
var (
	laterPiece = regexp.MustCompile(`^sequence item [1-9]\d*: expected str instance`)
	pieceBlock = regexp.MustCompile(`%[-+]?\s*(filter|call)\b`)
)

// ours are cases whose difference is meant: what pythonsOwn says, Python's own limits, the classes that dict[...].mro()
// lists, and lipsum, which is refused.
func ours(c *goldenCase) bool {
	switch {
	case strings.Contains(c.Tpl, ".mro"):
		return true
	case c.Err == nil:
		return c.Out != nil && complexNumber.MatchString(*c.Out)
	case c.Err.Class == "RecursionError", c.Err.Class == "MemoryError", strings.Contains(c.Tpl, "lipsum"):
		return true
	case laterPiece.MatchString(c.Err.Message):
		return pieceBlock.MatchString(c.Tpl)
	}
	return pythonsOwn.MatchString(c.Err.Message) || complexNumber.MatchString(c.Err.Message)
}
