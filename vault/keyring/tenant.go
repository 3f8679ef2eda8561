package keyring

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// ErrDestroyed is what is left of a tenant whose keys were destroyed: no value opens, and nothing new is sealed. It is a
// vault.ErrDecryptionFailed too.
var ErrDestroyed error = fault.Wrap(fault.Conflict, base.ErrDecryptionFailed, "the keys of this tenant were destroyed").WithCode("KeysDestroyed")

// tenantKey is an opened tenant key. Its parts sit behind functions so that no printing reaches them.
type tenantKey struct {
	id   string
	aead func() *subtle.AESGCM
	mac  func([]byte) []byte
}

func openKey(keyID string, raw []byte) *tenantKey {
	aead := newAEAD(derive(raw, "value"))
	return &tenantKey{id: keyID, aead: func() *subtle.AESGCM { return aead }, mac: newMAC(derive(raw, "mark"))}
}

// keyData binds a wrapped key to its owner and to the root key that wraps it.
func keyData(app, tenant, keyID, rootID string) []byte {
	b := canon.Text(nil, "hayward/tenant-key/1")
	for _, s := range [...]string{app, tenant, keyID, rootID} {
		b = canon.Text(b, s)
	}
	return b
}

// primary returns the key for new values of a tenant, making it if the tenant has none. Which one it is, the store says
// each time: a value sealed under a key that was replaced or destroyed a moment ago elsewhere could be lost. A key from a
// transaction that may yet fail is not cached.
func (r *Ring) primary(ctx context.Context, tx driver.Tx, app, tenant string) (*tenantKey, error) {
	generation := r.cache.generation()
	row, err := tx.PrimaryKey(ctx, app, tenant)
	if errors.Is(err, driver.ErrNotFound) {
		return r.makeKey(ctx, tx, app, tenant)
	}
	if err != nil {
		return nil, err
	}
	name := keyName{app, tenant, row.ID}
	if k := r.cache.get(name); k != nil {
		return k, nil
	}
	k, err := r.unwrap(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	tx.AfterCommit(nil, func() error { r.cache.put(name, k, generation); return nil })
	return k, nil
}

// makeKey makes a tenant's primary key, unless somebody else just did or the tenant's keys were destroyed.
func (r *Ring) makeKey(ctx context.Context, tx driver.Tx, app, tenant string) (*tenantKey, error) {
	root, err := r.writeRoot(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := notDestroyed(ctx, tx, app, tenant); err != nil {
		return nil, err
	}
	row, err := tx.PrimaryKey(ctx, app, tenant)
	if err == nil {
		return r.unwrap(ctx, tx, row)
	}
	if !errors.Is(err, driver.ErrNotFound) {
		return nil, err
	}
	return newKey(ctx, tx, root, app, tenant)
}

func newKey(ctx context.Context, tx driver.Tx, root *rootKey, app, tenant string) (*tenantKey, error) {
	raw := random()
	row := driver.KeyRow{App: app, Tenant: tenant, ID: id.New(id.Key).String(), Primary: true, CreatedAt: tx.Now()}
	if err := wrapKey(root, &row, raw); err != nil {
		return nil, err
	}
	return openKey(row.ID, raw), tx.PutKey(ctx, row)
}

func wrapKey(root *rootKey, row *driver.KeyRow, raw []byte) (err error) {
	row.RootID = root.id
	if row.Wrapped, err = root.wrap().Encrypt(raw, keyData(row.App, row.Tenant, row.ID, root.id)); err != nil {
		return fault.Wrap(fault.Internal, err, "cannot wrap a tenant key")
	}
	return nil
}

func notDestroyed(ctx context.Context, tx driver.Tx, app, tenant string) error {
	row, err := tx.Shred(ctx, app, tenant)
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Wrap(fault.Conflict, ErrDestroyed, "the keys of this tenant were destroyed on purpose (receipt %s)", row.ID).
		WithCode("KeysDestroyed").WithHint("nothing can be stored for it again; a new tenant has a new id")
}

// byID returns the key that a stored value names. A cached key needs no look at the store.
func (r *Ring) byID(ctx context.Context, tx driver.Tx, app, tenant, keyID string) (*tenantKey, error) {
	name := keyName{app, tenant, keyID}
	if k := r.cache.get(name); k != nil {
		return k, nil
	}
	generation := r.cache.generation()
	row, err := tx.Key(ctx, app, tenant, keyID)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return nil, err
	}
	if err != nil || row.RootID == "" {
		return nil, keyGone(ctx, tx, app, tenant, keyID)
	}
	k, err := r.unwrap(ctx, tx, row)
	if err != nil { // a row that somebody put back after it was destroyed opens no more than it did before
		if gone := notDestroyed(ctx, tx, app, tenant); errors.Is(gone, ErrDestroyed) {
			err = gone
		}
		return nil, err
	}
	r.cache.put(name, k, generation)
	return k, nil
}

func keyGone(ctx context.Context, tx driver.Tx, app, tenant, keyID string) error {
	if err := notDestroyed(ctx, tx, app, tenant); err != nil {
		return err
	}
	return fault.Wrap(fault.Internal, base.ErrDecryptionFailed, "the key %s of this tenant is not in the store", keyID).
		WithHint("data was restored without the keys of its time: restore the key backup too")
}

func (r *Ring) unwrap(ctx context.Context, tx driver.Tx, row driver.KeyRow) (*tenantKey, error) {
	raw, err := r.openTenantKey(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	return openKey(row.ID, raw), nil
}

func (r *Ring) openTenantKey(ctx context.Context, tx driver.Tx, row driver.KeyRow) ([]byte, error) {
	root, err := r.rootFor(ctx, tx, row.RootID)
	if err != nil {
		return nil, err
	}
	raw, err := root.wrap().Decrypt(row.Wrapped, keyData(row.App, row.Tenant, row.ID, root.id))
	if err != nil || len(raw) != KeySize {
		return nil, fault.Wrap(fault.Internal, base.ErrTampered, "the stored tenant key %s is not what was written", row.ID).
			WithHint("restore the database from its backup")
	}
	return raw, nil
}

// Forget drops a tenant's opened keys from memory, after they were changed or destroyed in the store.
func (r *Ring) Forget(app, tenant string) { r.cache.forget(app, tenant) }

// Stale reports whether a key is no longer the one that new values of the tenant are encrypted under.
func (r *Ring) Stale(ctx context.Context, tx driver.Tx, app, tenant, keyID string) (bool, error) {
	row, err := tx.PrimaryKey(ctx, app, tenant)
	if errors.Is(err, driver.ErrNotFound) {
		return true, nil
	}
	return row.ID != keyID, err
}

// RotateTenant gives a tenant a new primary key and returns its id. The old keys stay and open what they encrypted, until
// [Ring.DropUnused]. tx must be a write transaction.
func (r *Ring) RotateTenant(ctx context.Context, tx driver.Tx, app, tenant string) (keyID string, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return "", err
	}
	root, err := r.writeRoot(ctx, tx)
	if err != nil {
		return "", err
	}
	if err := notDestroyed(ctx, tx, app, tenant); err != nil {
		return "", err
	}
	k, err := newKey(ctx, tx, root, app, tenant)
	if err != nil {
		return "", err
	}
	return k.id, nil
}

// DefaultKeepReplaced is how long a replaced key is kept at least: 90 days.
const DefaultKeepReplaced = 90 * 24 * time.Hour

// WithKeepReplaced sets how long a replaced key is kept at least, needed or not; the default is [DefaultKeepReplaced]. It
// must be longer than backups of the data are kept, because what an older backup holds may need a key that nothing needs
// today; and longer than any transaction may still be writing a value, so that less than an hour means an hour.
func WithKeepReplaced(d time.Duration) Option { return func(r *Ring) { r.keep = max(d, time.Hour) } }

// DropUnused destroys those of a tenant's replaced keys that nothing needs any more, once they are old enough (see
// [WithKeepReplaced]), and returns their ids. used says whether anything the rooms keep still names a key; that no secret's
// version does is checked besides. tx must be a write transaction.
func (r *Ring) DropUnused(ctx context.Context, tx driver.Tx, app, tenant string, used func(keyID string) (bool, error)) (dropped []string, err error) {
	keys, err := tx.ListKeys(ctx, app, tenant)
	if err != nil {
		return nil, err
	}
	keys = slices.DeleteFunc(keys, func(k driver.KeyRow) bool { return strings.HasPrefix(k.ID, namedPrefix) })
	slices.SortFunc(keys, func(a, b driver.KeyRow) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for i, k := range keys {
		if k.Primary || i+1 == len(keys) || tx.Now()-keys[i+1].CreatedAt < r.keep.Microseconds() {
			continue
		}
		n, err := tx.KeyUses(ctx, app, tenant, k.ID)
		needed := n > 0
		if err == nil && !needed {
			needed, err = used(k.ID)
		}
		if err == nil && !needed {
			err = errors.Join(overwriteKey(ctx, tx, k), tx.DeleteKey(ctx, app, tenant, k.ID))
			dropped = append(dropped, k.ID)
		}
		if err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

// MarkKeyID returns the id of the key that a mark of [Ring.Mark] names, or "".
func MarkKeyID(mark []byte) string {
	if len(mark) < macSize {
		return ""
	}
	rd := canon.NewReader(mark[:len(mark)-macSize])
	if keyID := rd.Text(); rd.Done() == nil {
		return keyID
	}
	return ""
}
