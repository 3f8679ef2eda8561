package pipelinetest

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

const sample = "haystack.testing.sample_components."

type runFunc func(in component.In) ([]value.Value, error)

func (f runFunc) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	out, err := f(in)
	return component.Out{Values: out}, err
}

func input(name, typ string, def value.Value) component.Input {
	return component.Input{Name: name, Type: pytype.MustParse(typ), Default: def}
}

func output(name, typ string) component.Output {
	return component.Output{Name: name, Type: pytype.MustParse(typ)}
}

func spec(ins []component.Input, outs ...component.Output) *component.Spec {
	return &component.Spec{Inputs: ins, Outputs: outs}
}

// orOwn is "if x is None: x = self.x".
func orOwn(v value.Value, own int) value.Int {
	if n, ok := v.(value.Int); ok {
		return n
	}
	return value.Int(own)
}

// Types lists the sample components (haystack/testing/sample_components, 3.4.0). Accumulate keeps its sum in the instance,
// as the original does: it is for one pipeline and one run at a time.
func Types() []*component.Type {
	return []*component.Type{
		accumulate(), addFixedValue(), concatenate(), double(), fString(), greet(), hello(), parity(), remainder(), repeat(),
		stringJoiner(), stringListJoiner(), subtract(), sum(), textSplitter(), threshold(),
	}
}

// Registry is a table of the sample components alone.
func Registry() *component.Registry { return component.NewRegistry(Types(), nil) }

func accumulate() *component.Type {
	return &component.Type{Name: sample + "accumulate.Accumulate", Doc: "Adds up what flows through.",
		Params: []component.Param{component.Optional("function", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			if name := b.OptStr("function"); name != nil && *name != sample+"accumulate._default_function" {
				b.Fail("function", "component '%s': only the default function is known here", b.Name)
			}
			var mu sync.Mutex
			var state value.Int
			run := func(in component.In) ([]value.Value, error) {
				mu.Lock()
				defer mu.Unlock()
				state += in[0].(value.Int)
				return []value.Value{state}, nil
			}
			return runFunc(run), spec([]component.Input{input("value", "int", nil)}, output("value", "int")), nil
		}}
}

func addFixedValue() *component.Type {
	return &component.Type{Name: sample + "add_value.AddFixedValue", Doc: "Adds two values.",
		Params: []component.Param{component.Optional("add", value.Int(1))},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			own := b.Int("add")
			run := func(in component.In) ([]value.Value, error) {
				n, ok := in[0].(value.Int)
				if !ok {
					return nil, fault.New(fault.Failed, "unsupported operand type(s) for +: '%s' and 'int'", value.TypeName(in[0])).WithCode("TypeError")
				}
				return []value.Value{n + orOwn(in[1], own)}, nil
			}
			return runFunc(run), spec([]component.Input{input("value", "int", nil), input("add", "int | None", value.None)}, output("result", "int")), nil
		}}
}

func concatenate() *component.Type {
	return simple("concatenate.Concatenate", "Joins two texts or lists of texts.",
		spec([]component.Input{input("first", "list[str] | str", nil), input("second", "list[str] | str", nil)}, output("value", "list[str]")),
		func(in component.In) ([]value.Value, error) {
			out := &value.List{}
			for _, v := range in {
				if list, ok := v.(*value.List); ok {
					out.Items = append(out.Items, list.Items...)
					continue
				}
				out.Items = append(out.Items, v)
			}
			return []value.Value{out}, nil
		})
}

// simple is a type without init parameters.
func simple(path, doc string, s *component.Spec, run runFunc) *component.Type {
	return &component.Type{Name: sample + path, Doc: doc,
		New: func(*component.Builder) (component.Component, *component.Spec, error) { return run, s, nil }}
}

func double() *component.Type {
	return simple("double.Double", "Doubles a value; a text is repeated, as in Python.",
		spec([]component.Input{input("value", "int", nil)}, output("value", "int")),
		func(in component.In) ([]value.Value, error) {
			if s, ok := in[0].(value.Str); ok {
				return []value.Value{s + s}, nil
			}
			return []value.Value{2 * in[0].(value.Int)}, nil
		})
}

