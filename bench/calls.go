package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// call sends JSON and decodes the answer into out, if that is not nil.
func call(ctx context.Context, method, to, token string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return do(req, out)
}

func do(req *http.Request, out any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

func login(ctx context.Context, base, user string) (string, error) {
	form := url.Values{"username": {user}, "password": {password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var out struct {
		AccessToken string `json:"access_token"`
	}
	err = do(req, &out)
	return out.AccessToken, err
}

type object = map[string]any

// admit makes a tenant with an administrator and returns his access token.
func admit(ctx context.Context, base, operator, slug string) (string, error) {
	if err := call(ctx, http.MethodPost, base+"/api/v1/tenants", operator, object{"slug": slug}, nil); err != nil {
		return "", err
	}
	user := object{"username": slug, "password": password, "tenant": slug, "roles": []string{"admin"}}
	if err := call(ctx, http.MethodPost, base+"/api/v1/users", operator, user, nil); err != nil {
		return "", err
	}
	return login(ctx, base, slug)
}

// deploy deploys a pipeline through the door that both servers have.
func deploy(ctx context.Context, base, token, pipeline, source string) error {
	return call(ctx, http.MethodPost, base+"/deploy-yaml", token, object{"name": pipeline, "source_code": source, "overwrite": true}, nil)
}

func setSecret(ctx context.Context, base, token, destination string) error {
	return call(ctx, http.MethodPut, base+"/api/v1/secrets/OPENAI_API_KEY", token,
		object{"value": modelKey, "destinations": []string{destination}}, nil)
}
