package key

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// maxReason is the longest reason, in bytes.
const maxReason = 1000

// Shred destroys every key of a tenant, for ever: no value of it opens again, in this data or in any earlier backup of it, and
// nothing can be stored for it any more. Only an operator may, and must say why. It returns the signed receipt. An
// interrupted call is finished by the next one for the same tenant, which returns the same receipt ever after.
func (s *Service) Shred(ctx context.Context, tenant, appID, reason string) (keyring.Receipt, error) {
	app, owner, p, err := s.enter(ctx, ActionShred, Owner{App: appID, Tenant: tenant}, true)
	if err != nil {
		return keyring.Receipt{}, err
	}
	rec, err := s.shred(ctx, p, app, owner, reason)
	if err == nil {
		p.Note(audit.Detail{Key: "receipt", Value: rec.ID}, audit.Detail{Key: "keys", Value: strconv.Itoa(rec.Count)},
			audit.Detail{Key: "epoch", Value: strconv.FormatInt(rec.EpochAfter, 10)})
	}
	if err := p.EndErr(ctx, err); err != nil {
		return keyring.Receipt{}, err
	}
	return rec, nil
}

func (s *Service) shred(ctx context.Context, p *audit.Pending, app, tenant, reason string) (keyring.Receipt, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > maxReason || !utf8.ValidString(reason) {
		return keyring.Receipt{}, fault.New(fault.Invalid, "destroying a tenant's keys needs a reason of 1 to %d bytes", maxReason).
			At(fault.Where{Field: "reason"}).WithHint("it is written into the record and the receipt")
	}
	checkpoint, err := s.checkpoint(ctx)
	if err != nil {
		return keyring.Receipt{}, fault.Wrap(fault.Unavailable, err, "the audit record cannot say where it stands; nothing was destroyed")
	}
	return s.ring.Shred(ctx, keyring.ShredRequest{App: app, Tenant: tenant, Reason: reason, RequestedBy: p.Caller().User, Checkpoint: checkpoint})
}

// Receipts returns the receipts of an app's tenants by tenant, up to limit (1 to 1000; 0 means 100) of those after the given
// tenant. Only an operator may.
func (s *Service) Receipts(ctx context.Context, appID, after string, limit int) (list []keyring.Receipt, err error) {
	if limit == 0 {
		limit = 100
	}
	app, p, err := s.server(ctx, ActionReceipts, appID)
	if err != nil {
		return nil, err
	}
	if limit < 1 || limit > 1000 {
		err = fault.New(fault.Invalid, "a page of receipts has 1 to 1000 entries, not %d", limit).At(fault.Where{Field: "limit"})
	} else {
		err = s.st.View(ctx, func(tx driver.Tx) (err error) {
			list, err = s.ring.Receipts(ctx, tx, app, after, limit)
			return err
		})
	}
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return list, nil
}

// PublicKeys returns the keys that receipts and whatever else was signed for a purpose verify with, those of former signing
// keys too. They are no secret: whoever may call the server may have them, and nothing is recorded.
func (s *Service) PublicKeys(ctx context.Context, purpose string) (keys []keyring.PublicKey, err error) {
	err = s.st.View(ctx, func(tx driver.Tx) (err error) {
		keys, err = s.ring.PublicKeys(ctx, tx, purpose)
		return err
	})
	return keys, err
}
