package app

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// Founded is what [CreateOperator] did.
type Founded struct {
	User    identity.User
	Origin  string // where the root key is, for people
	NewRoot bool   // the root key was made just now
}

// CreateOperator creates an operator on the files of a server that is not running: whoever owns the data directory and
// the root key may do that, and nobody is there yet who could allow it. The audit names the way it was done.
func CreateOperator(ctx context.Context, s Settings, name string, pw sealed.Value) (out Founded, err error) {
	v, err := OpenVault(ctx, s.DataDir, s.Root, s.Log)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	out.Origin, out.NewRoot = v.Ring.Origin()
	if err := v.DB.Migrate(ctx, auth.Schema()); err != nil {
		return out, err
	}
	ids, err := identity.Open(ctx, v.DB, identity.Options{Reserved: reserved})
	if err != nil {
		return out, err
	}
	slug := s.App
	if slug == "" {
		slug = "default"
	}
	app, err := ids.EnsureApp(ctx, slug)
	if err != nil {
		return out, err
	}
	entry, err := v.Log.Begin(ctx, scope.Caller{App: app.ID}, audit.Event{Action: "user.manage", Resource: "user", Name: name, Operator: true,
		Details: []audit.Detail{{Key: "by", Value: "the owner of the data directory"}}})
	if err != nil {
		return out, err
	}
	out.User, err = createOperator(ctx, ids, s.Password, app.ID, name, pw)
	if err == nil {
		entry.Note(audit.Detail{Key: "user", Value: out.User.ID})
	}
	return out, entry.EndErr(ctx, err)
}

func createOperator(ctx context.Context, ids *identity.Store, o password.Options, app, name string, pw sealed.Value) (identity.User, error) {
	hasher, err := password.New(o)
	if err != nil {
		return identity.User{}, err
	}
	hash, err := hasher.Hash(ctx, pw)
	if err != nil {
		return identity.User{}, err
	}
	return ids.CreateUser(ctx, app, identity.NewUser{Name: name, Operator: true, PasswordHash: hash})
}

// HasUsers reports whether anybody could log in at all: a server without users was never set up.
func (a *App) HasUsers(ctx context.Context) (bool, error) {
	list, err := a.Auth.Identity.ListUsers(ctx, a.AppID, identity.Page{Limit: 1})
	return len(list) > 0, err
}
