package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
)

// MAC authenticates bytes with HMAC-SHA256 under a key derived from the root key. It is safe for concurrent use.
type MAC func(data []byte) []byte

// MAC returns the authenticator for a purpose; different purposes have unrelated keys.
func (r *Ring) MAC(purpose string) MAC { return newMAC(r.root.derive("mac/" + purpose)) }

func newMAC(key []byte) MAC {
	pool := sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
	return func(data []byte) []byte {
		h := pool.Get().(hash.Hash)
		defer pool.Put(h)
		h.Reset()
		h.Write(data)
		return h.Sum(nil)
	}
}

func (r *Ring) systemData(purpose string) []byte {
	return canon.Text(canon.Text(canon.Text(nil, "hayward/system/1"), purpose), r.rootID)
}

// Wrap encrypts something that belongs to the server and to no tenant, such as a token signing key, directly under a key
// derived from the root key. It is bound to purpose.
func (r *Ring) Wrap(purpose string, plaintext []byte) ([]byte, error) {
	ct, err := r.wrap().Encrypt(plaintext, r.systemData(purpose))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot wrap a key of the server")
	}
	return ct, nil
}

// Unwrap opens what [Ring.Wrap] made for the same purpose under the same root key.
func (r *Ring) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	pt, err := r.wrap().Decrypt(wrapped, r.systemData(purpose))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, base.ErrDecryptionFailed,
			"a stored key of the server does not belong here or was changed").
			WithHint("check that the root key is the one this data was written with")
	}
	return pt, nil
}
