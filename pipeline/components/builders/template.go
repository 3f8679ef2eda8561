package builders

import (
	"slices"
	"sort"
	"strings"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// variables are the template variables of a prompt builder: which there are and which must be given.
type variables struct {
	class    string // for messages
	names    []string
	every    bool // all are required
	required []string
}

// readRequired reads required_variables: "*", a list of names, or None.
func (v *variables) readRequired(b *component.Builder) {
	switch r := b.Get("required_variables").(type) {
	case value.Str:
		if v.every = r == "*"; !v.every {
			b.Fail("required_variables", "component '%s': init parameter 'required_variables' must be '*', a list of names or null", b.Name)
		}
	default:
		v.required = b.Strs("required_variables")
	}
}

// inputs makes a socket of each variable, and of what every prompt builder has.
func (v *variables) inputs(template component.Input) []component.Input {
	var in []component.Input
	for _, name := range v.names {
		s := part.In(name, part.Any)
		if !v.every && !slices.Contains(v.required, name) {
			s.Default = value.Str("")
		}
		in = append(in, s)
	}
	return append(in, template, part.Opt("template_variables", part.OptDict))
}

// collect merges the sockets' values and template_variables, which win. Sockets that nothing reached are left out.
func (v *variables) collect(in component.In, templateVariables value.Value) (*value.Dict, error) {
	out := &value.Dict{}
	for i, name := range v.names {
		if in[i] != nil {
			out.Set(name, in[i])
		}
	}
	more, err := part.DictOr("template_variables", templateVariables)
	if err != nil {
		return nil, err
	}
	for k, val := range more.All() {
		out.SetKey(k, val)
	}
	return out, nil
}

// check refuses to render while required variables are missing.
func (v *variables) check(given *value.Dict) error {
	required := v.required
	if v.every {
		required = slices.Clone(v.names)
		sort.Strings(required)
	}
	var missing []string
	for _, name := range required {
		if _, ok := given.Get(name); !ok {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	provided, _ := value.NewSet()
	for k := range given.All() {
		provided.Add(k)
	}
	return part.ValueError("Missing required input variables in %s: %s. Required variables: %s. Provided variables: %s.", v.class,
		strings.Join(missing, ", "), value.Repr(part.StrValues(required)), value.Repr(provided))
}

// unique drops names that stand twice, and those that are sockets of every builder.
func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if n != "template" && n != "template_variables" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
