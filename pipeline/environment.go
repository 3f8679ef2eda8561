package pipeline

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/sealed"
)

// LayerEnvironment is the process environment.
const LayerEnvironment = "environment"

// Trust says which variables of the process environment a pipeline may have. The zero Trust gives none.
type Trust struct {
	// Allow names the variables and where each may go. A name that the server itself uses ([ReservedName]) is refused here,
	// whatever Allow says.
	Allow map[string][]sealed.Destination
	// Laptop is for an author running his own file on his own machine: every variable is found, reserved ones included, and
	// goes where the file sends it, as in Haystack. Never for a server.
	Laptop bool
	// Report is told which name goes to which destination in laptop mode; may be nil.
	Report func(name string, dest sealed.Destination)
}

// Environment returns a back end that reads the process environment through lookup (os.LookupEnv).
func Environment(lookup func(name string) (string, bool), trust Trust) Resolver {
	return environment{lookup: lookup, trust: trust}
}

type environment struct {
	lookup func(string) (string, bool)
	trust  Trust
}

// Resolve implements [Resolver]. A variable that is set to nothing is set, as in Python.
func (e environment) Resolve(_ context.Context, name string, req component.SecretRequest) (Found, error) {
	miss := Found{Tried: []string{LayerEnvironment}}
	dests, allowed := e.trust.Allow[name]
	if !e.trust.Laptop && !allowed {
		return miss, nil
	}
	if !e.trust.Laptop && ReservedName(name) {
		return Found{}, fault.New(fault.Denied, "the variable %s belongs to the server and is not given to pipelines", name).At(whereOf(req)).
			WithHint("set the secret under a name of its own")
	}
	text, ok := e.lookup(name)
	if !ok {
		return miss, nil
	}
	v := sealed.NewString(text)
	if e.trust.Laptop {
		if e.trust.Report != nil {
			e.trust.Report(name, req.For)
		}
		return Found{Value: v.For(req.For), Layer: LayerEnvironment}, nil
	}
	return Found{Value: v.For(dests...), Layer: LayerEnvironment, MayChange: "the server's operator"}, nil
}

// ReservedName reports whether the server, its database driver or an SDK reads a variable of this name itself.
func ReservedName(name string) bool {
	upper := strings.ToUpper(name)
	for _, prefix := range [...]string{"HAYWARD_", "PG", "AWS_", "GOOGLE_"} {
		if strings.HasPrefix(upper, prefix) {
			return true
		}
	}
	return strings.HasSuffix(upper, "_PROXY")
}
