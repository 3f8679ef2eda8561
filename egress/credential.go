package egress

import (
	"net/http"

	"golang.org/x/net/http/httpguts"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Credential is a secret header of one request. Its value is opened when the request is written, for the origin of the
// request's URL and for nothing else.
type Credential struct {
	Header string // for example "Authorization"
	Prefix string // for example "Bearer "
	Value  sealed.Value
}

// Bearer returns the usual Authorization credential.
func Bearer(v sealed.Value) Credential {
	return Credential{Header: "Authorization", Prefix: "Bearer ", Value: v}
}

// attach returns a copy of req with the credentials in its header.
func attach(req *http.Request, creds []Credential) (*http.Request, error) {
	dest, err := sealed.FromURL(req.URL)
	if err != nil {
		return nil, err
	}
	if req.Host != "" && req.Host != req.URL.Host {
		// A shared front would route the secret by this header, not by the host it is meant for.
		return nil, fault.New(fault.Denied, "a request with a secret for %s asks for another host in its Host header", dest)
	}
	out := req.Clone(req.Context())
	for _, cr := range creds {
		if err := cr.attach(out, dest); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (cr Credential) attach(req *http.Request, dest sealed.Destination) error {
	if !httpguts.ValidHeaderFieldName(cr.Header) {
		return fault.New(fault.Invalid, "%q is not the name of a header", cr.Header)
	}
	value, err := reveal.For(cr.Value, dest)
	if err != nil {
		return err
	}
	defer clear(value)
	for _, b := range value {
		if b < 0x20 || b == 0x7f {
			return fault.New(fault.Invalid, "a secret holds a control character and cannot be sent as a header").
				WithHint("it may have been set with a line break at its end")
		}
	}
	req.Header.Set(cr.Header, cr.Prefix+string(value))
	return nil
}
