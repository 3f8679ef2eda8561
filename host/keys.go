package host

import (
	"context"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/key"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Keys does what people ask of keys, who name tenants by their slugs.
type Keys struct {
	*key.Service
	Gate    audit.Gate
	Tenants *identity.Store
	Ring    *keyring.Ring
	Secrets *secret.Service
}

// KeyOwner says whose keys: the zero value is the caller's own tenant, everything else is an operator's.
type KeyOwner struct {
	Tenant   string // slug
	Shared   bool   // the entries shared with every tenant
	Operator bool   // what is outside every tenant
}

// owner turns a slug into an id. A tenant that the caller cannot mean is recorded like any other miss.
func (k *Keys) owner(ctx context.Context, action string, o KeyOwner) (scope.Caller, key.Owner, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return c, key.Owner{}, err
	}
	out := key.Owner{Shared: o.Shared, Operator: o.Operator}
	if o.Shared || o.Operator {
		return c, out, nil
	}
	t, missing := tenantOf(k.Tenants, c, o.Tenant)
	if missing == nil {
		out.Tenant = t.ID
		return c, out, nil
	}
	entry, err := k.Gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "key", Operator: c.Tenant == ""})
	if err != nil {
		return c, out, err
	}
	return c, out, entry.EndErr(ctx, missing)
}

// ListKeys returns an owner's keys, oldest first.
func (k *Keys) ListKeys(ctx context.Context, o KeyOwner) ([]key.Key, error) {
	_, owner, err := k.owner(ctx, key.ActionList, o)
	if err != nil {
		return nil, err
	}
	return k.List(ctx, owner)
}

// Rotated is what became of a change of an owner's key.
type Rotated struct {
	ID          string `json:"id"`          // the new key's
	Reencrypted int64  `json:"reencrypted"` // secrets that are under it now
	Remaining   int64  `json:"remaining"`   // secrets that are not yet; the next rotation goes on
}

// reencryptBatch is how many secrets one transaction encrypts anew.
const reencryptBatch = 100

// RotateKey gives an owner a new key and encrypts its secrets under it, in small transactions, while they go on being read.
func (k *Keys) RotateKey(ctx context.Context, o KeyOwner) (*Rotated, error) {
	c, owner, err := k.owner(ctx, key.ActionRotate, o)
	if err != nil {
		return nil, err
	}
	out := &Rotated{}
	if out.ID, err = k.RotateTenant(ctx, owner); err != nil || owner.Operator {
		return out, err // nothing outside tenants is a secret
	}
	tenant := owner.Tenant
	if owner.Shared {
		tenant = driver.Shared
	}
	for {
		done, left, err := k.Secrets.Reencrypt(ctx, c.App, tenant, reencryptBatch)
		out.Reencrypted, out.Remaining = out.Reencrypted+done, left
		if err != nil || left == 0 || done == 0 {
			return out, err
		}
	}
}

// ShredTenant destroys every key of a tenant, for ever. confirm must be the tenant's slug once more: nobody does this with
// one slip of a finger.
func (k *Keys) ShredTenant(ctx context.Context, slug, confirm, reason string) (keyring.Receipt, error) {
	_, owner, err := k.owner(ctx, key.ActionShred, KeyOwner{Tenant: slug})
	if err != nil {
		return keyring.Receipt{}, err
	}
	if c, err := scope.Lenient(ctx); err == nil && c.Tenant == "" && confirm != slug {
		return keyring.Receipt{}, fault.New(fault.Invalid, "the confirmation is not the tenant's slug").At(fault.Where{Field: "confirm"}).
			WithHint("every value of the tenant becomes unreadable for ever: type %s", slug)
	}
	return k.Shred(ctx, owner.Tenant, "", reason)
}

// ExportKeys returns every key as a file that opens with today's root key only; for an operator. It is kept apart from
// backups of the data.
func (k *Keys) ExportKeys(ctx context.Context) ([]byte, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := k.Gate.Enter(ctx, audit.Request{Caller: c, Action: "key.export", Resource: "key", Operator: true})
	if err != nil {
		return nil, err
	}
	b, err := k.Ring.Export(ctx)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return b, nil
}
