package sse

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/haywardhq/hayward/fault"
)

func readAll(t *testing.T, r *Reader) (out []string, err error) {
	t.Helper()
	for {
		ev, err := r.Next()
		if err != nil {
			return out, err
		}
		out = append(out, ev.Name+"|"+string(ev.Data))
	}
}

func TestEvents(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want string
	}{
		"one":                  {"data: a\n\n", "|a"},
		"no space after colon": {"data:a\n\n", "|a"},
		"several lines":        {"data: a\ndata: b\n\n", "|a\nb"},
		"CRLF and CR":          {"data: a\r\n\r\ndata: b\r\r", "|a,|b"},
		"comments are skipped": {": keep-alive\n\ndata: a\n\n", "|a"},
		"names":                {"event: x\ndata: a\n\ndata: b\n\n", "x|a,|b"},
		"a name without data":  {"event: x\n\ndata: b\n\n", "|b"},
		"byte order mark":      {"\ufeffdata: a\n\n", "|a"},
		"unfinished":           {"data: a\n\ndata: b\n", "|a"},
		"empty data":           {"data\n\n", "|"},
		"unknown fields":       {"id: 1\nretry: 5\ndata: a\n\n", "|a"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				got, err := readAll(t, NewReader(r, Limits{}))
				if !errors.Is(err, io.EOF) || strings.Join(got, ",") != c.want {
					t.Errorf("got %q, %v; want %q", got, err, c.want)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for name, in := range map[string]string{
		"line":  "data: " + strings.Repeat("x", 100) + "\n\n",
		"event": strings.Repeat("data: xxxxxxxx\n", 20) + "\n",
		"total": strings.Repeat(": c\n", 200),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(t, NewReader(strings.NewReader(in), Limits{Event: 64, Total: 500}))
			if !fault.Is(err, fault.TooLarge) {
				t.Errorf("got %v, want TooLarge", err)
			}
		})
	}
}

func TestSourceErrorsComeThrough(t *testing.T) {
	boom := errors.New("boom")
	_, err := readAll(t, NewReader(io.MultiReader(strings.NewReader("data: a\n"), iotest.ErrReader(boom)), Limits{}))
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

// FuzzReader holds that any bytes end in an error without a panic, and that no event is beyond the limit.
func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\nevent: x\ndata: b\ndata: c\n\n"))
	f.Add([]byte("\xef\xbb\xbf:\n\ndata"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(strings.NewReader(string(in)), Limits{Event: 64, Total: 4096})
		for {
			ev, err := r.Next()
			if err != nil {
				return
			}
			if len(ev.Data) > 64 {
				t.Fatalf("an event of %d bytes", len(ev.Data))
			}
		}
	})
}
