package report

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
)

func TestEachThingIsSaidOnceAMinute(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, 0)
	l := New(slog.New(slog.NewTextHandler(&b, nil)))
	l.now = func() time.Time { return now }
	say := func(key, code string) int {
		b.Reset()
		l.Error(t.Context(), "the default is used", "a", key, fault.New(fault.Invalid, "no").WithCode(code))
		return strings.Count(b.String(), "\n")
	}
	for i, step := range []struct {
		key, code string
		after     time.Duration
		want      int
	}{{"k", "c", 0, 1}, {"k", "c", 0, 0}, {"l", "c", 0, 1}, {"k", "d", 0, 1}, {"k", "c", pause - 1, 0}, {"k", "c", 1, 1}} {
		now = now.Add(step.after)
		if got := say(step.key, step.code); got != step.want {
			t.Errorf("step %d: %d lines", i, got)
		}
	}
	for i := range 10 * most {
		say(strconv.Itoa(i), "")
	}
	if len(l.said) > most {
		t.Errorf("%d things are remembered", len(l.said))
	}
}
