package identity_test

import (
	"errors"
	"testing"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/db"
)

// Several changes are kept together or not at all, on disk and in memory, and what is added to the transaction counts.
func TestTogether(t *testing.T) {
	no := errors.New("no")
	for _, tc := range []struct {
		name        string
		fails, also error
	}{{"all is well", nil, nil}, {"a change fails", no, nil}, {"what is added fails", nil, no}} {
		t.Run(tc.name, func(t *testing.T) {
			f := newHouse(t)
			ctx := t.Context()
			var user identity.User
			var tenant identity.Tenant
			added := false
			err := f.Together(ctx, func(ids *identity.Store) (err error) {
				if tenant, err = ids.CreateTenant(ctx, f.app, "umbrella", ""); err != nil {
					return err
				}
				if user, err = ids.CreateUser(ctx, f.app, identity.NewUser{Name: "zoe"}); err != nil {
					return err
				}
				if _, ok := f.Account(f.app, user.ID); ok {
					t.Error("memory has the user before the disk")
				}
				return tc.fails
			}, func(tx *db.Tx) error { added = true; return tc.also })
			kept := tc.fails == nil && tc.also == nil
			if (err == nil) != kept || added != (tc.fails == nil) {
				t.Fatalf("%v, added %v", err, added)
			}
			_, inMemory := f.Account(f.app, user.ID)
			_, lookup := f.UserByName(ctx, f.app, "zoe")
			_, slug := f.TenantBySlug(f.app, "umbrella")
			if inMemory != kept || (lookup == nil) != kept || slug != kept || user.Name != "zoe" || tenant.Slug != "umbrella" {
				t.Errorf("kept %v: in memory %v, on disk %v, by slug %v; %+v %+v", kept, inMemory, lookup, slug, user, tenant)
			}
			if err := f.Reload(ctx); err != nil {
				t.Fatal(err)
			}
			if _, again := f.Account(f.app, user.ID); again != kept {
				t.Errorf("read again: %v", again)
			}
		})
	}
}

// What is read through the given store sees what was changed before it in the same transaction.
func TestTogetherReadsItsOwnWrites(t *testing.T) {
	f := newHouse(t)
	ctx := t.Context()
	tenant, err := f.CreateTenant(ctx, f.app, "umbrella", "")
	if err != nil {
		t.Fatal(err)
	}
	err = f.Together(ctx, func(ids *identity.Store) error {
		u, err := ids.CreateUser(ctx, f.app, identity.NewUser{Name: "zoe"})
		if err != nil {
			return err
		}
		if err := ids.SetMembership(ctx, f.app, tenant.ID, u.ID, policy.Admin); err != nil {
			return err
		}
		list, err := ids.ListMembers(ctx, f.app, tenant.ID, identity.Page{})
		if err == nil && (len(list) != 1 || list[0].User.ID != u.ID) {
			t.Errorf("got %+v", list)
		}
		return err
	}, func(*db.Tx) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}
