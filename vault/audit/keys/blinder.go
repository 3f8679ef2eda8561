package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"strings"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

const (
	keyFormat   = "hayward/audit/key/1"
	valueFormat = "hayward/audit/personal/1"
	aliasFormat = "hayward/audit/alias/1"
)

// goneID names a key that nobody kept: what is blinded for a tenant whose keys are destroyed.
const goneID = "gone"

// maxOpened is how many tenants' opened keys are kept.
const maxOpened = 4096

// Blinder is an audit.Blinder. Each tenant has a key for its entries, of 32 random bytes, encrypted under the tenant's own
// key: rotating that one re-encrypts 32 bytes and no entry, destroying it makes every personal field of the tenant's entries
// unreadable, here and in every copy. A value's stand-in is an HMAC-SHA256 under the entries' key, cut to 16 bytes. It is
// safe for concurrent use.
type Blinder struct {
	ring *keyring.Ring

	mu     sync.Mutex
	opened map[owner]*entryKey // the primary ones
	turns  int64               // of the cache: counts what was dropped
}

type owner struct{ app, tenant string }

// entryKey is an opened key of a tenant's entries.
type entryKey struct {
	id   string
	aead cipher.AEAD
	macs *sync.Pool // of hash.Hash
}

// New returns a blinder over a keyring. If st tells of changes (driver.Watcher), opened keys are dropped as soon as the
// tenant's keys change or are destroyed, here or on another replica; otherwise call [Blinder.Forget].
func New(ring *keyring.Ring, st driver.Store) *Blinder {
	b := &Blinder{ring: ring, opened: map[owner]*entryKey{}}
	if w, ok := st.(driver.Watcher); ok {
		w.Watch(func(c driver.Change) {
			if c.Noun == driver.NounKey || c.Noun == driver.NounEverything {
				b.Forget(c.App, c.Tenant)
			}
		})
	}
	return b
}

// Forget drops a tenant's opened key; with an empty tenant, or the server's own, all of them.
func (b *Blinder) Forget(app, tenant string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns++
	if tenant == "" || tenant == driver.Operator {
		clear(b.opened)
		return
	}
	delete(b.opened, owner{app, tenant})
}

// Blind implements audit.Blinder. tx must be a write transaction, or nil: then only a key that is opened already will do.
func (b *Blinder) Blind(ctx context.Context, tx driver.Tx, app, tenant, entryID string, p audit.Personal) (audit.Personal, string, error) {
	k, err := b.primary(ctx, tx, app, tenant)
	if err != nil {
		return p, "", err
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return p, "", fault.Wrap(fault.Internal, err, "personal fields of an audit entry could not be encoded")
	}
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(plain)+k.aead.Overhead())
	rand.Read(nonce)
	box := k.aead.Seal(nonce, nonce, plain, place(app, tenant, entryID, k.id))
	stand := audit.Personal{User: k.alias("user", p.User), IP: k.alias("ip", p.IP), Key: k.alias("user", p.Key)}
	for _, v := range p.Details {
		stand.Details = append(stand.Details, k.alias("user", v))
	}
	return stand, k.id + ":" + base64.RawStdEncoding.EncodeToString(box), nil
}

// Open implements audit.Blinder.
func (b *Blinder) Open(ctx context.Context, tx driver.Tx, app, tenant, entryID, text string) (p audit.Personal, err error) {
	keyID, body, ok := strings.Cut(text, ":")
	box, err := base64.RawStdEncoding.DecodeString(body)
	if !ok || err != nil || keyID == goneID {
		return p, unreadable("the personal fields of an audit entry")
	}
	row, err := tx.AuditKey(ctx, app, tenant, keyID)
	if errors.Is(err, driver.ErrNotFound) {
		return p, unreadable("the key of this audit entry")
	}
	if err != nil {
		return p, err
	}
	k, err := b.unseal(ctx, tx, row)
	if err != nil {
		return p, err
	}
	if len(box) < k.aead.NonceSize() {
		return p, unreadable("the personal fields of an audit entry")
	}
	n := k.aead.NonceSize()
	plain, err := k.aead.Open(nil, box[:n], box[n:], place(app, tenant, entryID, keyID))
	if err != nil || json.Unmarshal(plain, &p) != nil {
		return p, unreadable("the personal fields of an audit entry")
	}
	return p, nil
}

func unreadable(what string) error {
	return fault.Wrap(fault.Internal, base.ErrDecryptionFailed, "%s cannot be opened", what)
}

// Aliases implements audit.Blinder.
func (b *Blinder) Aliases(ctx context.Context, tx driver.Tx, app, tenant, value string) ([]string, error) {
	list := func() ([]driver.AuditKeyRow, error) { return tx.ListAuditKeys(ctx, app, tenant) }
	if tenant == "" {
		list = func() ([]driver.AuditKeyRow, error) { return tx.ListAuditKeysEveryTenant(ctx, app) }
	}
	rows, err := list()
	var out []string
	for _, row := range rows {
		k, err := b.unseal(ctx, tx, row)
		if errors.Is(err, base.ErrDecryptionFailed) {
			continue // destroyed: nobody can say any more what stands for whom
		}
		if err != nil {
			return nil, err
		}
		out = append(out, k.alias("user", value))
	}
	return out, err
}

