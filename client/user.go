package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/haywardhq/hayward/sealed"
)

// User is a user as the list of a tenant's users has it.
type User struct {
	ID        string    `json:"id"`
	Username  string    `json:"username"`
	FullName  string    `json:"full_name"`
	Email     string    `json:"email"`
	Operator  bool      `json:"operator"`
	Disabled  bool      `json:"disabled"`
	Roles     []string  `json:"roles,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// NewUser is a user to create.
type NewUser struct {
	Username, FullName, Email string
	Password                  sealed.Value
	Tenant                    string   // slug; an admin's own when empty
	Roles                     []string // in the tenant: viewer, runner, editor, admin
	Operator                  bool     // outside every tenant; for operators
}

// CreateUser creates a user.
func (c *Client) CreateUser(ctx context.Context, n NewUser) (User, error) {
	fields := map[string]any{"username": n.Username}
	set := func(name, v string) {
		if v != "" {
			fields[name] = v
		}
	}
	set("full_name", n.FullName)
	set("email", n.Email)
	set("tenant", n.Tenant)
	if len(n.Roles) > 0 {
		fields["roles"] = n.Roles
	}
	if n.Operator {
		fields["operator"] = true
	}
	var out User
	return out, c.doSealed(ctx, http.MethodPost, "/api/v1/users", "password", n.Password, fields, &out)
}

// Users lists the users of a tenant; "" is the caller's own.
func (c *Client) Users(ctx context.Context, tenant string) ([]User, error) {
	out := []User{}
	query := url.Values{}
	if tenant != "" {
		query.Set("tenant", tenant)
	}
	err := c.pages(ctx, "/api/v1/users", query, func(get func(any) error) (string, error) {
		var page struct {
			Users []User `json:"users"`
			Next  string `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Users...)
		return page.Next, err
	})
	return out, err
}

func userPath(name string) string { return "/api/v1/users/" + segment(name) }

// SetPassword gives a user a new password.
func (c *Client) SetPassword(ctx context.Context, name string, password sealed.Value) error {
	return c.doSealed(ctx, http.MethodPatch, userPath(name), "password", password, nil, nil)
}

// DisableUser disables a user, or enables them again.
func (c *Client) DisableUser(ctx context.Context, name string, disabled bool) error {
	return c.Do(ctx, Request{Method: http.MethodPatch, Path: userPath(name), JSON: map[string]any{"disabled": disabled}}, nil)
}

// SetRoles replaces a user's roles in a tenant; "" is the caller's own.
func (c *Client) SetRoles(ctx context.Context, name, tenant string, roles []string) error {
	body := map[string]any{"roles": roles}
	if tenant != "" {
		body["tenant"] = tenant
	}
	return c.Do(ctx, Request{Method: http.MethodPatch, Path: userPath(name), JSON: body}, nil)
}
