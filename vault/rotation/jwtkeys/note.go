package jwtkeys

import (
	"encoding/json"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/rotation"
)

// from reads which key a run rotates away from.
func (o over) from(s rotation.Step) (string, error) {
	if err := o.mine(s); err != nil {
		return "", err
	}
	var n note
	if json.Unmarshal(reveal.Inside(s.Pending), &n) != nil || n.From == "" {
		return "", fault.New(fault.Failed, "the staged version is not a note of a rotation").WithCode("NotANote")
	}
	return n.From, nil
}

// ids returns the ids of the keys of a JWK set.
func ids(raw []byte) (map[string]bool, error) {
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fault.New(fault.Failed, "what is published is not a set of keys")
	}
	out := map[string]bool{}
	for _, k := range set.Keys {
		out[k.ID] = true
	}
	return out, nil
}
