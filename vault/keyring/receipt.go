package keyring

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
)

// ReceiptPurpose is what the keys that sign receipts are made for, see [Ring.PublicKeys].
const ReceiptPurpose = "hayward/shred-receipt/1"

const receiptFormat = "hayward-shred-receipt/1"

// receiptLimits is part of every receipt, and signed with it.
const receiptLimits = "The keys named here were overwritten and deleted, and the root key that had wrapped them was replaced. A backup of " +
	"the data holds no keys, and opens nothing of this tenant. Outside this promise are copies, made before, of root keys, root key " +
	"files and key backups: whoever has both an old copy of the keys and the root key of its time can still open old copies of the data. " +
	"A root key that the operator keeps, as in an environment variable, ceases to exist when the operator destroys it."

// Receipt says that a tenant's keys were destroyed. It is signed over all of its fields.
type Receipt struct {
	Format      string    `json:"format"`
	ID          string    `json:"id"`
	App         string    `json:"app"`
	Tenant      string    `json:"tenant"`
	Reason      string    `json:"reason"`
	RequestedBy string    `json:"requested_by"`
	RequestedAt time.Time `json:"requested_at"` // the keys were overwritten then; microseconds
	CompletedAt time.Time `json:"completed_at"` // the former root key was replaced by then
	EpochBefore int64     `json:"epoch_before"`
	EpochAfter  int64     `json:"epoch_after"`
	RootBefore  string    `json:"root_before"` // ids of the root keys
	RootAfter   string    `json:"root_after"`
	Keys        []string  `json:"keys"` // ids of the destroyed keys
	Count       int       `json:"count"`
	Checkpoint  string    `json:"audit_checkpoint"` // where the audit record stood
	Limits      string    `json:"limits"`           // what the promise does not cover
	Signer      string    `json:"signer"`           // the id of the signing key, see SignerID
	Signature   []byte    `json:"signature"`        // ed25519, over the fields above
}

// signed is what the signature covers: every field, with its length, so that no spelling of the JSON matters.
func (r Receipt) signed() []byte {
	b := canon.Text(nil, r.Format)
	for _, s := range [...]string{r.ID, r.App, r.Tenant, r.Reason, r.RequestedBy, r.RootBefore, r.RootAfter, r.Checkpoint, r.Limits, r.Signer} {
		b = canon.Text(b, s)
	}
	for _, n := range [...]int64{r.RequestedAt.UnixMicro(), r.CompletedAt.UnixMicro(), r.EpochBefore, r.EpochAfter, int64(r.Count), int64(len(r.Keys))} {
		b = canon.Int(b, n)
	}
	for _, k := range r.Keys {
		b = canon.Text(b, k)
	}
	return b
}

func (r *Receipt) sign(s *Signer) {
	r.Signer = s.ID()
	r.Signature = s.Sign(r.signed())
}

// ParseReceipt reads a receipt's JSON. It checks the form only: see [VerifyReceipt].
func ParseReceipt(text []byte) (r Receipt, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err = dec.Decode(&r)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return Receipt{}, fault.Wrap(fault.Invalid, err, "this is not a receipt of destroyed keys")
	}
	return r, nil
}

// VerifyReceipt checks a receipt against a public key, which must come from elsewhere: from the server at another time, or
// from whoever published it. It fails with vault.ErrTampered.
func VerifyReceipt(public ed25519.PublicKey, r Receipt) error {
	bad := func(why string) error {
		return fault.Wrap(fault.Invalid, base.ErrTampered, "the receipt does not verify: %s", why)
	}
	switch {
	case len(public) != ed25519.PublicKeySize:
		return fault.New(fault.Invalid, "a public key to verify with has %d bytes", ed25519.PublicKeySize)
	case r.Format != receiptFormat:
		return bad("it has another format")
	case r.Signer != SignerID(public):
		return bad("another key signed it")
	case r.Count != len(r.Keys) || r.EpochAfter <= r.EpochBefore || r.RootAfter == r.RootBefore:
		return bad("it contradicts itself")
	case !ed25519.Verify(public, r.signed(), r.Signature):
		return bad("its signature does not fit")
	}
	return nil
}
