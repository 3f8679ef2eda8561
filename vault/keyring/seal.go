package keyring

import (
	"context"
	"crypto/hmac"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Algorithm is what values are encrypted with.
const Algorithm = "AES-256-GCM"

// Place is where a value belongs. All of it is bound into the ciphertext: a value opens at no other place.
type Place struct {
	Format            string // what kind of value, and the version of its layout: "hayward/secret/1"
	App, Tenant, Name string
	Version           int64
	Bound             []byte // whatever else must not change without the value: destinations, expiry
}

func (p *Place) associatedData(keyID string) []byte {
	return p.appendData(make([]byte, 0, 64+len(p.Format)+len(p.App)+len(p.Tenant)+len(p.Name)+len(keyID)+len(p.Bound)), keyID)
}

func (p *Place) appendData(b []byte, keyID string) []byte {
	b = canon.Text(b, p.Format)
	b = canon.Text(b, p.App)
	b = canon.Text(b, p.Tenant)
	b = canon.Text(b, p.Name)
	b = canon.Int(b, p.Version)
	b = canon.Text(b, keyID)
	return canon.Text(b, p.Bound)
}

// Box is an encrypted value and the id of the key that opens it.
type Box struct {
	KeyID      string
	Algorithm  string
	Ciphertext []byte // nonce, ciphertext, tag
}

// Seal encrypts v for a place under the tenant's key, making that key if the tenant has none yet. tx must be a write
// transaction.
func (r *Ring) Seal(ctx context.Context, tx driver.Tx, p Place, v sealed.Value) (Box, error) {
	k, err := r.primary(ctx, tx, p.App, p.Tenant)
	if err != nil {
		return Box{}, err
	}
	ct, err := k.aead().Encrypt(reveal.Inside(v), p.associatedData(k.id))
	if err != nil {
		return Box{}, fault.Wrap(fault.Internal, err, "cannot encrypt a value")
	}
	if r.metrics != nil {
		r.metrics.Encrypted.Inc()
	}
	return Box{KeyID: k.id, Algorithm: Algorithm, Ciphertext: ct}, nil
}

// scratch are buffers for the associated data of a read, the hottest thing a ring does.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// Unseal opens a box at its place. It fails with vault.ErrDecryptionFailed if the box, the place or anything bound to it
// is not what was sealed.
func (r *Ring) Unseal(ctx context.Context, tx driver.Tx, p Place, b Box) (sealed.Value, error) {
	if b.Algorithm != Algorithm {
		return sealed.Value{}, fault.Wrap(fault.Internal, base.ErrDecryptionFailed,
			"a value is stored under an algorithm this program does not know").
			WithHint("a newer version of this program may have written it")
	}
	k, err := r.byID(ctx, tx, p.App, p.Tenant, b.KeyID)
	if err != nil {
		return sealed.Value{}, err
	}
	ad := scratch.Get().(*[]byte)
	*ad = p.appendData((*ad)[:0], b.KeyID)
	pt, err := k.aead().Decrypt(b.Ciphertext, *ad)
	scratch.Put(ad)
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Internal, base.ErrDecryptionFailed,
			"the stored value does not belong here or was changed").
			WithHint("restore the database from its backup, or set the value again")
	}
	v := sealed.New(pt)
	clear(pt)
	if r.metrics != nil {
		r.metrics.Decrypted.Inc()
	}
	return v, nil
}

// Mark authenticates what p says under the tenant's key, for records that hold no value of their own: the version a
// secret has reached. tx must be a write transaction.
func (r *Ring) Mark(ctx context.Context, tx driver.Tx, p Place) ([]byte, error) {
	k, err := r.primary(ctx, tx, p.App, p.Tenant)
	if err != nil {
		return nil, err
	}
	return append(canon.Text(nil, k.id), k.mac(p.associatedData(k.id))...), nil
}

const macSize = 32

// CheckMark fails with vault.ErrTampered unless mark was made by [Ring.Mark] for the very same p.
func (r *Ring) CheckMark(ctx context.Context, tx driver.Tx, p Place, mark []byte) error {
	bad := func() error {
		return fault.Wrap(fault.Internal, base.ErrTampered, "a stored record is not what was written, or an older one was put in its place").
			WithHint("restore the database from its backup")
	}
	keyID := MarkKeyID(mark)
	if keyID == "" {
		return bad()
	}
	k, err := r.byID(ctx, tx, p.App, p.Tenant, keyID)
	if err != nil {
		return err
	}
	if !hmac.Equal(k.mac(p.associatedData(keyID)), mark[len(mark)-macSize:]) {
		return bad()
	}
	return nil
}
