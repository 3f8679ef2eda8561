package sealed_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v4"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

const canary = "sk-canary-4f1d9c/+ \"7"

// byteBacked is the usual way to hide a secret, with every method a printer asks for. It is the control: the same tests
// find what it holds, so that a test that finds nothing in sealed.Value means something.
type byteBacked struct{ b []byte }

func (byteBacked) String() string                 { return sealed.Redacted }
func (byteBacked) GoString() string               { return sealed.Redacted }
func (byteBacked) Format(f fmt.State, _ rune)     { _, _ = io.WriteString(f, sealed.Redacted) }
func (byteBacked) LogValue() slog.Value           { return slog.StringValue(sealed.Redacted) }
func (byteBacked) MarshalJSON() ([]byte, error)   { return nil, sealed.ErrNotSerializable }
func (byteBacked) MarshalText() ([]byte, error)   { return nil, sealed.ErrNotSerializable }
func (byteBacked) MarshalBinary() ([]byte, error) { return nil, sealed.ErrNotSerializable }

// The ways to hold a value.
type (
	exported[T any]   struct{ Secret T }
	unexported[T any] struct{ secret T }
	viaPointer[T any] struct{ secret *T }
	viaAny[T any]     struct{ secret any }
	embedding[T any]  struct{ unexported[T] }
	inSlice[T any]    struct{ secrets []T }
	inArray[T any]    struct{ secrets [2]T }
	inMap[T any]      struct{ secrets map[string]T }
	inChannel[T any]  struct{ secrets chan T }
	inFunc[T any]     struct{ secret func() T }
	deep[T any]       struct{ Next deeper[T] }
	deeper[T any]     struct{ next map[string][]any }
	asError[T any]    struct{ secret T }
	byValueErr[T any] struct{ Secret T }
)

func (e *asError[T]) Error() string   { return fmt.Sprintf("cannot use %v", e.secret) }
func (e byValueErr[T]) Error() string { return fmt.Sprintf("cannot use %+v", e.Secret) }

func holders[T any](v T) map[string]any {
	ch := make(chan T, 1)
	ch <- v
	err := fmt.Errorf("outer: %w", &asError[T]{v})
	return map[string]any{
		"itself":              v,
		"pointer":             &v,
		"exported field":      exported[T]{v},
		"unexported field":    unexported[T]{v},
		"pointer to a holder": &unexported[T]{v},
		"pointer in a field":  viaPointer[T]{&v},
		"any in a field":      viaAny[T]{v},
		"pointer in any":      viaAny[T]{&v},
		"embedded":            embedding[T]{unexported[T]{v}},
		"slice":               []T{v},
		"slice of any":        []any{v, &v},
		"array":               [1]T{v},
		"slice in a field":    inSlice[T]{[]T{v}},
		"array in a field":    inArray[T]{[2]T{v, v}},
		"map value":           map[string]T{"k": v},
		"map in a field":      inMap[T]{map[string]T{"k": v}},
		"channel":             inChannel[T]{ch},
		"function":            inFunc[T]{func() T { return v }},
		"deep":                deep[T]{deeper[T]{map[string][]any{"k": {unexported[T]{v}}}}},
		"error":               &asError[T]{v},
		"error by value":      byValueErr[T]{v},
		"wrapped error":       err,
		"joined errors":       errors.Join(io.EOF, err, byValueErr[T]{v}),
		"fault":               fault.Wrap(fault.Internal, err, "cannot use %v", unexported[T]{v}),
		"context":             context.WithValue(context.Background(), exported[int]{}, unexported[T]{v}),
	}
}

// printers turn anything into text, each by another road out of a program.
func printers() map[string]func(any) string {
	out := map[string]func(any) string{
		"Sprint": func(v any) string { return fmt.Sprint(v) },
		"Errorf": func(v any) string { return fmt.Errorf("%w %v", io.EOF, v).Error() },
		"log":    func(v any) string { return toBuffer(func(w io.Writer) { log.New(w, "", 0).Print(v) }) },
		"slog text": func(v any) string {
			return toBuffer(func(w io.Writer) { logTo(slog.NewTextHandler(w, nil), v) })
		},
		"slog JSON": func(v any) string {
			return toBuffer(func(w io.Writer) { logTo(slog.NewJSONHandler(w, nil), v) })
		},
		"json": func(v any) string { b, err := json.Marshal(v); return string(b) + fmt.Sprint(err) },
		"xml":  func(v any) string { b, err := xml.Marshal(v); return string(b) + fmt.Sprint(err) },
		"yaml": func(v any) string { b, err := yaml.Marshal(v); return string(b) + fmt.Sprint(err) },
		"gob": func(v any) string {
			return toBuffer(func(w io.Writer) { fmt.Fprint(w, gob.NewEncoder(w).Encode(v)) })
		},
		"template": func(v any) string {
			return toBuffer(func(w io.Writer) {
				fmt.Fprint(w, template.Must(template.New("").Parse(`{{.}} {{printf "%#v" .}}`)).Execute(w, v))
			})
		},
		"sql parameter": func(v any) string {
			out, err := driver.DefaultParameterConverter.ConvertValue(v)
			return fmt.Sprintf("%+v %v", out, err)
		},
	}
	for verb := rune('!'); verb <= '~'; verb++ {
		for _, flags := range []string{"", "+", "#", "-", "0", " ", "+#", "# ", "8.3", "-40"} {
			format := "%" + flags + string(verb)
			out[format] = func(v any) string { return fmt.Sprintf(format, v) }
		}
	}
	return out
}

