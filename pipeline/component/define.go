package component

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unsafe"

	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Definition describes a component whose inputs and outputs are Go structs.
//
// Each exported field is a socket. Its name is the field's in snake case, or the first word of a `socket` tag; further
// words are "lazy" and "greedy" for variadic inputs. Types are string, int, float64, bool, value.Value (Any),
// *value.Dict, *document.Document, *document.ByteStream, *chat.Message, *document.GeneratedAnswer, slices of these, slices
// of such slices, and pointers to the four scalars.
//
// An input that is a pointer to a scalar is optional, with None as nil; any other becomes optional by a `default` tag, which
// holds a literal ("5", "true", "some text", or "None" for slices, dicts and Any). An output that is a nil pointer or a nil
// value.Value was not produced this time; a nil slice is an empty list.
type Definition[I, O any] struct {
	Name    string // the YAML type
	Aliases []string
	Doc     string // one sentence
	Params  []Param
	// Mutates declares that the function changes its inputs; it then gets copies.
	Mutates bool
	// New reads the init parameters and returns the function that runs. The function is called concurrently.
	New func(b *Builder) (func(ctx context.Context, env *Env, in I) (O, error), error)
}

// Define makes a component type of a typed definition. How fields are read and written is worked out here, once; a run uses
// no reflection. A struct that does not follow [Definition]'s rules is a programming error and panics.
func Define[I, O any](d Definition[I, O]) *Type {
	ins, readers := inputFields[I](d.Name)
	outs, writers := outputFields[O](d.Name)
	spec := &Spec{Inputs: ins, Outputs: outs, Mutates: d.Mutates}
	return &Type{Name: d.Name, Aliases: d.Aliases, Doc: d.Doc, Params: d.Params,
		New: func(b *Builder) (Component, *Spec, error) {
			run, err := d.New(b)
			if err != nil {
				return nil, nil, err
			}
			return &typed[I, O]{run: run, readers: readers, writers: writers, spec: spec}, spec, nil
		}}
}

type typed[I, O any] struct {
	run     func(context.Context, *Env, I) (O, error)
	readers []field
	writers []field
	spec    *Spec
}

// field is one struct field and how it is read or written.
type field struct {
	offset uintptr
	codec  codec
	greedy bool
}

// Run implements [Component].
func (t *typed[I, O]) Run(ctx context.Context, env *Env, slots In) (Out, error) {
	var in I
	base := unsafe.Pointer(&in)
	for i, f := range t.readers {
		v := slots[i]
		if list, ok := v.(*value.List); ok && f.greedy && len(list.Items) == 1 {
			v = list.Items[0]
		}
		if !f.codec.read(unsafe.Add(base, f.offset), v) {
			return Out{}, wrongInput(t.spec.Inputs[i], v)
		}
	}
	out, err := t.run(ctx, env, in)
	if err != nil {
		return Out{}, err
	}
	values := make([]value.Value, len(t.writers))
	base = unsafe.Pointer(&out)
	for i, f := range t.writers {
		values[i] = f.codec.write(unsafe.Add(base, f.offset))
	}
	return Out{Values: values}, nil
}

func inputFields[I any](name string) (ins []Input, fields []field) {
	walkFields[I](name, func(sf reflect.StructField, socket string, words []string) {
		c, variadic := codecOf(name, sf, words)
		f := field{offset: sf.Offset, codec: c, greedy: variadic == Greedy}
		in := Input{Name: socket, Type: pytype.MustParse(c.typ), Variadic: variadic}
		if variadic == Lazy {
			in.Type = pytype.MustParse(c.item)
		}
		if c.optional {
			in.Default = value.None
		}
		if text, ok := sf.Tag.Lookup("default"); ok {
			in.Default = parseDefault(name, sf, text)
			if in.Default == value.None && !c.optional && !in.Type.IsAny() {
				f.codec.read = noneIsZero(c.read)
				in.Type = pytype.MustParse(in.Type.String() + " | None")
			}
			probe := reflect.New(sf.Type)
			if !f.codec.read(probe.UnsafePointer(), in.Default) && variadic == Single {
				panic("component: " + name + ": the default of " + sf.Name + " does not fit its type")
			}
		}
		ins, fields = append(ins, in), append(fields, f)
	})
	return ins, fields
}

// noneIsZero leaves the zero value where None comes in.
func noneIsZero(read func(unsafe.Pointer, value.Value) bool) func(unsafe.Pointer, value.Value) bool {
	return func(p unsafe.Pointer, v value.Value) bool { return v == value.None || read(p, v) }
}

func outputFields[O any](name string) (outs []Output, fields []field) {
	walkFields[O](name, func(sf reflect.StructField, socket string, words []string) {
		c, variadic := codecOf(name, sf, words)
		if variadic != Single {
			panic("component: " + name + ": output " + sf.Name + " cannot be variadic")
		}
		typ := c.typ
		if c.optional { // an output that is produced has a value
			typ = c.item
		}
		outs, fields = append(outs, Output{Name: socket, Type: pytype.MustParse(typ)}), append(fields, field{offset: sf.Offset, codec: c})
	})
	return outs, fields
}

func walkFields[T any](name string, visit func(sf reflect.StructField, socket string, words []string)) {
	typ := reflect.TypeFor[T]()
	if typ.Kind() != reflect.Struct {
		panic(fmt.Sprintf("component: %s: %s is not a struct", name, typ))
	}
	for sf := range typ.Fields() {
		if !sf.IsExported() || sf.Anonymous {
			panic("component: " + name + ": field " + sf.Name + " must be exported and named")
		}
		words := strings.Split(sf.Tag.Get("socket"), ",")
		socket := words[0]
		if socket == "" {
			socket = snake(sf.Name)
		}
		visit(sf, socket, words[1:])
	}
}

func codecOf(name string, sf reflect.StructField, words []string) (codec, Variadic) {
	c, ok := codecs()[sf.Type]
	if !ok {
		panic(fmt.Sprintf("component: %s: field %s has type %s, which no socket can have", name, sf.Name, sf.Type))
	}
	variadic := Single
	for _, w := range words {
		switch w {
		case "lazy":
			variadic = Lazy
			if sf.Type.Kind() != reflect.Slice {
				panic("component: " + name + ": lazy field " + sf.Name + " must be a slice")
			}
		case "greedy":
			variadic = Greedy
		default:
			panic("component: " + name + ": field " + sf.Name + " has a socket tag with the unknown word " + w)
		}
	}
	return c, variadic
}

// snake writes a Go name as Python does: TopK is top_k, MetaURL is meta_url.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || (i+1 < len(runes) && unicode.IsLower(runes[i+1]))) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func parseDefault(name string, sf reflect.StructField, text string) value.Value {
	typ := sf.Type
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	var v value.Value
	var err error
	switch {
	case text == "None":
		return value.None
	case typ.Kind() == reflect.String:
		return value.Str(text)
	case typ.Kind() == reflect.Int:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		v = value.Int(n)
	case typ.Kind() == reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v = value.Float(f)
	case typ.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v = value.Bool(b)
	default:
		err = fmt.Errorf("only None can be the default of %s", sf.Type)
	}
	if err != nil {
		panic("component: " + name + ": default of " + sf.Name + ": " + err.Error())
	}
	return v
}
