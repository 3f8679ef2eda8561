package app

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/db"
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
	v, err := OpenVault(ctx, s)
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
	hash, err := hashed(ctx, s.Password, pw)
	if err != nil {
		return out, entry.EndErr(ctx, err)
	}
	err = ids.Together(ctx, func(ids *identity.Store) error {
		out.User, err = ids.CreateUser(ctx, app.ID, identity.NewUser{Name: name, Operator: true, PasswordHash: hash})
		return err
	}, func(tx *db.Tx) error {
		return entry.EndTx(ctx, v.Store.In(tx), audit.OK, audit.Detail{Key: "user", Value: out.User.ID})
	})
	if err != nil {
		return out, entry.EndErr(ctx, err)
	}
	return out, nil
}

func hashed(ctx context.Context, o password.Options, pw sealed.Value) (string, error) {
	hasher, err := password.New(o)
	if err != nil {
		return "", err
	}
	return hasher.Hash(ctx, pw)
}

// HasUsers reports whether anybody could log in at all: a server without users was never set up.
func (a *App) HasUsers(ctx context.Context) (bool, error) {
	list, err := a.Auth.Identity.ListUsers(ctx, a.AppID, identity.Page{Limit: 1})
	return len(list) > 0, err
}
