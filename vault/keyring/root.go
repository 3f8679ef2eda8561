package keyring

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// KeySize is the length of a root key and of a tenant key, in bytes.
const KeySize = 32

// DefaultVariable is the environment variable that holds the root key when no other is named.
const DefaultVariable = "HAYWARD_ROOT_KEY"

// Root is a root key and where it came from. It cannot be printed.
type Root struct {
	key     sealed.Value
	Origin  string // for people: "the file /home/ann/.config/hayward/root.key"
	Created bool   // the key was made just now
}

// NewRoot returns a root key of exactly 32 bytes, or vault.ErrInvalidKey.
func NewRoot(key []byte, origin string) (Root, error) {
	if len(key) != KeySize {
		return Root{}, fault.Wrap(fault.Invalid, base.ErrInvalidKey, "the root key from %s has %d bytes", origin, len(key)).
			WithHint("a root key is 32 random bytes, for example from: head -c 32 /dev/urandom | base64")
	}
	return Root{key: sealed.New(key), Origin: origin}, nil
}

// IsZero reports whether there is no key.
func (r Root) IsZero() bool { return r.key.IsZero() }

// Bytes returns a copy of the key, for the documented provider interface of the package crypto; servers have no use for it.
func (r Root) Bytes() []byte { return reveal.Inside(r.key) }

// ID names the key without saying anything about it: the first bytes of a value derived from it.
func (r Root) ID() string { return "root_" + hex.EncodeToString(r.derive("id")[:8]) }

// derive returns 32 bytes that only a holder of the root key can compute (HKDF-SHA256, RFC 5869).
func (r Root) derive(purpose string) []byte {
	return derive(reveal.Inside(r.key), purpose)
}

func derive(key []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "hayward/"+purpose+"/1", KeySize)
	if err != nil {
		panic("keyring: HKDF refused 32 bytes: " + err.Error())
	}
	return out
}

// Provider is a place where a root key comes from. It is safe for concurrent use: a ring that follows a change of the root
// key asks in the background.
type Provider interface {
	// Root returns the key, or vault.ErrNoRootKey. With create, nothing is encrypted yet: a provider that can make a key
	// makes one if there is none.
	Root(ctx context.Context, create bool) (Root, error)
}

// Root makes a key its own provider.
func (r Root) Root(context.Context, bool) (Root, error) {
	if r.IsZero() {
		return Root{}, noRoot("no root key was given")
	}
	return r, nil
}

// ChooseRoot provides the key in the environment variable if that is set, else the one in the file. The file is not
// touched when the variable is set.
func ChooseRoot(variable, path string, outside ...string) Provider {
	if variable == "" {
		variable = DefaultVariable
	}
	if os.Getenv(variable) != "" {
		return EnvRoot(variable)
	}
	return FileRoot(path, outside...)
}

func noRoot(format string, args ...any) error {
	return fault.Wrap(fault.Unavailable, base.ErrNoRootKey, format, args...).WithCode("NoRootKey")
}

// parseKey reads 32 bytes in hex or any of the four usual forms of base64. Its error says nothing about the text.
func parseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if b, err := hex.DecodeString(text); err == nil && len(b) == KeySize {
		return b, nil
	}
	text = strings.TrimRight(text, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.Strict().DecodeString(text); err == nil && len(b) == KeySize {
			return b, nil
		}
	}
	return nil, base.ErrInvalidKey
}
