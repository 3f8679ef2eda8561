package fault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
)

func TestEveryKindHasItsOwnName(t *testing.T) {
	seen := map[string]fault.Kind{}
	for _, k := range fault.Kinds() {
		if other, twice := seen[k.String()]; twice || k.String() == "" {
			t.Errorf("%d and %d are both called %q", k, other, k)
		}
		seen[k.String()] = k
	}
	if len(seen) != int(fault.Failed)+1 {
		t.Errorf("%d kinds listed, the last one is number %d", len(seen), fault.Failed)
	}
	if got := fault.Kind(200).String(); got != "kind(200)" {
		t.Errorf("an unknown kind prints as %q", got)
	}
}

func TestKindOf(t *testing.T) {
	denied := fault.New(fault.Denied, "no")
	for _, tc := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"nil", nil, fault.Internal},
		{"a stranger", io.EOF, fault.Internal},
		{"a fault", denied, fault.Denied},
		{"wrapped by fmt", fmt.Errorf("while asking: %w", denied), fault.Denied},
		{"joined", errors.Join(io.EOF, denied), fault.Denied},
		{"the outermost fault wins", fault.Wrap(fault.Timeout, denied, "slow"), fault.Timeout},
		{"New with a fault inside", fault.New(fault.Invalid, "bad: %w", denied), fault.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := fault.KindOf(tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if got := fault.Is(tc.err, tc.want); got != (tc.err != nil) {
				t.Errorf("Is reports %v", got)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	place := fault.Where{Position: fault.Position{File: "rag.yml", Line: 3, Column: 7}}
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"a sentence", fault.New(fault.Invalid, "%q is not a port", "x"), `"x" is not a port`},
		{"with a place", fault.New(fault.Invalid, "bad").At(place), "rag.yml:3:7: bad"},
		{"a cause comes last", fault.Wrap(fault.Internal, io.EOF, "cannot read"), "cannot read: EOF"},
		{"%w is part of the sentence, once", fault.New(fault.Invalid, "cannot read: %w", io.EOF), "cannot read: EOF"},
		{"the hint is for doors to show", fault.New(fault.Invalid, "bad").WithHint("do %s", "this"), "bad"},
		{"a place without a line", fault.New(fault.Invalid, "bad").At(fault.Where{Position: fault.Position{File: "f"}}), "f: bad"},
		{"a column needs a line", fault.New(fault.Invalid, "bad").At(fault.Where{Position: fault.Position{Column: 4}}), "bad"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCausesStayReachable(t *testing.T) {
	for _, err := range []error{
		fault.Wrap(fault.Internal, io.EOF, "x"),
		fault.New(fault.Internal, "x: %w", io.EOF),
		fault.New(fault.Internal, "%w and %w", context.Canceled, io.EOF),
	} {
		if !errors.Is(err, io.EOF) {
			t.Errorf("%v lost its cause", err)
		}
	}
}

func TestWithReturnsACopy(t *testing.T) {
	base := fault.New(fault.Invalid, "bad")
	if base.WithHint("h"); base.Hint != "" {
		t.Error("WithHint changed a shared error")
	}
	if base.WithCode("c"); base.Code != "" {
		t.Error("WithCode changed a shared error")
	}
	if base.At(fault.Where{Field: "f"}); base.Where.Field != "" {
		t.Error("At changed a shared error")
	}
}

func TestFrom(t *testing.T) {
	if fault.From(nil) != nil {
		t.Error("nil is no error")
	}
	f := fault.New(fault.Denied, "no")
	if got := fault.From(fmt.Errorf("x: %w", f)); got != f {
		t.Errorf("got %v", got)
	}
	got := fault.From(io.EOF)
	if got.Kind != fault.Internal || got.Message != "Internal error." || !errors.Is(got, io.EOF) {
		t.Errorf("a stranger became %+v", got)
	}
}

func TestALogLineHasKindCodeAndText(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Error("x", "err", fault.New(fault.Limited, "slow down").WithCode("RateLimit"))
	var line struct {
		Err struct{ Kind, Code, Message string }
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Err.Kind != "limited" || line.Err.Code != "RateLimit" || !strings.Contains(line.Err.Message, "slow down") {
		t.Errorf("got %s", out.String())
	}
}
