package token

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/haywardhq/hayward/fault"
)

// MaxBytes is the longest token that is looked at.
const MaxBytes = 8 << 10

// ErrInvalid is the one answer to every token that is not good; why stays inside.
var ErrInvalid = fault.New(fault.Unauthenticated, "Could not validate credentials").WithCode("invalid_token")

func invalid(why string) error { return &rejection{why: why} }

// rejection is ErrInvalid with the reason for the log of a developer's test; doors see only ErrInvalid.
type rejection struct{ why string }

func (r *rejection) Error() string { return ErrInvalid.Message + ": " + r.why }
func (r *rejection) Unwrap() error { return ErrInvalid }

// Verify checks a token and returns what it says, or an error that is [ErrInvalid]. A good token may still belong to a
// user who is not welcome any more: that is for the caller to ask.
func (s *Service) Verify(token string) (Claims, error) {
	if len(token) > MaxBytes {
		return Claims{}, invalid("too long")
	}
	now, keys := s.ring.now(), s.ring.set.Load()
	digest := digestOf(token)
	e := s.cache.get(&digest, now)
	if e == nil {
		claims, kid, err := s.check(token, keys, now)
		if err != nil {
			return Claims{}, err
		}
		e = &entry{digest: digest, claims: claims, kid: kid,
			until: min(claims.Expires*1e6, now+s.ring.o.CacheTTL.Microseconds())}
		s.cache.put(e, now)
	}
	return e.claims, s.alive(e, keys, now)
}

// digestOf hashes without a heap copy for tokens of the size that this package makes.
func digestOf(token string) [sha256.Size]byte {
	var buf [1024]byte
	return sha256.Sum256(append(buf[:0], token...))
}

// alive asks what can change while a token is remembered.
func (s *Service) alive(e *entry, keys *keySet, now int64) error {
	k, ok := keys.verify[e.kid]
	switch {
	case !ok || k.removal != 0 && k.removal <= now:
		return invalid("its key is gone")
	case now >= e.claims.Expires*1e6:
		return invalid("expired")
	case s.grants.revoked(e.claims.App, e.claims.Grant, now), s.grants.revoked(e.claims.App, e.claims.ID, now):
		return invalid("revoked")
	}
	return nil
}

// check verifies form, header, signature and claims, in that order: nothing is believed before the signature, and the
// header only chooses among keys this server made.
func (s *Service) check(token string, keys *keySet, now int64) (Claims, string, error) {
	none := func(why string) (Claims, string, error) { return Claims{}, "", invalid(why) }
	part := strings.Split(token, ".")
	if len(part) != 3 {
		return none("not three parts")
	}
	var raw [3][]byte
	for i, p := range part {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil || strings.ContainsAny(p, "\r\n") {
			return none("not base64url")
		}
	}
	h, err := parseHeader(raw[0])
	if err != nil || h.alg != string(jose.ES256) || h.typ != "at+jwt" || len(raw[2]) != 64 {
		return none("header")
	}
	k, ok := keys.verify[h.kid]
	if !ok || k.removal != 0 && k.removal <= now {
		return none("unknown key")
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return none("not a signed token")
	}
	payload, err := jws.Verify(k.public)
	if err != nil {
		return none("signature")
	}
	c, err := parseClaims(payload)
	if err != nil {
		return none("claims")
	}
	if why := s.believable(c, now); why != "" {
		return none(why)
	}
	return c, h.kid, nil
}

// believable checks the claims' values; it returns the reason if they are not.
func (s *Service) believable(c Claims, now int64) string {
	const end = 1 << 40 // far beyond any year 30000; keeps the arithmetic in microseconds from overflowing
	o := s.ring.o
	late := (now + o.Skew.Microseconds()) / 1e6
	switch {
	case c.Issuer != o.Issuer:
		return "issuer"
	case c.Audience != o.Audience:
		return "audience"
	case c.Subject == "" || c.App == "" || c.Grant == "" || c.ID == "" || c.CredentialVersion <= 0:
		return "a claim is empty"
	case c.IssuedAt <= 0 || c.NotBefore <= 0 || c.Expires <= c.IssuedAt || c.Expires >= end:
		return "times"
	case c.NotBefore > late || c.IssuedAt > late:
		return "not yet valid"
	case now >= c.Expires*1e6:
		return "expired"
	}
	return ""
}