func fString() *component.Type {
	return &component.Type{Name: sample + "fstring.FString", Doc: "Fills {names} of a template.",
		Params: []component.Param{component.Required("template"), component.Optional("variables", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			own, names := b.Str("template"), b.Strs("variables")
			ins := []component.Input{input("template", "str | None", value.None)}
			for _, n := range names {
				ins = append(ins, input(n, "typing.Any", nil))
			}
			run := func(in component.In) ([]value.Value, error) {
				text := own
				if t, ok := in[0].(value.Str); ok && t != "" {
					text = string(t)
				}
				for i, n := range names {
					text = strings.ReplaceAll(text, "{"+n+"}", value.ToStr(in[i+1]))
				}
				return []value.Value{value.Str(text)}, nil
			}
			return runFunc(run), spec(ins, output("string", "str")), nil
		}}
}

func greet() *component.Type {
	return &component.Type{Name: sample + "greet.Greet", Doc: "Logs a greeting and passes the value on.",
		Params: []component.Param{component.Optional("message", value.Str("\nGreeting component says: Hi! The value is {value}\n")),
			component.Optional("log_level", value.Str("INFO"))},
		New: func(*component.Builder) (component.Component, *component.Spec, error) {
			run := func(in component.In) ([]value.Value, error) { return []value.Value{in[0]}, nil }
			return runFunc(run), spec([]component.Input{input("value", "int", nil), input("message", "str | None", value.None),
				input("log_level", "str | None", value.None)}, output("value", "int")), nil
		}}
}

func hello() *component.Type {
	return simple("hello.Hello", "Greets a word.", spec([]component.Input{input("word", "str", nil)}, output("output", "str")),
		func(in component.In) ([]value.Value, error) {
			return []value.Value{value.Str("Hello, " + value.ToStr(in[0]) + "!")}, nil
		})
}

func parity() *component.Type {
	return simple("parity.Parity", "Sends a value to even or to odd.",
		spec([]component.Input{input("value", "int", nil)}, output("even", "int"), output("odd", "int")),
		func(in component.In) ([]value.Value, error) {
			if in[0].(value.Int)%2 != 0 {
				return []value.Value{nil, in[0]}, nil
			}
			return []value.Value{in[0], nil}, nil
		})
}

func remainder() *component.Type {
	return &component.Type{Name: sample + "remainder.Remainder", Doc: "Sends a value to the output of its remainder.",
		Params: []component.Param{component.Optional("divisor", value.Int(3))},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			n := b.Int("divisor")
			if n < 1 {
				b.Fail("divisor", "Can't divide by zero")
				n = 1
			}
			var outs []component.Output
			for i := range n {
				outs = append(outs, output("remainder_is_"+strconv.Itoa(i), "int"))
			}
			run := func(in component.In) ([]value.Value, error) {
				out := make([]value.Value, n)
				v := int(in[0].(value.Int))
				out[((v%n)+n)%n] = in[0]
				return out, nil
			}
			return runFunc(run), spec([]component.Input{input("value", "int", nil)}, outs...), nil
		}}
}

func repeat() *component.Type {
	return &component.Type{Name: sample + "repeat.Repeat", Doc: "Sends a value to several outputs.",
		Params: []component.Param{component.Required("outputs")},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			var outs []component.Output
			for _, name := range b.Strs("outputs") {
				outs = append(outs, output(name, "int"))
			}
			run := func(in component.In) ([]value.Value, error) {
				out := make([]value.Value, len(outs))
				for i := range out {
					out[i] = in[0]
				}
				return out, nil
			}
			return runFunc(run), spec([]component.Input{input("value", "int", nil)}, outs...), nil
		}}
}

func variadic(name, typ string) component.Input {
	return component.Input{Name: name, Type: pytype.MustParse(typ), Variadic: component.Lazy}
}

func stringJoiner() *component.Type {
	return simple("joiner.StringJoiner", "Joins texts with blanks.", spec([]component.Input{variadic("input_str", "str")}, output("output", "str")),
		func(in component.In) ([]value.Value, error) {
			var parts []string
			for _, v := range in[0].(*value.List).Items {
				parts = append(parts, value.ToStr(v))
			}
			return []value.Value{value.Str(strings.Join(parts, " "))}, nil
		})
}

func stringListJoiner() *component.Type {
	return simple("joiner.StringListJoiner", "Joins lists of texts.",
		spec([]component.Input{variadic("inputs", "list[str]")}, output("output", "str")),
		func(in component.In) ([]value.Value, error) {
			out := &value.List{}
			for _, v := range in[0].(*value.List).Items {
				out.Items = append(out.Items, v.(*value.List).Items...)
			}
			return []value.Value{out}, nil
		})
}

func subtract() *component.Type {
	return simple("subtract.Subtract", "Takes the second value from the first.",
		spec([]component.Input{input("first_value", "int", nil), input("second_value", "int", nil)}, output("difference", "int")),
		func(in component.In) ([]value.Value, error) {
			return []value.Value{in[0].(value.Int) - in[1].(value.Int)}, nil
		})
}

func sum() *component.Type {
	return simple("sum.Sum", "Adds up what several components send.", spec([]component.Input{variadic("values", "int")}, output("total", "int")),
		func(in component.In) ([]value.Value, error) {
			var total value.Int
			for _, v := range in[0].(*value.List).Items {
				total += v.(value.Int)
			}
			return []value.Value{total}, nil
		})
}

func textSplitter() *component.Type {
	return simple("text_splitter.TextSplitter", "Splits a sentence into words.",
		spec([]component.Input{input("sentence", "str", nil)}, output("output", "list[str]")),
		func(in component.In) ([]value.Value, error) {
			out := &value.List{}
			for _, w := range strings.Fields(value.ToStr(in[0])) {
				out.Items = append(out.Items, value.Str(w))
			}
			return []value.Value{out}, nil
		})
}

func threshold() *component.Type {
	return &component.Type{Name: sample + "threshold.Threshold", Doc: "Sends a value to above or to below.",
		Params: []component.Param{component.Optional("threshold", value.Int(10))},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			own := b.Int("threshold")
			run := func(in component.In) ([]value.Value, error) {
				if in[0].(value.Int) < orOwn(in[1], own) {
					return []value.Value{nil, in[0]}, nil
				}
				return []value.Value{in[0], nil}, nil
			}
			return runFunc(run), spec([]component.Input{input("value", "int", nil), input("threshold", "int | None", value.None)},
				output("above", "int"), output("below", "int")), nil
		}}
}
