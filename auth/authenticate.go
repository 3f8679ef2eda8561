package auth

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/vault/scope"
)

// Identity is who asks, as of this moment. It is a plain value.
type Identity struct {
	App        string
	TenantID   string // "" for an operator
	TenantSlug string
	UserID     string
	UserName   string
	Roles      policy.Roles // in this tenant; policy.Operator for an operator
	Operator   bool
	GrantID    string
	TokenID    string
	Expires    time.Time
}

// Caller returns the identity as the scope that the door puts into the context.
func (i Identity) Caller(ip, requestID string) scope.Caller {
	return scope.Caller{App: i.App, Tenant: i.TenantID, User: i.UserID, IP: ip, RequestID: requestID}
}

// May decides whether the identity may do the action. That the thing acted upon is the identity's tenant's is for the
// store below to enforce.
func (i Identity) May(a policy.Action) policy.Decision { return policy.Allowed(i.Roles, a) }

// Authenticate returns who the bearer of a token is: [ErrNoToken] for an empty one, [ErrToken] for one that is not good,
// or whose user, tenant or membership is gone or suspended. A token seen before costs a hash and four lookups, without a
// lock or an allocation.
func (s *Service) Authenticate(_ context.Context, bearer string) (Identity, error) {
	if bearer == "" {
		return Identity{}, ErrNoToken
	}
	c, err := s.Tokens.Verify(bearer)
	if err != nil {
		return Identity{}, err
	}
	a, ok := s.Identity.Account(c.App, c.Subject)
	if !ok || a.Disabled || a.CredentialVersion != c.CredentialVersion || a.Operator != (c.Tenant == "") {
		return Identity{}, ErrToken
	}
	id := Identity{App: c.App, TenantID: c.Tenant, UserID: a.ID, UserName: a.Name, Operator: a.Operator, GrantID: c.Grant,
		TokenID: c.ID, Expires: time.Unix(c.Expires, 0).UTC(), Roles: a.Roles(c.Tenant)}
	if c.Tenant != "" {
		t, ok := s.Identity.Tenant(c.App, c.Tenant)
		if !ok || t.Disabled {
			return Identity{}, ErrToken
		}
		id.TenantSlug = t.Slug
	}
	if id.Roles == 0 {
		return Identity{}, ErrToken
	}
	return id, nil
}

// Profile is what GET /users/me shows: the tutorial's four fields, and where the user stands.
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

// Me returns the profile of an authenticated identity.
func (s *Service) Me(ctx context.Context, id Identity) (Profile, error) {
	u, err := s.Identity.GetUser(ctx, id.App, id.UserID)
	if err != nil {
		return Profile{}, ErrToken
	}
	return Profile{ID: u.ID, Username: u.Name, Email: u.Email, FullName: u.FullName, Disabled: u.Disabled, Operator: u.Operator,
		Tenant: id.TenantSlug, Roles: id.Roles.Names()}, nil
}

// Logout ends the grant of the identity's token at once, with every token of it.
func (s *Service) Logout(ctx context.Context, id Identity, from Origin) error {
	err := s.record(ctx, Event{Action: ActionTokenRevoke, Outcome: OutcomeOK, App: id.App, Tenant: id.TenantID, User: id.UserID,
		Target: id.GrantID, Origin: from})
	if err != nil {
		return err
	}
	return s.Tokens.RevokeGrant(ctx, id.App, id.TenantID, id.GrantID)
}

// Revoke is RFC 7009 for access tokens: it ends the token's grant. A token that is not good is no error, and nothing to
// end.
func (s *Service) Revoke(ctx context.Context, bearer string, from Origin) error {
	c, err := s.Tokens.Verify(bearer)
	if err != nil {
		return nil
	}
	return s.Logout(ctx, identityOf(c), from)
}

func identityOf(c token.Claims) Identity {
	return Identity{App: c.App, TenantID: c.Tenant, UserID: c.Subject, GrantID: c.Grant, TokenID: c.ID}
}
