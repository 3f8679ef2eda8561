package component

import "github.com/haywardhq/hayward/pipeline/docstore"

// DeclaredSecret is a secret that a component names: in its file, or by its type's default.
type DeclaredSecret struct {
	Component string // the component in the pipeline
	Type      string // the type that reads the parameter; a child's own type for a nested one
	Param     string // "api_key", or "chat_generator.api_key" for a nested one
	Secret    Secret
}

// Record collects what constructors read while a pipeline is compiled, so that a plan can say which secrets and stores
// it needs without running. It is used by one goroutine.
type Record struct {
	Secrets []DeclaredSecret
	Stores  []docstore.Ref
}

// Recording returns a registry that behaves as r and notes every secret and store its constructors read in rec, those of
// children included.
func (r *Registry) Recording(rec *Record) *Registry {
	c := *r
	c.record = rec
	return &c
}

func (b *Builder) noteSecret(param string, s Secret) {
	if b.Registry == nil || b.Registry.record == nil || s.IsZero() {
		return
	}
	b.Registry.record.Secrets = append(b.Registry.record.Secrets,
		DeclaredSecret{Component: b.Name, Type: b.Type.Name, Param: b.path(param), Secret: s})
}

func (b *Builder) noteStore(ref docstore.Ref) {
	if b.Registry != nil && b.Registry.record != nil {
		b.Registry.record.Stores = append(b.Registry.record.Stores, ref)
	}
}

// Adopt notes what a pipeline that a parameter holds needs: its secrets and stores count as this component's.
func (b *Builder) Adopt(param string, secrets []DeclaredSecret, stores []docstore.Ref) {
	if b.Registry == nil || b.Registry.record == nil {
		return
	}
	for _, s := range secrets {
		s.Param = b.path(param) + ".components." + s.Component + "." + s.Param
		s.Component = b.Name
		b.Registry.record.Secrets = append(b.Registry.record.Secrets, s)
	}
	b.Registry.record.Stores = append(b.Registry.record.Stores, stores...)
}

// path is where a parameter stands below the component: a child's parameters carry the parameter that holds the child.
func (b *Builder) path(param string) string {
	if b.Where.Field == "" {
		return param
	}
	return b.Where.Field + "." + param
}
