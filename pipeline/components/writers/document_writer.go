package writers

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// DocumentWriter writes documents into a document store (haystack/components/writers/document_writer.py).
type DocumentWriter struct {
	store  docstore.Ref
	policy docstore.Policy
}

var policyType = pytype.MustParse("haystack.document_stores.types.policy.DuplicatePolicy | None")

// DocumentWriterType describes [DocumentWriter].
func DocumentWriterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.writers.document_writer.DocumentWriter",
		Doc:  "Writes documents into a document store.",
		Params: []component.Param{
			component.Required("document_store"),
			component.Optional("policy", value.Str("NONE")),
		},
		New: newDocumentWriter,
	}
}

func newDocumentWriter(b *component.Builder) (component.Component, *component.Spec, error) {
	w := &DocumentWriter{store: b.Store("document_store")}
	name := b.Str("policy")
	p, ok := parsePolicy(name)
	if !ok {
		b.Fail("policy", "component '%s': init parameter 'policy' must be one of NONE, SKIP, OVERWRITE, FAIL, but is '%s'", b.Name, name)
	}
	w.policy = p
	return w, part.Spec([]component.Input{part.In("documents", part.Documents), part.Opt("policy", policyType)},
		part.Out("documents_written", part.Int)), b.Err()
}

// parsePolicy reads the name of a policy in either case: files hold NONE, callers send "none".
func parsePolicy(s string) (docstore.Policy, bool) {
	switch p := docstore.Policy(strings.ToLower(s)); p {
	case docstore.PolicyNone, docstore.PolicySkip, docstore.PolicyOverwrite, docstore.PolicyFail:
		return p, true
	}
	return "", false
}

// Run writes the documents. A duplicate under the policy FAIL (and NONE, for stores whose default that is) is a
// Conflict with code DuplicateDocumentError.
func (w *DocumentWriter) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("documents", in[0], "")
	if err != nil {
		return component.Out{}, err
	}
	policy, err := w.policyOf(in[1])
	if err != nil {
		return component.Out{}, err
	}
	store, err := part.OpenStore(ctx, env, w.store)
	if err != nil {
		return component.Out{}, err
	}
	n, err := store.WriteDocuments(ctx, docs, policy)
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(value.Int(n)), nil
}

func (w *DocumentWriter) policyOf(v value.Value) (docstore.Policy, error) {
	if value.IsNone(v) {
		return w.policy, nil
	}
	if e, ok := v.(*value.Enum); ok {
		v = e.Value
	}
	s, _ := v.(value.Str)
	p, ok := parsePolicy(string(s))
	if !ok {
		return "", part.Wrong("policy", "one of none, skip, overwrite, fail", v)
	}
	return p, nil
}
