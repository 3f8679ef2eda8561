package redact_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/sealed"
)

const canary = "sk-canary-0001"

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.StringValue("from a valuer: " + canary) }

// Whatever a component logs, in whatever shape and through whatever logger made of the run's, the value is not in it.
func TestALogLineHoldsNoValue(t *testing.T) {
	for name, log := range map[string]func(*slog.Logger){
		"message":     func(l *slog.Logger) { l.Info("key " + canary) },
		"attribute":   func(l *slog.Logger) { l.Info("x", "key", canary) },
		"key":         func(l *slog.Logger) { l.Info("x", canary, 1) },
		"base64":      func(l *slog.Logger) { l.Info("x", "key", base64.StdEncoding.EncodeToString([]byte("..."+canary))) },
		"group":       func(l *slog.Logger) { l.Info("x", slog.Group("g", slog.Group("h", "key", canary))) },
		"error":       func(l *slog.Logger) { l.Info("x", "error", fmt.Errorf("outer: %w", errors.New(canary))) },
		"fault":       func(l *slog.Logger) { l.Info("x", "error", fault.New(fault.Failed, "it says %s", canary)) },
		"struct":      func(l *slog.Logger) { l.Info("x", "v", struct{ A []string }{[]string{canary}}) },
		"bytes":       func(l *slog.Logger) { l.Info("x", "v", []byte(canary)) },
		"valuer":      func(l *slog.Logger) { l.Info("x", "v", valuer{}) },
		"with":        func(l *slog.Logger) { l.With("key", canary).Info("x") },
		"with group":  func(l *slog.Logger) { l.WithGroup("g").With("key", canary).WithGroup("h").Info("x", "a", canary) },
		"with before": func(l *slog.Logger) { l.With("key", valuer{}).With().WithGroup("").Warn("x") },
	} {
		for _, json := range []bool{true, false} {
			var out bytes.Buffer
			var next slog.Handler = slog.NewTextHandler(&out, nil)
			if json {
				next = slog.NewJSONHandler(&out, nil)
			}
			first, second := &redact.Set{}, &redact.Set{}
			l := slog.New(redact.Handler(next, first, second))
			log(l)
			if plain := out.String(); !strings.Contains(plain, "canary") && !strings.Contains(plain, "Y2FuYXJ5") && !strings.Contains(plain, "c2stY2FuYXJ5") {
				t.Fatalf("%s: without a set the value is not there either, so this shows nothing: %s", name, plain)
			}
			out.Reset()
			second.Add(sealed.NewString(canary)) // also for loggers that were made before
			log(l)
			if text := out.String(); !strings.Contains(text, redact.Mark) || strings.Contains(text, "canary") || strings.Contains(text, "c2stY2FuYXJ5") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

// What holds no value comes out as it went in.
func TestAnOrdinaryLineStays(t *testing.T) {
	log := func(h slog.Handler) {
		l := slog.New(h).With("a", 1).WithGroup("g").With("b", 2.5)
		l.Warn("said", "c", true, "err", errors.New("x"), slog.Group("h", "d", "e"))
		l.Debug("not said")
	}
	drop := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}}
	var plain, cleaned bytes.Buffer
	set := &redact.Set{}
	set.Add(sealed.NewString(canary))
	log(slog.NewJSONHandler(&plain, drop))
	log(redact.Handler(slog.NewJSONHandler(&cleaned, drop), set))
	if plain.String() != cleaned.String() {
		t.Errorf("%s became %s", plain.String(), cleaned.String())
	}
}

// A value is found in every spelling that a provider may give it back in.
func TestSpellings(t *testing.T) {
	const v = `a<"b&c/d é+e=f"`
	set := &redact.Set{}
	set.Add(sealed.NewString(v))
	for name, text := range map[string]string{
		"plain": v, "Go's JSON": `a\u003c\"b\u0026c/d é+e=f\"`, "Python's JSON": `a<\"b&c/d \u00e9+e=f\"`, "JSON in UTF-8": `a<\"b&c/d é+e=f\"`,
		"a query": "a%3C%22b%26c%2Fd+%C3%A9%2Be%3Df%22", "a query in lower case": "a%3c%22b%26c%2fd+%c3%a9%2be%3df%22",
	} {
		if got := set.String("it is " + text + "!"); got != "it is "+redact.Mark+"!" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestSize(t *testing.T) {
	if n := redact.Size(sealed.NewString("1234567")); n != 7 {
		t.Errorf("got %d", n)
	}
	if n := redact.Size(sealed.Value{}); n != 0 {
		t.Errorf("the zero value has %d bytes", n)
	}
}
