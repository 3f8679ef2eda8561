package client

import (
	"context"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// doSealed sends a JSON object with one secret among its fields, to this client's server and nowhere else.
func (c *Client) doSealed(ctx context.Context, method, path, field string, secret sealed.Value, fields map[string]any, out any) error {
	rest, err := json.Marshal(fields)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the request cannot be encoded")
	}
	raw, err := reveal.For(secret.For(c.dest), c.dest)
	if err != nil {
		return err
	}
	defer clear(raw)
	if !utf8.Valid(raw) {
		return fault.New(fault.Invalid, "a secret is text in UTF-8, and this one is not").WithHint("encode it, for example with base64")
	}
	text, err := json.Marshal(string(raw))
	if err != nil {
		return fault.New(fault.Invalid, "the secret cannot be encoded")
	}
	defer clear(text)
	body := append([]byte(`{"`+field+`":`), text...)
	if len(fields) > 0 {
		body = append(append(body, ','), rest[1:]...)
	} else {
		body = append(body, '}')
	}
	defer clear(body)
	return c.Do(ctx, Request{Method: method, Path: path, Body: body}, out)
}

// Me says who the token belongs to.
func (c *Client) Me(ctx context.Context) (Profile, error) {
	var out Profile
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: "/users/me"}, &out)
}

// Profile is a user as the server sees the one who asks.
type Profile struct {
	ID       string   `json:"id"`
	Username string   `json:"username"`
	Email    string   `json:"email"`
	FullName string   `json:"full_name"`
	Disabled bool     `json:"disabled"`
	Operator bool     `json:"operator"`
	Tenant   string   `json:"tenant"` // slug; "" for an operator
	Roles    []string `json:"roles"`
}

// Logout ends the token's grant: the token is good for nothing from now on.
func (c *Client) Logout(ctx context.Context) error {
	return c.Do(ctx, Request{Method: http.MethodPost, Path: "/logout"}, nil)
}
