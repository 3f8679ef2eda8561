package config

import (
	"bytes"
	"encoding/json"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/secret"
)

// SecretRef stands in a value for a secret: as the whole of it, or anywhere inside JSON, where it is written
// {"$secret": "NAME"}. It is a name and no secret; [Service.Secret] and [Service.OpenSecret] open it.
type SecretRef struct{ Name string }

// refKey is the one member of the object that is a reference.
const refKey = "$secret"

// MarshalJSON writes {"$secret": "NAME"}.
func (r SecretRef) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{refKey: r.Name})
}

// UnmarshalJSON reads {"$secret": "NAME"} and nothing else.
func (r *SecretRef) UnmarshalJSON(b []byte) error {
	var v map[string]any
	dec := json.NewDecoder(bytes.NewReader(b))
	err := dec.Decode(&v)
	ref, ok := asRef(v)
	if err != nil || !ok {
		return fault.New(fault.Invalid, "this is not a reference to a secret").WithHint(`write {"$secret": "NAME"}`)
	}
	*r = ref
	return nil
}

func asRef(v any) (SecretRef, bool) {
	m, _ := v.(map[string]any)
	name, ok := m[refKey].(string)
	return SecretRef{name}, ok && len(m) == 1
}

// withRefs replaces every object that is a reference in a fresh tree.
func withRefs(v any) any {
	if ref, ok := asRef(v); ok {
		return ref
	}
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = withRefs(x[k])
		}
	case []any:
		for i := range x {
			x[i] = withRefs(x[i])
		}
	}
	return v
}

// refsIn adds the names of the secrets that a value refers to.
func refsIn(v any, names map[string]bool) map[string]bool {
	switch x := v.(type) {
	case SecretRef:
		if names == nil {
			names = map[string]bool{}
		}
		names[x.Name] = true
	case map[string]any:
		for _, child := range x {
			names = refsIn(child, names)
		}
	case []any:
		for _, child := range x {
			names = refsIn(child, names)
		}
	}
	return names
}

// checkRefs refuses an object that looks like a reference and is none: its writer meant something.
func checkRefs(v any) error {
	switch x := v.(type) {
	case map[string]any:
		if _, has := x[refKey]; has {
			ref, ok := asRef(x)
			if !ok || secret.CheckName(ref.Name) != nil {
				return fault.New(fault.Invalid, "a reference to a secret is an object with the one member %s, a secret's name", refKey).
					At(fault.Where{Field: "value"}).WithHint(`write {"$secret": "NAME"}`)
			}
			return nil
		}
		for _, child := range x {
			if err := checkRefs(child); err != nil {
				return err
			}
		}
	case []any:
		for _, child := range x {
			if err := checkRefs(child); err != nil {
				return err
			}
		}
	}
	return nil
}