func toBuffer(write func(io.Writer)) string {
	var b bytes.Buffer
	write(&b)
	return b.String()
}

func logTo(h slog.Handler, v any) {
	l := slog.New(h).With("with", v).WithGroup("g")
	l.Info("message", "v", v, slog.Group("h", "v", v), "any", []any{v})
	l.Error(fmt.Sprint(v), slog.Any("err", v))
}

// spellings are the canary as a printer could write it.
func spellings() []string {
	raw := []byte(canary)
	quoted, _ := json.Marshal(canary)
	half := canary[:12] // precisions cut, quoting starts later
	return []string{canary, half, string(quoted), url.QueryEscape(canary), hex.EncodeToString(raw[:6]), strings.ToUpper(hex.EncodeToString(raw[:6])),
		fmt.Sprintf("% x", raw[:6]), fmt.Sprintf("%#v", raw)[7:40], fmt.Sprint(raw)[1:20], base64.StdEncoding.EncodeToString(raw[:9]),
		fmt.Sprintf("%o", raw)[1:20], fmt.Sprintf("%b", raw)[1:20], fmt.Sprintf("%U", []rune(half))[1:20]}
}

// leaks returns every "holder by printer" whose output shows the canary.
func leaks[T any](v T) (found []string, tried int) {
	show := spellings()
	for how, print := range printers() {
		for where, holder := range holders(v) {
			tried++
			out := printSafely(print, holder)
			for _, s := range show {
				if strings.Contains(out, s) {
					found = append(found, where+" by "+how)
					break
				}
			}
		}
	}
	return found, tried
}

// printSafely keeps what a printer shows when it panics: yaml does so on a failing marshaler.
func printSafely(print func(any) string, v any) (out string) {
	defer func() {
		if p := recover(); p != nil {
			out += fmt.Sprintf("panic: %v %+v %#v", p, p, p)
		}
	}()
	return print(v)
}

func TestNothingPrintsASealedValue(t *testing.T) {
	dest := sealed.MustDestination("api.openai.com")
	for name, v := range map[string]sealed.Value{
		"from bytes": sealed.New([]byte(canary)), "from a string": sealed.NewString(canary), "with a destination": sealed.NewString(canary).For(dest),
	} {
		t.Run(name, func(t *testing.T) {
			found, tried := leaks(v)
			if len(found) > 0 {
				t.Errorf("%d of %d show the value, for example %s", len(found), tried, found[0])
			}
			if tried < 10_000 {
				t.Errorf("only %d ways were tried", tried)
			}
		})
	}
}

// TestTheSameTestsFindAByteBackedValue is the control.
func TestTheSameTestsFindAByteBackedValue(t *testing.T) {
	found, _ := leaks(byteBacked{[]byte(canary)})
	all := strings.Join(found, "\n")
	for _, want := range []string{"unexported field by %v", "unexported field by %s", "unexported field by %x", "embedded by %+v",
		"slice in a field by %d", "map in a field by %q", "array in a field by %#v", "deep by %o", "any in a field by %v",
		"unexported field by slog text", "unexported field by log", "fault by json"} {
		if !strings.Contains(all, want) {
			t.Errorf("the control does not leak: %s", want)
		}
	}
	plain, _ := leaks(canary)
	all = strings.Join(plain, "\n")
	for _, want := range []string{"itself by %v", "exported field by json", "exported field by xml", "exported field by gob", "exported field by yaml",
		"map value by slog JSON", "joined errors by %v", "itself by template", "itself by sql parameter"} {
		if !strings.Contains(all, want) {
			t.Errorf("a plain string does not leak: %s", want)
		}
	}
}

func TestEncodersFail(t *testing.T) {
	v := exported[sealed.Value]{sealed.NewString(canary)}
	if _, err := json.Marshal(v); !errors.Is(err, sealed.ErrNotSerializable) {
		t.Errorf("json: %v", err)
	}
	if _, err := xml.Marshal(v); !errors.Is(err, sealed.ErrNotSerializable) {
		t.Errorf("xml: %v", err)
	}
	if err := gob.NewEncoder(io.Discard).Encode(v); !errors.Is(err, sealed.ErrNotSerializable) {
		t.Errorf("gob: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"Secret":"text"}`), &v); err == nil {
		t.Error("a sealed value was read from JSON")
	}
}
