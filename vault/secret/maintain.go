package secret

import (
	"context"
	"errors"
	"slices"

	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// maintenance is how many secrets one transaction of the background's works on: others wait for it.
const maintenance = 50

// Reencrypt moves up to limit of an owner's secrets to the owner's present key: each of their versions that is under a
// former key is encrypted anew, and so is what authenticates them. done is how many secrets were moved, remaining how many
// are left; when that is 0 no row of a secret needs a former key any more. Values, versions and times stay as they are, and
// each secret can be read at every moment. One that is not what was written is left as it is and counts as remaining; the
// first such error is returned beside the numbers, after the others were moved.
//
// New versions are always under the present key; this is for the rest, in the background. It asks no gate and records
// nothing, see [Service.Stage].
func (s *Service) Reencrypt(ctx context.Context, app, tenant string, limit int) (done, remaining int64, err error) {
	o := Owner{app, tenant}
	if _, err := s.owned(o, "any"); err != nil {
		return 0, 0, err
	}
	run := reencryption{s: s, o: o}
	for !run.over && run.done < int64(limit) {
		next := run
		if err := s.st.Update(ctx, func(tx driver.Tx) error { next = run; return next.page(ctx, tx, min(limit-int(run.done), maintenance)) }); err != nil {
			return run.done, run.remaining, err
		}
		run = next
	}
	return run.done, run.remaining, run.failure
}

// reencryption is how far a [Service.Reencrypt] is.
type reencryption struct {
	s               *Service
	o               Owner
	after           string // the name it has come to
	done, remaining int64
	over            bool
	failure         error // the first
}

func (r *reencryption) page(ctx context.Context, tx driver.Tx, limit int) error {
	if err := tx.LockSecrets(ctx, r.o.App, r.o.Tenant); err != nil {
		return err
	}
	key, err := r.s.presentKey(ctx, tx, r.o)
	if err != nil {
		return err
	}
	heads, err := tx.StaleSecrets(ctx, r.o.App, r.o.Tenant, key, r.after, limit)
	if err != nil {
		return err
	}
	for _, head := range heads {
		r.after = head.Name
		err := r.s.reencrypt(ctx, tx, target{r.o.App, r.o.Tenant, head.Name}, key)
		switch {
		case err == nil:
			r.done++
		case !errors.Is(err, base.ErrTampered) && !errors.Is(err, base.ErrDecryptionFailed):
			return err
		case r.failure == nil:
			r.failure = err
		}
	}
	r.over = len(heads) < limit
	r.remaining, err = tx.CountStaleSecrets(ctx, r.o.App, r.o.Tenant, key)
	return err
}

// presentKey is the id of the key that marks and values are made under now.
func (s *Service) presentKey(ctx context.Context, tx driver.Tx, o Owner) (string, error) {
	mark, err := s.ring.Mark(ctx, tx, keyring.Place{Format: "hayward/secret-key/1", App: o.App, Tenant: o.Tenant})
	return markKey(mark), err
}

// reencrypt moves one secret. It opens everything before it writes anything: a damaged secret stays as it is.
func (s *Service) reencrypt(ctx context.Context, tx driver.Tx, t target, key string) error {
	r, err := s.lock(ctx, tx, t)
	if err != nil {
		return err
	}
	var moved []driver.SecretVersion
	for i := range r.list.Versions {
		st := &r.list.Versions[i]
		if st.Destroyed != 0 {
			continue
		}
		v, err := s.row(ctx, tx, r, st)
		if err != nil {
			return err
		}
		if v.KeyID == key {
			continue
		}
		value, err := s.ring.Unseal(ctx, tx, place(&v), boxOf(&v))
		if err != nil {
			return err
		}
		box, err := s.ring.Seal(ctx, tx, place(&v), value)
		if err != nil {
			return err
		}
		v.KeyID, v.Algorithm, v.Ciphertext = box.KeyID, box.Algorithm, box.Ciphertext
		moved = append(moved, v)
	}
	for _, v := range moved {
		if err := tx.ReplaceSecretVersion(ctx, v); err != nil {
			return err
		}
		if v.Version == r.head.Current {
			r.current = v
		}
	}
	return s.rewrite(ctx, tx, r)
}

// Sweep destroys the deleted versions of up to limit of an owner's secrets whose recovery window is over, and returns the
// secrets' names. It asks no gate and records nothing, see [Service.Stage].
func (s *Service) Sweep(ctx context.Context, app, tenant string, limit int) (names []string, err error) {
	if _, err := s.owned(Owner{app, tenant}, "any"); err != nil {
		return nil, err
	}
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		names = nil
		if err := tx.LockSecrets(ctx, app, tenant); err != nil {
			return err
		}
		heads, err := tx.ListDueSecrets(ctx, app, tenant, tx.Now(), min(limit, maintenance))
		if err != nil {
			return err
		}
		for _, head := range heads {
			r, err := s.lock(ctx, tx, target{app, tenant, head.Name})
			if err != nil {
				return err
			}
			if err := s.destroyLost(ctx, tx, r); err != nil {
				return err
			}
			if err := s.rewrite(ctx, tx, r); err != nil {
				return err
			}
			names = append(names, head.Name)
		}
		return nil
	})
	return names, err
}

// KeyUsed reports whether anything of an owner's secrets still needs a key, for keyring.Ring.DropUnused: a version, or what
// authenticates a secret or the ledger. It says yes as long as [Service.Reencrypt] is not done. It asks no gate and records
// nothing, see [Service.Stage].
func (s *Service) KeyUsed(ctx context.Context, tx driver.Tx, app, tenant, keyID string) (bool, error) {
	o := Owner{app, tenant}
	if _, err := s.owned(o, "any"); err != nil {
		return false, err
	}
	key, err := s.presentKey(ctx, tx, o)
	if err != nil || key == keyID {
		return err == nil, err
	}
	if n, err := tx.CountStaleSecrets(ctx, app, tenant, key); err != nil || n > 0 {
		return err == nil, err
	}
	parts, err := tx.ListLedger(ctx, app, tenant)
	return slices.ContainsFunc(parts, func(l driver.LedgerRow) bool { return l.MarkKey == keyID }), err
}
