package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// The states of a signing key.
const (
	StateNext    = "next"
	StateActive  = "active"
	StateRetired = "retired"
)

// KeyInfo describes a signing key without its private part.
type KeyInfo struct {
	ID        string // RFC 7638 thumbprint
	State     string
	Published time.Time
	Activated time.Time // zero for a next key
	RemoveAt  time.Time // zero unless retired
}

// row is a key as it is stored.
type row struct {
	kid, state, public            string
	private                       []byte // wrapped
	published, activated, removal int64  // microseconds
	longest                       int64  // the longest lifetime, in microseconds, of tokens it may have signed
}

// keySet is what requests see. It never changes.
type keySet struct {
	kid    string                               // of the active key
	sign   func(payload []byte) (string, error) // a function, so that no printing reaches the private key
	verify map[string]verifyKey
	infos  []KeyInfo
	jwks   []byte
}

type verifyKey struct {
	public  *ecdsa.PublicKey
	removal int64 // microseconds; 0: not retired
}

// ring keeps the signing keys.
type ring struct {
	db   *db.DB
	name string // of this process among those on the database
	o    Options
	mu   sync.Mutex // one loader at a time, so that what is read last is what stays
	set  atomic.Pointer[keySet]
}

func (r *ring) now() int64 { return r.o.Now().UnixMicro() }

func aadOf(kid string) string { return "hayward/auth/signing-key/" + kid }

// create makes a key that is not stored yet.
func (r *ring) create(ctx context.Context) (row, error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return row{}, fault.Wrap(fault.Internal, err, "a signing key cannot be made")
	}
	public := jose.JSONWebKey{Key: priv.Public(), Algorithm: string(jose.ES256), Use: "sig"}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return row{}, fault.Wrap(fault.Internal, err, "a signing key cannot be named")
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	text, err := json.Marshal(public)
	if err != nil {
		return row{}, fault.Wrap(fault.Internal, err, "a public key cannot be written")
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return row{}, fault.Wrap(fault.Internal, err, "a signing key cannot be written")
	}
	defer clear(der)
	wrapped, err := r.o.Wrapper.Wrap(ctx, der, aadOf(public.KeyID))
	if err != nil {
		return row{}, fault.Wrap(fault.Unavailable, err, "a signing key cannot be encrypted")
	}
	return row{kid: public.KeyID, state: StateNext, public: string(text), private: wrapped, published: r.now()}, nil
}

// signer opens the private key of k.
func (r *ring) signer(ctx context.Context, k row) (func([]byte) (string, error), error) {
	lost := func(err error) error {
		return fault.Wrap(fault.Unavailable, err, "the signing key of access tokens cannot be decrypted").
			WithHint("start with the root key that this data directory was made with")
	}
	der, err := r.o.Wrapper.Unwrap(ctx, k.private, aadOf(k.kid))
	if err != nil {
		return nil, lost(err)
	}
	defer clear(der)
	priv, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, lost(err)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: priv, KeyID: k.kid}},
		(&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return nil, lost(err)
	}
	return func(payload []byte) (string, error) {
		jws, err := s.Sign(payload)
		if err != nil {
			return "", err
		}
		return jws.CompactSerialize()
	}, nil
}

// load reads the keys and makes them the ones requests see.
func (r *ring) load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rows []row
	err := r.db.View(ctx, func(tx *db.Tx) (err error) {
		rows, err = readKeys(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	set := &keySet{verify: map[string]verifyKey{}}
	var public jose.JSONWebKeySet
	now := r.now()
	for _, k := range rows {
		if k.removal != 0 && k.removal <= now {
			continue
		}
		var jwk jose.JSONWebKey
		if err := json.Unmarshal([]byte(k.public), &jwk); err != nil {
			return fault.Wrap(fault.Internal, err, "a stored public key cannot be read")
		}
		pub, ok := jwk.Key.(*ecdsa.PublicKey)
		if !ok || jwk.KeyID != k.kid {
			return fault.New(fault.Internal, "a stored public key is not the one it is filed under")
		}
		if k.state == StateActive {
			set.kid = k.kid
			if set.sign, err = r.signer(ctx, k); err != nil {
				return err
			}
		}
		set.verify[k.kid] = verifyKey{public: pub, removal: k.removal}
		set.infos = append(set.infos, k.info())
		public.Keys = append(public.Keys, jwk)
	}
	if set.sign == nil {
		return fault.New(fault.Internal, "there is no active signing key")
	}
	if set.jwks, err = json.Marshal(public); err != nil {
		return fault.Wrap(fault.Internal, err, "the key set cannot be written")
	}
	r.set.Store(set)
	return nil
}

func (k row) info() KeyInfo {
	at := func(us int64) time.Time {
		if us == 0 {
			return time.Time{}
		}
		return time.UnixMicro(us).UTC()
	}
	return KeyInfo{ID: k.kid, State: k.state, Published: at(k.published), Activated: at(k.activated), RemoveAt: at(k.removal)}
}

// readKeys returns all keys: active, next, then retired, newest first.
func readKeys(ctx context.Context, tx *db.Tx) (out []row, err error) {
	const q = "SELECT kid, state, public_jwk, private_key, published, activated, remove_at, longest FROM auth_signing_key " +
		"ORDER BY state, published DESC, kid" // "active" < "next" < "retired"
	err = tx.Query(ctx, q, nil, func(scan func(...any) error) error {
		var k row
		err := scan(&k.kid, &k.state, &k.public, &k.private, &k.published, &k.activated, &k.removal, &k.longest)
		out = append(out, k)
		return db.Classify(err)
	})
	return out, err
}

func pick(rows []row, state string) *row {
	if i := slices.IndexFunc(rows, func(k row) bool { return k.state == state }); i >= 0 {
		return &rows[i]
	}
	return nil
}
