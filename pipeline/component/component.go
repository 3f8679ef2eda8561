package component

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Component is one compiled node of a pipeline. Run is called concurrently, and must not keep anything.
type Component interface {
	// Run computes the outputs. in has one slot per Spec.Inputs; optional inputs that nobody sent hold their default.
	// Inputs are shared with other components: they must not be changed (see [Spec].Mutates).
	Run(ctx context.Context, env *Env, in In) (Out, error)
}

// In holds one value per input socket, in the order of Spec.Inputs. A variadic socket's value is a *value.List.
type In []value.Value

// Out is what a run produced.
type Out struct {
	// Values has one slot per Spec.Outputs; nil means that the socket produced nothing this time.
	Values []value.Value
	// Extra holds outputs the Spec does not declare; they appear in the pipeline's result with a warning, as in Haystack.
	Extra *value.Dict
}

// Outputs returns an Out of the given slots.
func Outputs(values ...value.Value) Out { return Out{Values: values} }

// Variadic says how a socket takes several senders.
type Variadic uint8

// The ways.
const (
	Single Variadic = iota // one sender (list sockets become lazily variadic when a second one is connected)
	Lazy                   // waits for all senders; gets a list of what they sent
	Greedy                 // runs as soon as one sender has sent; gets a list of one
)

// Input is an input socket.
type Input struct {
	Name     string
	Type     *pytype.Type // of one sender's value, also for variadic sockets
	Default  value.Value  // nil makes the input mandatory
	Variadic Variadic
}

// Output is an output socket.
type Output struct {
	Name string
	Type *pytype.Type
}

// Spec is the sockets of one instance.
type Spec struct {
	Inputs  []Input
	Outputs []Output
	// Mutates declares that Run changes its input values: it then gets its own deep copy.
	Mutates bool
}

// Child is a component that another one holds, such as an Agent's chat generator.
type Child struct {
	Component Component
	Spec      *Spec
	Type      string
	Params    *value.Dict // every init parameter, defaults filled in; read-only. Nil for one made in Go
}

// Type describes a component class.
type Type struct {
	// Name is the YAML type, for example "haystack.components.writers.document_writer.DocumentWriter".
	Name string
	// Aliases are further YAML types that mean this one (public short paths, paths of older generations).
	Aliases []string
	// Params are the init parameters in the order of the Python signature.
	Params []Param
	// Removed is true of a type that Haystack 3 no longer has: a file that names it is of Haystack 2.
	Removed bool
	// Older are defaults that differ in a file of Haystack 2.
	Older map[string]value.Value
	// Dropped are init parameters that older versions had, and what takes their place.
	Dropped map[string]string
	// Doc is one sentence for people.
	Doc string
	// New makes an instance. Errors are faults: Invalid for bad parameters.
	New func(b *Builder) (Component, *Spec, error)
}

// Param is an init parameter.
type Param struct {
	Name    string
	Default value.Value // nil makes the parameter required
}

// Required returns a parameter without a default.
func Required(name string) Param { return Param{Name: name} }

// Optional returns a parameter with a default; a nil def is None.
func Optional(name string, def value.Value) Param {
	if def == nil {
		def = value.None
	}
	return Param{Name: name, Default: def}
}

// Dumper is implemented by components whose init parameters, written back, differ from what they were given.
type Dumper interface {
	InitParameters() *value.Dict
}
