package webhook

import (
	"encoding/json"
	"net/url"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/secret"
)

// Params are the parameters of a policy.
type Params struct {
	URL        string                 `json:"url"`                // https, or http to an address that the operator allows by name
	SigningKey string                 `json:"signing_key"`        // the tenant's secret that signs: whsec_ and base64, or at least 24 bytes as they are
	Create     bool                   `json:"create,omitempty"`   // the receiver makes the values
	Steps      []string               `json:"steps,omitempty"`    // which of set, test, retire are sent; none: all
	Token      *rotation.TokenSpec    `json:"token,omitempty"`    // what values are made of here; the default
	Password   *rotation.PasswordSpec `json:"password,omitempty"` // the same, as a password
}

// The steps of a receiver.
const (
	stepCreate = "create"
	stepSet    = "set"
	stepTest   = "test"
	stepRetire = "retire"
)

func (r *Rotator) params(raw json.RawMessage) (p Params, dest sealed.Destination, err error) {
	if err := rotation.DecodeParams(raw, &p); err != nil {
		return p, dest, err
	}
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	u, err := url.Parse(p.URL)
	if err != nil || len(p.URL) > 2048 {
		return p, dest, bad("url", "the URL of the webhook cannot be read")
	}
	if dest, err = sealed.FromURL(u); err != nil || u.Fragment != "" {
		return p, dest, bad("url", "the URL of the webhook is not of the form https://host/path")
	}
	if u.Scheme != "https" && !r.client.Policy().Allows(dest.HostPort()) {
		return p, dest, fault.New(fault.Denied, "webhooks are sent over https only").At(fault.Where{Field: "url"}).
			WithHint("the operator can allow %s by name", dest.HostPort())
	}
	if err := secret.CheckName(p.SigningKey); err != nil {
		return p, dest, bad("signing_key", "the name of the secret that signs is not one")
	}
	for _, s := range p.Steps {
		if !slices.Contains([]string{stepSet, stepTest, stepRetire}, s) {
			return p, dest, bad("steps", "the steps of a webhook are set, test and retire")
		}
	}
	if p.Create && (p.Token != nil || p.Password != nil) || p.Token != nil && p.Password != nil {
		return p, dest, bad("create", "values are made by the receiver, or as a token, or as a password: one of these")
	}
	if !p.Create {
		_, err = p.value()
	}
	return p, dest, err
}

// value makes a new value here.
func (p Params) value() (sealed.Value, error) {
	if p.Password != nil {
		return rotation.NewPassword(*p.Password)
	}
	var spec rotation.TokenSpec
	if p.Token != nil {
		spec = *p.Token
	}
	return rotation.NewToken(spec)
}

func (p Params) sends(step string) bool { return len(p.Steps) == 0 || slices.Contains(p.Steps, step) }