// primary returns the key for new entries.
func (b *Blinder) primary(ctx context.Context, tx driver.Tx, app, tenant string) (*entryKey, error) {
	b.mu.Lock()
	k, turn := b.opened[owner{app, tenant}], b.turns
	b.mu.Unlock()
	if k != nil {
		return k, nil
	}
	if tx == nil {
		return nil, audit.ErrNeedsTx
	}
	k, err := b.load(ctx, tx, app, tenant)
	if errors.Is(err, keyring.ErrDestroyed) {
		// What happens to a tenant after its end is recorded; who it was about is not, and never in clear.
		return open(goneID, random()), nil
	}
	if err != nil {
		return nil, err
	}
	// A key from a transaction that may yet fail is not kept, nor one that was destroyed meanwhile.
	tx.AfterCommit(nil, func() error { b.keep(owner{app, tenant}, k, turn); return nil })
	return k, nil
}

func (b *Blinder) keep(o owner, k *entryKey, turn int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.turns != turn {
		return
	}
	if len(b.opened) >= maxOpened {
		for old := range b.opened { // any: it is opened again when it is needed
			delete(b.opened, old)
			break
		}
	}
	b.opened[o] = k
}

// load opens the stored key, encrypts it anew if the tenant's key is a newer one now, and makes one if there is none.
func (b *Blinder) load(ctx context.Context, tx driver.Tx, app, tenant string) (*entryKey, error) {
	row, err := tx.AuditKey(ctx, app, tenant, "")
	if errors.Is(err, driver.ErrNotFound) {
		return b.make(ctx, tx, app, tenant)
	}
	if err != nil {
		return nil, err
	}
	raw, err := b.raw(ctx, tx, row)
	if errors.Is(err, base.ErrDecryptionFailed) { // data restored without its keys: earlier entries stay unreadable
		return b.make(ctx, tx, app, tenant)
	}
	if err != nil {
		return nil, err
	}
	stale, err := b.ring.Stale(ctx, tx, app, tenant, row.KeyID)
	if err == nil && stale {
		err = b.put(ctx, tx, row, raw)
	}
	return open(row.ID, raw), err
}

func (b *Blinder) make(ctx context.Context, tx driver.Tx, app, tenant string) (*entryKey, error) {
	raw := random()
	row := driver.AuditKeyRow{App: app, Tenant: tenant, ID: id.New(id.Key).String(), Primary: true, CreatedAt: tx.Now()}
	return open(row.ID, raw), b.put(ctx, tx, row, raw)
}

func (b *Blinder) put(ctx context.Context, tx driver.Tx, row driver.AuditKeyRow, raw []byte) error {
	box, err := b.ring.Seal(ctx, tx, keyPlace(row), sealed.New(raw))
	if err != nil {
		return err
	}
	row.KeyID, row.Algorithm, row.Ciphertext = box.KeyID, box.Algorithm, box.Ciphertext
	return tx.PutAuditKey(ctx, row)
}

func keyPlace(row driver.AuditKeyRow) keyring.Place {
	return keyring.Place{Format: keyFormat, App: row.App, Tenant: row.Tenant, Name: row.ID, Version: 1}
}

func (b *Blinder) raw(ctx context.Context, tx driver.Tx, row driver.AuditKeyRow) ([]byte, error) {
	v, err := b.ring.Unseal(ctx, tx, keyPlace(row), keyring.Box{KeyID: row.KeyID, Algorithm: row.Algorithm, Ciphertext: row.Ciphertext})
	if err != nil {
		return nil, err
	}
	return reveal.Inside(v), nil
}

// unseal opens a key for reading. One that was destroyed is one that cannot be opened.
func (b *Blinder) unseal(ctx context.Context, tx driver.Tx, row driver.AuditKeyRow) (*entryKey, error) {
	raw, err := b.raw(ctx, tx, row)
	if errors.Is(err, keyring.ErrDestroyed) {
		return nil, unreadable("the key of this tenant's audit entries")
	}
	if err != nil {
		return nil, err
	}
	return open(row.ID, raw), nil
}

func random() []byte {
	raw := make([]byte, 32)
	rand.Read(raw)
	return raw
}

// open derives what a key is used with.
func open(keyID string, raw []byte) *entryKey {
	derive := func(info string) []byte {
		key, err := hkdf.Expand(sha256.New, raw, info, 32)
		if err != nil {
			panic("keys: HKDF refused 32 bytes: " + err.Error())
		}
		return key
	}
	block, err := aes.NewCipher(derive(valueFormat))
	if err != nil {
		panic("keys: AES refused a key of 32 bytes: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("keys: GCM refused AES: " + err.Error())
	}
	macKey := derive(aliasFormat)
	return &entryKey{id: keyID, aead: aead, macs: &sync.Pool{New: func() any { return hmac.New(sha256.New, macKey) }}}
}

var encoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// alias is what stands for a value; nothing stands for nothing.
func (k *entryKey) alias(kind, value string) string {
	if value == "" {
		return ""
	}
	h := k.macs.Get().(hash.Hash)
	defer k.macs.Put(h)
	h.Reset()
	h.Write(canon.Text(canon.Text(make([]byte, 0, 64), kind), value))
	return audit.AliasPrefix + strings.ToLower(encoding.EncodeToString(h.Sum(nil)[:16]))
}

// place binds personal fields to their entry and key.
func place(app, tenant, entryID, keyID string) []byte {
	b := canon.Text(make([]byte, 0, 128), valueFormat)
	for _, s := range [...]string{app, tenant, entryID, keyID} {
		b = canon.Text(b, s)
	}
	return b
}
