package oauth

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/server/router"
)

// Door opens the login routes.
type Door struct {
	Auth *auth.Service
	App  string // the app's id
}

const (
	maxForm   = 64 << 10
	maxFields = 32
)

// Form is the login form, for the OpenAPI document.
type Form struct {
	GrantType    string `json:"grant_type,omitempty"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	Scope        string `json:"scope,omitempty"`
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`
}

// TokenAnswer is the shape of a good answer, for the OpenAPI document.
type TokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

// Routes implements router.Mounter.
func (d *Door) Routes() []router.Route {
	const tag = "login"
	return []router.Route{
		{Method: http.MethodPost, Path: "/token", Handler: d.token, Open: "one logs in here", Dialect: router.FastAPI, Tag: tag, MaxBody: maxForm, Document: true,
			Summary: "Log in with a password", Accepts: []router.Body{{ContentType: "application/x-www-form-urlencoded", Example: Form{}}}, Answers: TokenAnswer{}},
		{Method: http.MethodGet, Path: "/users/me", Handler: d.me, Self: true, Action: policy.SelfRead, Dialect: router.FastAPI, Tag: tag, Document: true,
			Summary: "Say who one is", Answers: auth.Profile{}},
		{Method: http.MethodPost, Path: "/logout", Handler: d.logout, Self: true, Action: policy.SelfUpdate, Dialect: router.FastAPI, Tag: tag, Document: true,
			Summary: "End the token's grant at once"},
		{Method: http.MethodGet, Path: "/.well-known/jwks.json", Handler: d.jwks, Open: "the public keys are public", Tag: tag, Document: true,
			Summary: "The public keys that verify access tokens", Answers: map[string]any{}},
	}
}

func (d *Door) token(ctx context.Context, r *router.Request) (any, error) {
	form, err := readForm(r)
	if err != nil {
		return nil, err
	}
	req := auth.Request{App: d.App, GrantType: form.Get("grant_type"), Username: form.Get("username"), Scope: form.Get("scope"),
		ClientID: form.Get("client_id"), Origin: origin(r)}
	if form.Has("password") {
		req.Password = sealed.NewString(form.Get("password"))
	}
	form.Del("password")
	token, err := d.Auth.Login(ctx, req)
	if err != nil {
		return nil, answer(err)
	}
	return &router.Response{Body: token.AppendJSON(nil), Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"},
		"Pragma": {"no-cache"}, "Deprecation": {"@1767225600"}}}, nil // 2026-01-01: RFC 9700 had been out for a year
}

func origin(r *router.Request) auth.Origin {
	return auth.Origin{IP: r.IP, UserAgent: r.UserAgent(), RequestID: r.RequestID}
}

// readForm reads the form; the body only, so that a password in the URL is no password. A body that is no form counts as
// an empty one: FastAPI then names the missing fields.
func readForm(r *router.Request) (url.Values, error) {
	mt, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mt {
	case "application/x-www-form-urlencoded":
		b, err := r.Body()
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(b))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the login form cannot be read").WithCode("invalid_request")
		}
		return form, checkForm(form)
	case "multipart/form-data":
		return readMultipart(r)
	}
	return url.Values{}, nil
}

func readMultipart(r *router.Request) (url.Values, error) {
	fields, files, err := router.ReadForm(r)
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		return nil, fault.New(fault.Invalid, "a login form holds no files").WithCode("invalid_request")
	}
	form := url.Values{}
	for name, v := range fields.Strings() {
		text, ok := router.Text(v)
		if !ok {
			return nil, twice(name)
		}
		form.Set(name, text)
	}
	return form, checkForm(form)
}

func checkForm(form url.Values) error {
	if len(form) > maxFields {
		return fault.New(fault.TooLarge, "the login form has more than %d fields", maxFields)
	}
	for name, values := range form {
		if len(values) > 1 {
			return twice(name)
		}
	}
	return nil
}

func twice(name string) error {
	return fault.New(fault.Invalid, "the field %q comes more than once", name).WithCode("invalid_request")
}

// answer puts the auth wing's errors into FastAPI's words.
func answer(err error) error {
	var fields *auth.FieldErrors
	if errors.As(err, &fields) {
		list := make([]router.FieldError, len(fields.Fields))
		for i, f := range fields.Fields {
			list[i] = router.FieldError{Type: f.Type, Loc: []any{"body", f.Field}, Msg: f.Message}
			switch {
			case f.Pattern != "":
				list[i].Input, list[i].Ctx = f.Input, map[string]any{"pattern": f.Pattern}
			case f.Max > 0:
				list[i].Ctx = map[string]any{"max_length": f.Max}
			}
		}
		return router.Fields(list...)
	}
	if after, ok := auth.RetryAfter(err); ok {
		return router.RetryLater(err, after)
	}
	if f := fault.From(err); f.Code == "invalid_scope" {
		return router.WithStatus(http.StatusBadRequest, err)
	}
	return err
}

func (d *Door) me(ctx context.Context, r *router.Request) (any, error) {
	return d.Auth.Me(ctx, identityOf(r))
}

func (d *Door) logout(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Auth.Logout(ctx, identityOf(r), origin(r))
}

func identityOf(r *router.Request) auth.Identity {
	id, _ := r.Who.Source.(auth.Identity)
	return id
}

func (d *Door) jwks(context.Context, *router.Request) (any, error) {
	return &router.Response{Body: d.Auth.Tokens.JWKS(), Header: http.Header{"Content-Type": {"application/jwk-set+json"},
		"Cache-Control": {"public, max-age=" + strconv.Itoa(int(d.Auth.Tokens.JWKSMaxAge().Seconds()))}}}, nil
}

// Authenticator lets the router ask the auth wing.
type Authenticator struct{ Auth *auth.Service }

// Authenticate implements router.Authenticator.
func (a Authenticator) Authenticate(ctx context.Context, bearer string) (router.Identity, error) {
	id, err := a.Auth.Authenticate(ctx, bearer)
	if err != nil {
		return router.Identity{}, err
	}
	return router.Identity{App: id.App, Tenant: id.TenantID, User: id.UserID, TenantSlug: id.TenantSlug, Name: id.UserName, Source: id}, nil
}
