package jwtkeys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// The states of a key.
const (
	Next     = "next"     // published, does not sign yet
	Current  = "current"  // signs
	Previous = "previous" // signed before the last rotation
)

// Key describes one key without its private part.
type Key struct {
	ID      string // RFC 7638 thumbprint
	State   string
	Created time.Time // when it was published first
}

// Set is the keys of one secret. It never changes and is safe for concurrent use.
type Set struct {
	keys   []Key
	public []byte
	signer crypto.Signer
	stored []stored
}

// stored is a key as the secret's value holds it.
type stored struct {
	jose.JSONWebKey
	state   string
	created time.Time
}

// extra is what a stored key has beyond RFC 7517, which lets readers ignore it.
type extra struct {
	State   string `json:"hayward_state"`
	Created int64  `json:"hayward_created"`
}

func (k stored) MarshalJSON() ([]byte, error) {
	b, err := k.JSONWebKey.MarshalJSON()
	if err != nil {
		return nil, err
	}
	all := map[string]any{}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	all["hayward_state"], all["hayward_created"] = k.state, k.created.Unix()
	return json.Marshal(all)
}

func (k *stored) UnmarshalJSON(b []byte) error {
	var e extra
	if err := json.Unmarshal(b, &e); err != nil {
		return err
	}
	k.state, k.created = e.State, time.Unix(e.Created, 0).UTC()
	return k.JSONWebKey.UnmarshalJSON(b)
}

var errValue = fault.New(fault.Invalid, "the secret does not hold a set of signing keys").WithCode("NotAKeySet").
	WithHint("rotate a secret that has no value yet: the first rotation makes its keys")

// Parse reads a secret's value.
func Parse(v sealed.Value) (*Set, error) {
	var in struct {
		Keys []stored `json:"keys"`
	}
	raw := reveal.Inside(v)
	defer clear(raw)
	if json.Unmarshal(raw, &in) != nil || len(in.Keys) == 0 || len(in.Keys) > 3 {
		return nil, errValue
	}
	return newSet(in.Keys)
}

func newSet(keys []stored) (*Set, error) {
	s := &Set{stored: keys}
	var public jose.JSONWebKeySet
	seen := map[string]bool{}
	for _, k := range keys {
		private, ok := k.Key.(*ecdsa.PrivateKey)
		if !ok || private.Curve != elliptic.P256() || k.KeyID == "" || seen[k.state] {
			return nil, errValue
		}
		switch seen[k.state] = true; k.state {
		case Current:
			s.signer = private
		case Next, Previous:
		default:
			return nil, errValue
		}
		public.Keys = append(public.Keys, k.Public())
		s.keys = append(s.keys, Key{k.KeyID, k.state, k.created})
	}
	if s.signer == nil || !seen[Next] {
		return nil, errValue
	}
	var err error
	if s.public, err = json.Marshal(public); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the public keys cannot be written")
	}
	return s, nil
}

// Public returns the JWK set for those who verify, current key first.
func (s *Set) Public() []byte { return append([]byte(nil), s.public...) }

// Keys describes the keys, current first.
func (s *Set) Keys() []Key { return append([]Key(nil), s.keys...) }

// Signer returns the id of the key that signs, and the key: ECDSA over P-256, which is ES256 in a token.
func (s *Set) Signer() (id string, key crypto.Signer) {
	for _, k := range s.keys {
		if k.State == Current {
			return k.ID, s.signer
		}
	}
	return "", nil
}

func (s *Set) find(state string) (stored, bool) {
	for _, k := range s.stored {
		if k.state == state {
			return k, true
		}
	}
	return stored{}, false
}

// value seals keys as a secret holds them.
func value(keys ...stored) (sealed.Value, error) {
	b, err := json.Marshal(struct {
		Keys []stored `json:"keys"`
	}{keys})
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Internal, err, "the signing keys cannot be written")
	}
	defer clear(b)
	return sealed.New(b), nil
}

// generate makes a key.
func generate(state string, now time.Time) (stored, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return stored{}, fault.Wrap(fault.Internal, err, "a signing key cannot be made")
	}
	k := stored{jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}, state, now.UTC().Truncate(time.Second)}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return stored{}, fault.Wrap(fault.Internal, err, "a signing key cannot be named")
	}
	k.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return k, nil
}
