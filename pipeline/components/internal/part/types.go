package part

import (
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The types of sockets, as the signatures of Haystack's run methods have them.
var (
	Any         = pytype.MustParse("typing.Any")
	Str         = pytype.MustParse("str")
	Int         = pytype.MustParse("int")
	Strs        = pytype.MustParse("list[str]")
	Floats      = pytype.MustParse("list[float]")
	OptStr      = pytype.MustParse("str | None")
	OptInt      = pytype.MustParse("int | None")
	OptFloat    = pytype.MustParse("float | None")
	OptBool     = pytype.MustParse("bool | None")
	OptDict     = pytype.MustParse("dict[str, typing.Any] | None")
	OptDicts    = pytype.MustParse("list[dict[str, typing.Any]] | None")
	AnyList     = pytype.MustParse("list[typing.Any]")
	Documents   = pytype.MustParse("list[haystack.dataclasses.document.Document]")
	OptDocs     = pytype.MustParse("list[haystack.dataclasses.document.Document] | None")
	Messages    = pytype.MustParse("list[haystack.dataclasses.chat_message.ChatMessage]")
	Sources     = pytype.MustParse("list[str | pathlib.Path | haystack.dataclasses.byte_stream.ByteStream]")
	SourcesMeta = pytype.MustParse("dict[str, typing.Any] | list[dict[str, typing.Any]] | None")
)

// In is a mandatory input.
func In(name string, t *pytype.Type) component.Input { return component.Input{Name: name, Type: t} }

// Opt is an input that is None when nobody sends anything.
func Opt(name string, t *pytype.Type) component.Input {
	return component.Input{Name: name, Type: t, Default: value.None}
}

// LazyIn is a mandatory input that waits for all its senders.
func LazyIn(name string, t *pytype.Type) component.Input {
	return component.Input{Name: name, Type: t, Variadic: component.Lazy}
}

// Spec puts sockets together.
func Spec(in []component.Input, out ...component.Output) *component.Spec {
	return &component.Spec{Inputs: in, Outputs: out}
}

// Out is an output.
func Out(name string, t *pytype.Type) component.Output { return component.Output{Name: name, Type: t} }
