package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Login trades a password for an access token. tenant is a slug; "" is the user's home tenant. The password goes to this
// client's server and nowhere else, in the body of the request.
func (c *Client) Login(ctx context.Context, user string, password sealed.Value, tenant string) (Token, error) {
	form := url.Values{"grant_type": {"password"}, "username": {user}, "client_id": {"hayward-cli"}}
	if tenant != "" {
		form.Set("scope", "tenant:"+tenant)
	}
	secret, err := reveal.For(password.For(c.dest), c.dest)
	if err != nil {
		return Token{}, err
	}
	defer clear(secret)
	body := append([]byte(form.Encode()+"&password="), url.QueryEscape(string(secret))...)
	defer clear(body)
	b, err := c.Bytes(ctx, Request{Method: http.MethodPost, Path: "/token", Stream: bytes.NewReader(body), ContentType: "application/x-www-form-urlencoded"})
	if err != nil {
		return Token{}, err
	}
	defer clear(b)
	var answer struct {
		AccessToken sealedText `json:"access_token"`
		ExpiresIn   int        `json:"expires_in"`
		Scope       string     `json:"scope"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || answer.AccessToken.IsZero() {
		return Token{}, fault.New(fault.Failed, "the server's answer to the login holds no token")
	}
	return Token{Access: answer.AccessToken.Value, Scope: answer.Scope, Expires: time.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)}, nil
}

// sealedText seals a JSON string while it is decoded.
type sealedText struct{ sealed.Value }

// UnmarshalJSON reads a string; its error never quotes it.
func (s *sealedText) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fault.New(fault.Failed, "a token must be a string")
	}
	s.Value = sealed.NewString(text)
	return nil
}
