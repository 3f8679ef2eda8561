package keyring

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
)

// KMS is a key management service that wraps a root key: it is asked once when a server starts, and never for a value.
// What it wrapped opens with the same aad only. The implementations are awskms, gcpkms and transit below this package, and
// [UnderRoot] here.
type KMS interface {
	// Name says which service and which of its keys, as "awskms:arn:aws:kms:..."; it is written beside what was wrapped.
	Name() string
	// Wrap encrypts 32 bytes, bound to aad, which is not secret.
	Wrap(ctx context.Context, plaintext []byte, aad string) ([]byte, error)
	// Unwrap opens what Wrap made.
	Unwrap(ctx context.Context, wrapped []byte, aad string) ([]byte, error)
}

// WrappedRoot provides a root key that is made here and kept wrapped by kms in a file outside the data directory, under the
// rules of [FileRoot]. The file alone opens nothing, and neither does the service: whoever has a copy of an old file, of the
// old keys, and may still use the service, can open what these keys open.
//
// It is a [Rotator]. A root key that one of former wrapped is opened too, and the next one is wrapped by kms: that is how
// to leave a service or one of its keys.
func WrappedRoot(path string, kms KMS, former []KMS, outside ...string) Rotator {
	return wrappedRoot{keyFile{path, outside}, kms, former}
}

type wrappedRoot struct {
	file   keyFile
	kms    KMS
	former []KMS
}

// wrappedKey is what the file holds.
type wrappedKey struct {
	Format  string `json:"format"`
	KMS     string `json:"kms"`
	Root    string `json:"root"` // the root key's id
	Wrapped []byte `json:"wrapped"`
}

const wrappedFormat = "hayward-wrapped-root/1"

func wrappedAAD(rootID string) string { return "hayward root key " + rootID }

func (w wrappedRoot) Root(ctx context.Context, create bool) (Root, error) {
	root, err := w.at(ctx, w.file.path, create)
	if errors.Is(err, fs.ErrNotExist) {
		return Root{}, noRoot("the wrapped root key %s is missing or empty", w.file.path)
	}
	return root, err
}

// Next implements [Rotator].
func (w wrappedRoot) Next(ctx context.Context, create bool) (Root, error) {
	root, err := w.at(ctx, w.file.next(), create)
	if errors.Is(err, fs.ErrNotExist) {
		return Root{}, nil
	}
	return root, err
}

func (w wrappedRoot) at(ctx context.Context, path string, create bool) (Root, error) {
	if err := w.file.checkPlace(); err != nil {
		return Root{}, err
	}
	read := func(path string) (Root, error) { return w.open(ctx, path) }
	if !create {
		return read(path)
	}
	return w.file.make(path, read, func(path string) (Root, error) { return w.create(ctx, path) })
}

// Promote implements [Rotator].
func (w wrappedRoot) Promote(_ context.Context, rootID string) (string, error) {
	return w.file.promote(rootID, func(path string) (string, error) {
		k, err := readWrapped(path)
		return k.Root, err
	})
}

func readWrapped(path string) (k wrappedKey, err error) {
	text, err := readKeyFile(path)
	if err != nil {
		return k, err
	}
	k, err = parseWrapped(text)
	if err != nil {
		return k, fault.Wrap(fault.Invalid, base.ErrInvalidKey, "%s does not hold a wrapped root key", path).
			WithHint("restore it from its backup")
	}
	return k, nil
}

