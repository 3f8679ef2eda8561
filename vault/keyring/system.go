package keyring

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"hash"
	"slices"
	"strings"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The purposes of the server's own keys. A purpose of a MAC has a row only in data that is older than the seed: its key was
// derived from the root key of that time.
const (
	seedPurpose = "seed"
	macPrefix   = "mac/"
	signPrefix  = "sign/"
)

// earlyPurposes are what early versions authenticated with keys derived from the root key: the server's audit record, and
// that of programs which use the vault as a library.
var earlyPurposes = [...]string{"hayward/audit/1", "audit"}

// systemKeys are the opened keys of the server. The seed is what everything else that outlives a root key derives from.
type systemKeys struct {
	seedID string
	derive func(purpose string) []byte
	seeds  map[string]func(purpose string) []byte // by id; those that are not in use came with a key backup
	macs   map[string]MAC                         // of old data
	early  func(purpose string) []byte            // early versions derived from this root key, and it is still in use
}

// MAC authenticates bytes with HMAC-SHA256. It is safe for concurrent use.
type MAC func(data []byte) []byte

// MAC returns the authenticator for a purpose; different purposes have unrelated keys. It stays the same when the root key
// changes. In data of early versions it is what was derived from the root key then.
func (r *Ring) MAC(purpose string) MAC {
	sys := r.system.Load()
	if sys == nil {
		return newMAC(r.current().derive(macPrefix + purpose))
	}
	if m := sys.macs[purpose]; m != nil {
		return m
	}
	if sys.early != nil {
		r.mu.Lock()
		r.purposes[purpose] = true
		r.mu.Unlock()
		return newMAC(sys.early(macPrefix + purpose))
	}
	return newMAC(sys.derive(macPrefix + purpose))
}

// WithPurposes names the purposes that a program of an early version used [Ring.MAC] for, besides the audit record, so that
// their keys are kept when the root key changes, whichever replica changes it.
func WithPurposes(purposes ...string) Option {
	return func(r *Ring) {
		for _, p := range purposes {
			r.purposes[p] = true
		}
	}
}

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

// openSystem opens the server's own keys, making the seed if there is none.
func (r *Ring) openSystem(ctx context.Context) error {
	load := func(tx driver.Tx) (err error) { return r.loadSystem(ctx, tx) }
	err := r.st.View(ctx, load)
	if !errors.Is(err, errNoSeed) {
		return err
	}
	return r.st.Update(ctx, func(tx driver.Tx) error {
		if err := r.addSystem(ctx, tx, seedPurpose, "", random()); err != nil {
			return err
		}
		if err := r.keepMACs(ctx, tx); err != nil {
			return err
		}
		return load(tx)
	})
}

var errNoSeed = errors.New("no seed")

func random() []byte {
	b := make([]byte, KeySize)
	rand.Read(b)
	return b
}

