package auth

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Token is the answer to a good login.
type Token struct {
	AccessToken sealed.Value
	TokenType   string // always "bearer"
	ExpiresIn   int    // seconds
	Scope       string // "tenant:<slug>", "" for an operator
}

// AppendJSON appends the body of the token response (RFC 6749 section 5.1) to b: the one place where the token leaves in
// clear. Token has no MarshalJSON on purpose, so that no log line can hold it.
func (t Token) AppendJSON(b []byte) []byte {
	text := reveal.Inside(t.AccessToken)
	defer clear(text)
	b = append(b, `{"access_token":"`...)
	b = append(b, text...) // base64url and dots
	b = append(b, `","token_type":`...)
	b = appendString(b, t.TokenType)
	b = append(b, `,"expires_in":`...)
	b = strconv.AppendInt(b, int64(t.ExpiresIn), 10)
	b = append(b, `,"scope":`...)
	return append(appendString(b, t.Scope), '}')
}

func appendString(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(b, `""`...)
	}
	return append(b, text...)
}

// Login checks a login form and makes a token for the user's home tenant, or for the one the scope names.
//
// Errors: Invalid with [FieldErrors] for missing fields; Invalid with code invalid_scope; [ErrCredentials]; Limited when
// there were too many failures and Unavailable when too many log in at once, both with [RetryAfter]; Unavailable when
// the audit cannot be written.
func (s *Service) Login(ctx context.Context, r Request) (Token, error) {
	slug, err := r.check()
	if err != nil {
		return Token{}, err
	}
	attempt, err := s.admit(ctx, r)
	if err != nil {
		return Token{}, err
	}
	v, err := s.verify(ctx, r)
	if err != nil {
		attempt.Abandon()
		return Token{}, err
	}
	if v.reason != "" {
		attempt.Fail()
		return Token{}, s.deny(ctx, r, v.user, v.reason, ErrCredentials)
	}
	attempt.Succeed()
	tenant, err := s.choose(r.App, v.user.ID, slug)
	if err != nil {
		return Token{}, s.deny(ctx, r, v.user, "no_such_membership", err)
	}
	return s.issue(ctx, r, v.user, tenant)
}

// admit asks the throttle, before anything looks at the password.
func (s *Service) admit(ctx context.Context, r Request) (*limit.Attempt, error) {
	attempt, d, first := s.throttle.Begin(r.App, r.countedName(), r.address())
	if d.Allowed {
		return attempt, nil
	}
	if first {
		e := Event{Action: ActionLockout, Outcome: OutcomeDenied, Reason: d.Name, App: r.App, Origin: r.Origin}
		if u, err := s.Identity.UserByName(ctx, r.App, r.Username); err == nil {
			e.User, e.Tenant = u.ID, u.HomeTenant
		}
		if err := s.record(ctx, e); err != nil {
			return nil, err
		}
	}
	return nil, limit.Refuse(fault.Limited, d.RetryAfter, "too many failed logins").WithCode("login_throttled")
}

// verdict is what became of the password; reason is empty if it was right and its user may log in.
type verdict struct {
	user   identity.User
	reason string
}

// verify takes the time of one hash whatever it finds. An error means that there is no verdict.
func (s *Service) verify(ctx context.Context, r Request) (verdict, error) {
	u, hash, err := s.Identity.Credential(ctx, r.App, r.Username)
	switch {
	case fault.Is(err, fault.NotFound):
		return verdict{reason: "unknown_user"}, s.Passwords.VerifyNothing(ctx, r.Password)
	case err != nil:
		return verdict{}, err
	case hash == "":
		return verdict{u, "no_password"}, s.Passwords.VerifyNothing(ctx, r.Password)
	}
	ok, weak, err := s.Passwords.Verify(ctx, hash, r.Password)
	switch {
	case fault.Is(err, fault.Invalid):
		return verdict{u, "unreadable_hash"}, nil
	case err != nil:
		return verdict{}, err
	case !ok:
		return verdict{u, "wrong_password"}, nil
	case u.Disabled:
		return verdict{u, "disabled"}, nil
	}
	if weak {
		s.strengthen(ctx, u, hash, r.Password)
	}
	return verdict{user: u}, nil
}

// strengthen replaces an old hash while its password is at hand. If it fails, the next login tries again.
func (s *Service) strengthen(ctx context.Context, u identity.User, old string, pw sealed.Value) {
	if hash, err := s.Passwords.Rehash(ctx, pw); err == nil {
		_ = s.Identity.ReplaceHash(ctx, u.App, u.ID, old, hash)
	}
}

// choose returns the tenant of a login, nil for an operator. A tenant that does not exist, is suspended, or is somebody
// else's gives one answer.
func (s *Service) choose(app, user, slug string) (*identity.Tenant, error) {
	a, ok := s.Identity.Account(app, user)
	switch {
	case !ok:
		return nil, ErrCredentials
	case a.Operator && slug == "":
		return nil, nil
	case a.Operator:
		return nil, badScope("an operator acts outside every tenant")
	case slug == "" && a.HomeTenant == "":
		return nil, badScope("this user is a member of no tenant")
	}
	t, ok := s.Identity.Tenant(app, a.HomeTenant)
	if slug != "" {
		t, ok = s.Identity.TenantBySlug(app, slug)
	}
	if !ok || t.Disabled || a.Roles(t.ID) == 0 {
		return nil, badScope("the tenant is not one this user can log in to")
	}
	return t, nil
}

// deny records a failed login and returns answer.
func (s *Service) deny(ctx context.Context, r Request, u identity.User, reason string, answer error) error {
	err := s.record(ctx, Event{Action: ActionLogin, Outcome: OutcomeDenied, Reason: reason, App: r.App, Tenant: u.HomeTenant,
		User: u.ID, Origin: r.Origin})
	if err != nil {
		return err
	}
	return answer
}

// issue records the login, makes the token and records that, all before the token leaves.
func (s *Service) issue(ctx context.Context, r Request, u identity.User, t *identity.Tenant) (Token, error) {
	sub := token.Subject{App: r.App, User: u.ID, Client: clip(r.ClientID, 128), CredentialVersion: u.CredentialVersion}
	out := Token{TokenType: "bearer"}
	if t != nil {
		sub.Tenant, out.Scope = t.ID, "tenant:"+t.Slug
	}
	e := Event{Action: ActionLogin, Outcome: OutcomeOK, App: r.App, Tenant: sub.Tenant, User: u.ID, Origin: r.Origin}
	if err := s.record(ctx, e); err != nil {
		return Token{}, err
	}
	issued, err := s.Tokens.Issue(ctx, sub)
	if err != nil {
		return Token{}, err
	}
	e.Action, e.Target = ActionTokenIssue, issued.Claims.Grant
	if err := s.record(ctx, e); err != nil {
		_ = s.Tokens.RevokeGrant(ctx, r.App, sub.Tenant, issued.Claims.Grant)
		return Token{}, err
	}
	out.AccessToken, out.ExpiresIn = issued.Token, int(issued.Expires.Seconds())
	return out, nil
}
