package auth

import (
	"context"

	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// ChangePassword lets a user change the own password by showing the current one, and ends every token the user has.
// Wrong guesses count as failed logins do.
//
// Errors: Invalid for a new password that is too short or long, and with field current_password for a wrong current
// one; Limited and Unavailable as for [Service.Login].
func (s *Service) ChangePassword(ctx context.Context, id Identity, current, fresh sealed.Value, from Origin) error {
	if err := password.CheckNew(fresh); err != nil {
		return err
	}
	r := Request{App: id.App, Username: id.UserName, Password: current, Origin: from}
	if lengthOf(current) > password.MaxBytes {
		return wrongCurrent()
	}
	attempt, err := s.admit(ctx, r)
	if err != nil {
		return err
	}
	v, err := s.verify(ctx, r)
	if err != nil {
		attempt.Abandon()
		return err
	}
	e := Event{Action: ActionPasswordChange, Outcome: OutcomeOK, App: id.App, Tenant: id.TenantID, User: id.UserID,
		Target: id.UserID, Origin: from}
	if v.reason == "" && v.user.ID != id.UserID {
		v.reason = "another_user" // deleted and created again meanwhile
	}
	if v.reason != "" {
		attempt.Fail()
		e.Outcome, e.Reason = OutcomeDenied, v.reason
		if err := s.record(ctx, e); err != nil {
			return err
		}
		return wrongCurrent()
	}
	attempt.Succeed()
	return s.replacePassword(ctx, e, fresh)
}

// replacePassword hashes first, so that a full queue leaves no entry of a change that did not happen.
func (s *Service) replacePassword(ctx context.Context, e Event, fresh sealed.Value) error {
	hash, err := s.Passwords.Hash(ctx, fresh)
	if err != nil {
		return err
	}
	if err := s.record(ctx, e); err != nil {
		return err
	}
	return s.Identity.SetPasswordHash(ctx, e.App, e.User, hash)
}

func wrongCurrent() error {
	return fault.New(fault.Invalid, "the current password is wrong").At(fault.Where{Field: "current_password"})
}

// Allow spends one unit of every check or of none, and returns a Limited fault that asks to wait when one refuses. It is
// for the limits of other routes; give the most specific check first.
func (s *Service) Allow(checks ...limit.Check) (limit.Decision, error) {
	d := s.Limiter.All(checks...)
	if d.Allowed {
		return d, nil
	}
	return d, limit.Refuse(fault.Limited, d.RetryAfter, "too many requests").WithCode("quota_exceeded")
}