// keepMACs writes down the keys that were derived from a root key that never changed, before it does.
func (r *Ring) keepMACs(ctx context.Context, tx driver.Tx) error {
	row, err := tx.Root(ctx)
	if err != nil || row.Epoch != 0 {
		return err
	}
	root, err := r.find(ctx, row, row.RootID)
	if err != nil {
		return err
	}
	r.mu.Lock()
	purposes := slices.Clone(earlyPurposes[:])
	for p := range r.purposes {
		purposes = append(purposes, p)
	}
	r.mu.Unlock()
	for _, p := range purposes {
		if err := r.addSystem(ctx, tx, macPrefix+p, "", root.derive(macPrefix+p)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Ring) loadSystem(ctx context.Context, tx driver.Tx) error {
	root, err := tx.Root(ctx)
	if err != nil {
		return err
	}
	rows, err := tx.ListSystemKeys(ctx)
	if err != nil {
		return err
	}
	sys := &systemKeys{macs: map[string]MAC{}, seeds: map[string]func(string) []byte{}}
	if root.Epoch == 0 {
		k, err := r.find(ctx, root, root.RootID)
		if err != nil {
			return err
		}
		sys.early = k.derive
	}
	for _, row := range rows {
		purpose, isMAC := strings.CutPrefix(row.Purpose, macPrefix)
		if !isMAC && row.Purpose != seedPurpose {
			continue
		}
		raw, err := r.openSystemKey(ctx, tx, row)
		if err != nil {
			return err
		}
		sys.add(row, purpose, isMAC, raw)
	}
	if sys.derive == nil {
		return errNoSeed
	}
	r.system.Store(sys)
	return nil
}

func (s *systemKeys) add(row driver.SystemKeyRow, purpose string, isMAC bool, raw []byte) {
	if isMAC {
		if row.Primary {
			s.macs[purpose] = newMAC(raw)
		}
		return
	}
	open := func(p string) []byte { return derive(raw, p) }
	s.seeds[row.ID] = open
	if row.Primary {
		s.seedID, s.derive = row.ID, open
	}
}

func systemData(row driver.SystemKeyRow, rootID string) []byte {
	b := canon.Text(nil, "hayward/system-key/1")
	for _, s := range [...]string{row.Purpose, row.ID, rootID} {
		b = canon.Text(b, s)
	}
	return canon.Text(b, row.Public)
}

// addSystem writes a key of the server unless its purpose has one.
func (r *Ring) addSystem(ctx context.Context, tx driver.Tx, purpose, keyID string, raw []byte) error {
	if keyID == "" {
		keyID = id.New(id.Key).String()
	}
	row := driver.SystemKeyRow{Purpose: purpose, ID: keyID, Primary: true, CreatedAt: tx.Now()}
	return r.putSystem(ctx, tx, row, raw)
}

func (r *Ring) putSystem(ctx context.Context, tx driver.Tx, row driver.SystemKeyRow, raw []byte) error {
	root, err := r.writeRoot(ctx, tx)
	if err != nil {
		return err
	}
	if err := wrapSystem(root, &row, raw); err != nil {
		return err
	}
	_, err = tx.AddSystemKey(ctx, row)
	return err
}

func wrapSystem(root *rootKey, row *driver.SystemKeyRow, raw []byte) (err error) {
	row.RootID = root.id
	if row.Wrapped, err = root.wrap().Encrypt(raw, systemData(*row, root.id)); err != nil {
		return fault.Wrap(fault.Internal, err, "cannot wrap a key of the server")
	}
	return nil
}

func (r *Ring) openSystemKey(ctx context.Context, tx driver.Tx, row driver.SystemKeyRow) ([]byte, error) {
	root, err := r.rootFor(ctx, tx, row.RootID)
	if err != nil {
		return nil, err
	}
	raw, err := root.wrap().Decrypt(row.Wrapped, systemData(row, root.id))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, base.ErrTampered, "the stored key %s of the server is not what was written", row.ID).
			WithHint("restore the keys from their backup")
	}
	return raw, nil
}

// blobMagic begins what [Ring.Wrap] makes. Early versions wrote a nonce there, and wrapped directly by the root key.
var blobMagic = []byte("hayward2")

func wrapData(purpose string) []byte {
	return canon.Text(canon.Text(nil, "hayward/system/2"), purpose)
}

func directData(purpose, rootID string) []byte {
	return canon.Text(canon.Text(canon.Text(nil, "hayward/system/1"), purpose), rootID)
}

// Wrap encrypts something that belongs to the server and to no tenant, such as a token signing key. It is bound to purpose
// and still opens after the root key was changed. Without a store (see [New]) it is wrapped directly by the root key.
func (r *Ring) Wrap(purpose string, plaintext []byte) ([]byte, error) {
	sys := r.system.Load()
	if sys == nil {
		root := r.current()
		return wrapped(root.wrap().Encrypt(plaintext, directData(purpose, root.id)))
	}
	ct, err := wrapped(newAEAD(sys.derive("wrap")).Encrypt(plaintext, wrapData(purpose)))
	if err != nil {
		return nil, err
	}
	return append(canon.Text(bytes.Clone(blobMagic), sys.seedID), ct...), nil
}

func wrapped(ct []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot wrap a key of the server")
	}
	return ct, nil
}

// Unwrap opens what [Ring.Wrap] made for the same purpose, in this version or an early one.
func (r *Ring) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	if pt, ok := r.unwrapSeeded(purpose, wrapped); ok {
		return pt, nil
	}
	if pt, ok := r.unwrapDirect(purpose, wrapped); ok {
		return pt, nil
	}
	return nil, fault.Wrap(fault.Internal, base.ErrDecryptionFailed,
		"a stored key of the server does not belong here or was changed").
		WithHint("check that the root key is the one this data was written with")
}

func (r *Ring) unwrapSeeded(purpose string, wrapped []byte) ([]byte, bool) {
	sys := r.system.Load()
	if sys == nil || !bytes.HasPrefix(wrapped, blobMagic) {
		return nil, false
	}
	rest := wrapped[len(blobMagic):]
	for seedID, seed := range sys.seeds {
		if ct, ok := bytes.CutPrefix(rest, canon.Text(nil, seedID)); ok {
			pt, err := newAEAD(seed("wrap")).Decrypt(ct, wrapData(purpose))
			return pt, err == nil
		}
	}
	return nil, false
}

func (r *Ring) unwrapDirect(purpose string, wrapped []byte) ([]byte, bool) {
	for rootID, root := range r.roots.Load().known {
		if pt, err := root.wrap().Decrypt(wrapped, directData(purpose, rootID)); err == nil {
			return pt, true
		}
	}
	return nil, false
}
