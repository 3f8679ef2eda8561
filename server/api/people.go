package api

import (
	"context"
	"net/http"
	"time"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/server/router"
)

// People is what the door needs to manage tenants and users; *host.People is one.
type People interface {
	CreateTenant(ctx context.Context, slug, name string) (identity.Tenant, error)
	Tenants(ctx context.Context, page identity.Page) ([]identity.Tenant, error)
	SuspendTenant(ctx context.Context, slug string, suspended bool) error
	CreateUser(ctx context.Context, n host.NewPerson) (identity.User, error)
	Members(ctx context.Context, slug string, page identity.Page) ([]host.Person, error)
	ChangeUser(ctx context.Context, name string, ch host.UserChange) error
}

// Tenant is a tenant.
type Tenant struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Suspended bool      `json:"suspended"`
	CreatedAt time.Time `json:"created_at"`
}

// TenantList is a page of tenants.
type TenantList struct {
	Tenants []Tenant `json:"tenants"`
	Next    string   `json:"next,omitempty"`
}

// TenantBody creates a tenant.
type TenantBody struct {
	Slug string `json:"slug"`
	Name string `json:"name,omitempty"`
}

// TenantPatch changes a tenant.
type TenantPatch struct {
	Suspended *bool `json:"suspended"`
}

// User is a user.
type User struct {
	ID        string    `json:"id"`
	Username  string    `json:"username"`
	FullName  string    `json:"full_name"`
	Email     string    `json:"email"`
	Operator  bool      `json:"operator"`
	Disabled  bool      `json:"disabled"`
	Roles     []string  `json:"roles,omitempty"` // in the tenant that was asked about
	CreatedAt time.Time `json:"created_at"`
}

// UserList is a page of users.
type UserList struct {
	Users []User `json:"users"`
	Next  string `json:"next,omitempty"`
}

// UserBody creates a user.
type UserBody struct {
	Username string         `json:"username"`
	Password *router.Sealed `json:"password"`
	FullName string         `json:"full_name,omitempty"`
	Email    string         `json:"email,omitempty"`
	Tenant   string         `json:"tenant,omitempty"` // slug; an admin's own tenant when left out
	Roles    []string       `json:"roles,omitempty"`
	Operator bool           `json:"operator,omitempty"`
}

// UserPatch changes a user; what is left out stays.
type UserPatch struct {
	Password *router.Sealed `json:"password,omitempty"`
	Disabled *bool          `json:"disabled,omitempty"`
	Roles    []string       `json:"roles,omitempty"`
	Tenant   string         `json:"tenant,omitempty"`
}

func (d *Door) peopleRoutes() []router.Route {
	page := []router.Param{{Name: "limit", Doc: "at most 1000; default 100", Integer: true}, {Name: "after", Doc: "next of the page before"}}
	return []router.Route{
		{Method: http.MethodPost, Path: "/api/v1/tenants", Handler: d.createTenant, Action: policy.TenantManage, Tag: "tenants", Summary: "Create a tenant",
			Accepts: body(TenantBody{}), Answers: Tenant{}, Created: true},
		{Method: http.MethodGet, Path: "/api/v1/tenants", Handler: d.listTenants, Action: policy.TenantManage, Tag: "tenants", Summary: "List the tenants", Params: page, Answers: TenantList{}},
		{Method: http.MethodPatch, Path: "/api/v1/tenants/{slug}", Handler: d.patchTenant, Action: policy.TenantManage, Tag: "tenants",
			Summary: "Suspend a tenant or let it go on", Accepts: body(TenantPatch{})},
		{Method: http.MethodPost, Path: "/api/v1/users", Handler: d.createUser, Action: policy.UserManage, Tag: "users", Summary: "Create a user",
			Accepts: body(UserBody{}), Answers: User{}, Created: true},
		{Method: http.MethodGet, Path: "/api/v1/users", Handler: d.listUsers, Action: policy.UserRead, Tag: "users", Summary: "List a tenant's users",
			Params: append([]router.Param{{Name: "tenant", Doc: "slug; an admin's own tenant when left out"}}, page...), Answers: UserList{}},
		{Method: http.MethodPatch, Path: "/api/v1/users/{username}", Handler: d.patchUser, Action: policy.UserManage, Tag: "users", Summary: "Change a user",
			Accepts: body(UserPatch{})},
	}
}

func tenant(t identity.Tenant) Tenant {
	return Tenant{ID: t.ID, Slug: t.Slug, Name: t.Name, Suspended: t.Disabled, CreatedAt: t.Created}
}

func (d *Door) createTenant(ctx context.Context, r *router.Request) (any, error) {
	var b TenantBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	t, err := d.People.CreateTenant(ctx, b.Slug, b.Name)
	if err != nil {
		return nil, err
	}
	return tenant(t), nil
}

func (d *Door) listTenants(ctx context.Context, r *router.Request) (any, error) {
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	list, err := d.People.Tenants(ctx, p)
	if err != nil {
		return nil, err
	}
	out := TenantList{Tenants: make([]Tenant, len(list))}
	for i, t := range list {
		out.Tenants[i] = tenant(t)
	}
	if len(list) == p.Limit {
		out.Next = list[len(list)-1].ID
	}
	return out, nil
}

func (d *Door) patchTenant(ctx context.Context, r *router.Request) (any, error) {
	var b TenantPatch
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Suspended == nil {
		return nil, nothing("suspended")
	}
	return nil, d.People.SuspendTenant(ctx, r.PathValue("slug"), *b.Suspended)
}

func nothing(field string) error {
	return fault.New(fault.Invalid, "the field %q is missing: nothing would change", field).At(fault.Where{Field: field})
}

func user(u identity.User, roles []string) User {
	return User{ID: u.ID, Username: u.Name, FullName: u.FullName, Email: u.Email, Operator: u.Operator, Disabled: u.Disabled, Roles: roles, CreatedAt: u.Created}
}

func (d *Door) createUser(ctx context.Context, r *router.Request) (any, error) {
	var b UserBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	n := host.NewPerson{Name: b.Username, FullName: b.FullName, Email: b.Email, Password: secretOf(b.Password), Tenant: b.Tenant, Roles: b.Roles, Operator: b.Operator}
	u, err := d.People.CreateUser(ctx, n)
	if err != nil {
		return nil, err
	}
	return user(u, b.Roles), nil
}

func secretOf(s *router.Sealed) sealed.Value {
	if s == nil {
		return sealed.Value{}
	}
	return s.Value
}

func (d *Door) listUsers(ctx context.Context, r *router.Request) (any, error) {
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	list, err := d.People.Members(ctx, r.URL.Query().Get("tenant"), p)
	if err != nil {
		return nil, err
	}
	out := UserList{Users: make([]User, len(list))}
	for i, m := range list {
		out.Users[i] = user(m.User, m.Roles)
	}
	if len(list) == p.Limit {
		out.Next = list[len(list)-1].ID
	}
	return out, nil
}

func (d *Door) patchUser(ctx context.Context, r *router.Request) (any, error) {
	var b UserPatch
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Password == nil && b.Disabled == nil && len(b.Roles) == 0 {
		return nil, nothing("password, disabled or roles")
	}
	ch := host.UserChange{Disabled: b.Disabled, Roles: b.Roles, Tenant: b.Tenant}
	if b.Password != nil {
		ch.Password = &b.Password.Value
	}
	return nil, d.People.ChangeUser(ctx, r.PathValue("username"), ch)
}

func pageOf(r *router.Request) (identity.Page, error) {
	limit, err := intParam(r, "limit", 100)
	return identity.Page{Limit: limit, After: r.URL.Query().Get("after")}, err
}
