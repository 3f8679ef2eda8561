package keyring

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Signer signs with an ed25519 key (RFC 8032) that the root key wraps. It is safe for concurrent use and cannot be printed
// in a way that shows the key.
type Signer struct {
	id     string
	public ed25519.PublicKey
	sign   func([]byte) []byte
}

// ID names the key: the first bytes of the SHA-256 of its public part, so that whoever has that can check the name.
func (s *Signer) ID() string { return s.id }

// Public returns the key to verify with.
func (s *Signer) Public() ed25519.PublicKey { return append(ed25519.PublicKey(nil), s.public...) }

// Sign returns the signature of msg, 64 bytes.
func (s *Signer) Sign(msg []byte) []byte { return s.sign(msg) }

// PublicKey is a key that signatures can be verified with.
type PublicKey struct {
	ID        string            `json:"id"`
	Purpose   string            `json:"purpose"`
	Key       ed25519.PublicKey `json:"key"`        // 32 bytes, base64 in JSON
	CreatedAt int64             `json:"created_at"` // microseconds since 1970
	RetiredAt int64             `json:"retired_at"` // 0: still in use for new signatures
}

// MarshalJSON spells the key as unpadded base64url, as a JWK's "x" (RFC 8037).
func (k PublicKey) MarshalJSON() ([]byte, error) {
	type plain PublicKey
	return json.Marshal(struct {
		plain
		Key string `json:"key"`
	}{plain(k), base64.RawURLEncoding.EncodeToString(k.Key)})
}

// SignerID is the name of a public key.
func SignerID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return "sig_" + hex.EncodeToString(sum[:16])
}

// Signer returns the signing key in use for a purpose, making it if there is none; tx must be a write transaction then.
func (r *Ring) Signer(ctx context.Context, tx driver.Tx, purpose string) (*Signer, error) {
	row, err := tx.PrimarySystemKey(ctx, signPrefix+purpose)
	if errors.Is(err, driver.ErrNotFound) {
		if err := r.addSigner(ctx, tx, purpose); err != nil {
			return nil, err
		}
		row, err = tx.PrimarySystemKey(ctx, signPrefix+purpose)
	}
	if err != nil {
		return nil, err
	}
	seed, err := r.openSystemKey(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fault.Wrap(fault.Internal, base.ErrTampered, "the stored signing key %s is not one", row.ID)
	}
	return newSigner(seed), nil
}

func newSigner(seed []byte) *Signer {
	key := ed25519.NewKeyFromSeed(seed)
	public := key.Public().(ed25519.PublicKey)
	return &Signer{id: SignerID(public), public: public, sign: func(msg []byte) []byte { return ed25519.Sign(key, msg) }}
}

func (r *Ring) addSigner(ctx context.Context, tx driver.Tx, purpose string) error {
	seed := random()
	s := newSigner(seed)
	row := driver.SystemKeyRow{Purpose: signPrefix + purpose, ID: s.id, Public: s.public, Primary: true, CreatedAt: tx.Now()}
	return r.putSystem(ctx, tx, row, seed)
}

// RotateSigner puts a new signing key in the place of the one in use for a purpose. The old one's private part is destroyed;
// its public part stays listed, so that what it signed still verifies. tx must be a write transaction.
func (r *Ring) RotateSigner(ctx context.Context, tx driver.Tx, purpose string) (*Signer, error) {
	root, err := r.writeRoot(ctx, tx)
	if err != nil {
		return nil, err
	}
	row, err := tx.PrimarySystemKey(ctx, signPrefix+purpose)
	if err == nil {
		row.Primary, row.RetiredAt = false, tx.Now()
		if err = wrapSystem(root, &row, nil); err == nil {
			err = tx.PutSystemKey(ctx, row)
		}
	}
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return nil, err
	}
	return r.Signer(ctx, tx, purpose)
}

// PublicKeys returns every key that ever signed for a purpose, oldest first. Each is authenticated under the root key.
func (r *Ring) PublicKeys(ctx context.Context, tx driver.Tx, purpose string) ([]PublicKey, error) {
	rows, err := tx.ListSystemKeys(ctx)
	if err != nil {
		return nil, err
	}
	var out []PublicKey
	for _, row := range rows {
		if row.Purpose != signPrefix+purpose {
			continue
		}
		if _, err := r.openSystemKey(ctx, tx, row); err != nil {
			return nil, err
		}
		out = append(out, PublicKey{row.ID, purpose, row.Public, row.CreatedAt, row.RetiredAt})
	}
	return out, nil
}
