package crypto

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
)

// KeySize is the length of a key in bytes.
const KeySize = keyring.KeySize

// ErrInvalidKeySize is returned for keys that are not 32 bytes long.
var ErrInvalidKeySize = base.ErrInvalidKey

// Encryptor encrypts with AES-256-GCM. It is safe for concurrent use and does not print its key.
type Encryptor struct{ ring *keyring.Ring }

// NewEncryptor returns an encryptor for a key of 32 bytes, or [ErrInvalidKeySize].
func NewEncryptor(key []byte) (*Encryptor, error) {
	root, err := keyring.NewRoot(key, "the program")
	if err != nil {
		return nil, err
	}
	ring, err := keyring.New(root)
	if err != nil {
		return nil, err
	}
	return &Encryptor{ring}, nil
}

const purpose = "encryptor"

// Encrypt returns nonce, ciphertext and tag in one slice.
func (e *Encryptor) Encrypt(plaintext []byte) ([]byte, error) { return e.ring.Wrap(purpose, plaintext) }

// Decrypt opens what Encrypt made with the same key. It fails with vault.ErrDecryptionFailed.
func (e *Encryptor) Decrypt(ciphertext []byte) ([]byte, error) {
	return e.ring.Unwrap(purpose, ciphertext)
}

// Ring returns the keyring underneath. A nil Encryptor has none: there is no storing in plain text.
func (e *Encryptor) Ring() (*keyring.Ring, error) {
	if e == nil {
		return nil, fault.Wrap(fault.Unavailable, base.ErrNoRootKey, "no encryptor was given")
	}
	return e.ring, nil
}

// EncryptionKeyProvider is a place where a key comes from.
type EncryptionKeyProvider interface {
	// GetKey returns the key's 32 bytes.
	GetKey(ctx context.Context) ([]byte, error)
	// RotateKey puts another key in its place and returns that.
	RotateKey(ctx context.Context) ([]byte, error)
}

// EnvKeyProvider reads the key from an environment variable, in hex or base64. Its errors never quote the variable.
type EnvKeyProvider struct{ variable string }

// NewEnvKeyProvider returns a provider for the named variable.
func NewEnvKeyProvider(variable string) *EnvKeyProvider { return &EnvKeyProvider{variable} }

// GetKey returns the key's 32 bytes.
func (p *EnvKeyProvider) GetKey(ctx context.Context) ([]byte, error) {
	root, err := keyring.EnvRoot(p.variable).Root(ctx, false)
	if err != nil {
		return nil, err
	}
	return root.Bytes(), nil
}

// RotateKey fails: a program cannot change its own environment for the next start. How the root key of a server changes,
// also one in a variable, is keyring.Ring.RotateRoot.
func (p *EnvKeyProvider) RotateKey(context.Context) ([]byte, error) {
	return nil, fault.New(fault.Unsupported, "a key in an environment variable cannot be rotated from here")
}