func parseWrapped(text []byte) (k wrappedKey, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil {
		return k, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || k.Format != wrappedFormat || k.KMS == "" || k.Root == "" || len(k.Wrapped) == 0 {
		return k, base.ErrInvalidKey
	}
	return k, nil
}

func (w wrappedRoot) open(ctx context.Context, path string) (Root, error) {
	k, err := readWrapped(path)
	if err != nil {
		return Root{}, err
	}
	kms := w.named(k.KMS)
	if kms == nil {
		return Root{}, fault.New(fault.Unavailable, "the root key in %s is wrapped by %s, but the server was given %s", path, k.KMS, w.kms.Name()).
			WithHint("name that service among the former ones until the root key was changed")
	}
	key, err := kms.Unwrap(ctx, k.Wrapped, wrappedAAD(k.Root))
	if err != nil {
		return Root{}, fault.Wrap(cmp.Or(fault.From(err).Kind, fault.Unavailable), err, "the root key in %s could not be unwrapped", path).
			WithHint("%s", cmp.Or(fault.From(err).Hint, "check the service, its key and the credentials for it"))
	}
	root, err := NewRoot(key, w.origin(kms))
	clear(key)
	if err == nil && root.ID() != k.Root {
		err = fault.Wrap(fault.Internal, base.ErrTampered, "the wrapped root key in %s is not the one it names", path)
	}
	return root, err
}

func (w wrappedRoot) named(name string) KMS {
	for _, kms := range append([]KMS{w.kms}, w.former...) {
		if kms.Name() == name {
			return kms
		}
	}
	return nil
}

func (w wrappedRoot) origin(kms KMS) string { return kms.Name() + " and the file " + w.file.path }

func (w wrappedRoot) create(ctx context.Context, path string) (Root, error) {
	root, err := NewRoot(random(), w.origin(w.kms))
	if err != nil {
		return Root{}, err
	}
	root.Created = true
	ct, err := w.kms.Wrap(ctx, root.Bytes(), wrappedAAD(root.ID()))
	if err != nil {
		return Root{}, fault.Wrap(cmp.Or(fault.From(err).Kind, fault.Unavailable), err, "a new root key could not be wrapped").
			WithHint("%s", cmp.Or(fault.From(err).Hint, "check the service, its key and the credentials for it"))
	}
	text, err := json.MarshalIndent(wrappedKey{wrappedFormat, w.kms.Name(), root.ID(), ct}, "", "\t")
	if err != nil {
		return Root{}, fault.Wrap(fault.Internal, err, "cannot write down a wrapped root key")
	}
	return root, createKeyFile(path, append(text, '\n'))
}

// UnderRoot is a [KMS] that needs no service: it wraps with the key of a provider, as of [EnvRoot]. While that provider has
// a next key, that one wraps, and both open.
func UnderRoot(p Provider) KMS { return underRoot{p} }

type underRoot struct{ p Provider }

func (underRoot) Name() string { return "root" }

func underData(rootID, aad string) []byte {
	return canon.Text(canon.Text(canon.Text(nil, "hayward/under-root/1"), rootID), aad)
}

func (u underRoot) Wrap(ctx context.Context, plaintext []byte, aad string) ([]byte, error) {
	root, err := nextOf(ctx, u.p)
	if err == nil && root.IsZero() {
		root, err = u.p.Root(ctx, false)
	}
	if err != nil {
		return nil, err
	}
	ct, err := newAEAD(root.derive("under")).Encrypt(plaintext, underData(root.ID(), aad))
	return append(canon.Text(nil, root.ID()), ct...), err
}

func (u underRoot) Unwrap(ctx context.Context, wrapped []byte, aad string) ([]byte, error) {
	root, err := u.p.Root(ctx, false)
	if err != nil {
		return nil, err
	}
	if next, err := nextOf(ctx, u.p); err == nil && !next.IsZero() && bytes.HasPrefix(wrapped, canon.Text(nil, next.ID())) {
		root = next
	}
	ct, ok := bytes.CutPrefix(wrapped, canon.Text(nil, root.ID()))
	if !ok {
		return nil, fault.Wrap(fault.Unavailable, base.ErrWrongRootKey, "it is wrapped by another key than %s", root.Origin)
	}
	pt, err := newAEAD(root.derive("under")).Decrypt(ct, underData(root.ID(), aad))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, base.ErrTampered, "the file was changed").WithHint("restore it from its backup")
	}
	return pt, nil
}

// Moving is the way from one provider to another: the data's root key is from's until the root key is changed, and to's
// from then on. In a fresh store it is to's at once. What from holds afterwards is for the operator to destroy.
func Moving(from Provider, to Rotator) Rotator { return moving{from, to} }

type moving struct {
	from Provider
	to   Rotator
}

func (m moving) Root(ctx context.Context, create bool) (Root, error) {
	root, err := m.to.Root(ctx, create)
	if !errors.Is(err, base.ErrNoRootKey) {
		return root, err
	}
	return m.from.Root(ctx, false)
}

func (m moving) Next(ctx context.Context, create bool) (Root, error) { return m.to.Next(ctx, create) }

func (m moving) Promote(ctx context.Context, rootID string) (string, error) {
	advice, err := m.to.Promote(ctx, rootID)
	if err == nil {
		if root, fromErr := m.from.Root(ctx, false); fromErr == nil && root.ID() != rootID {
			advice += "; if it is not needed otherwise, destroy the key in " + root.Origin + " too: it opens old copies of the keys"
		}
	}
	return advice, err
}

// WithKeyFile has the key of a provider, as of [EnvRoot], wrap a root key in a file, so that the root key can be changed
// without touching the provider. Data that is directly under the provider's key goes on so until the root key is changed.
func WithKeyFile(p Provider, path string, outside ...string) Rotator {
	return Moving(p, WrappedRoot(path, UnderRoot(p), nil, outside...))
}
