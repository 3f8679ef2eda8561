package token_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// wrapper is a KeyWrapper that remembers what it wrapped, so that tests can forge with the server's own key.
type wrapper struct {
	mu    sync.Mutex
	plain map[string][]byte // by aad
}

func (w *wrapper) Wrap(_ context.Context, plaintext []byte, aad string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.plain == nil {
		w.plain = map[string][]byte{}
	}
	w.plain[aad] = bytes.Clone(plaintext)
	return []byte("wrapped:" + aad), nil
}

func (w *wrapper) Unwrap(_ context.Context, ciphertext []byte, aad string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if string(ciphertext) != "wrapped:"+aad || w.plain[aad] == nil {
		return nil, errors.New("does not open")
	}
	return bytes.Clone(w.plain[aad]), nil
}

type house struct {
	*token.Service
	t  testing.TB
	db *db.DB
	w  *wrapper
	o  token.Options
	ns atomic.Int64
}

func newHouse(t testing.TB, change ...func(*token.Options)) *house {
	t.Helper()
	h := &house{t: t, db: dbtest.New(t, identity.Schema()), w: &wrapper{}}
	h.o = token.Options{Issuer: "https://hay.example", Audience: "hayward", Wrapper: h.w, Now: h.now}
	for _, c := range change {
		c(&h.o)
	}
	h.Service = h.open()
	return h
}

func (h *house) now() time.Time          { return time.Unix(1_800_000_000, h.ns.Load()) }
func (h *house) advance(d time.Duration) { h.ns.Add(int64(d)) }

func (h *house) open() *token.Service {
	h.t.Helper()
	s, err := token.Open(h.t.Context(), h.db, h.o)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

var bob = token.Subject{App: "app_1", Tenant: "ten_1", User: "usr_1", CredentialVersion: 3}

func (h *house) issue() (string, token.Claims) {
	h.t.Helper()
	i, err := h.Issue(h.t.Context(), bob)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(reveal.Inside(i.Token)), i.Claims
}

func (h *house) accepts(what, tok string) {
	h.t.Helper()
	if _, err := h.Verify(tok); err != nil {
		h.t.Errorf("%s: refused: %v", what, err)
	}
}

func (h *house) refuses(what, tok string) {
	h.t.Helper()
	if c, err := h.Verify(tok); !errors.Is(err, token.ErrInvalid) {
		h.t.Errorf("%s: got %+v, %v, want ErrInvalid", what, c, err)
	}
}

func (h *house) active() string { return h.Keys()[0].ID }

func (h *house) private(kid string) *ecdsa.PrivateKey {
	h.t.Helper()
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	k, err := x509.ParsePKCS8PrivateKey(h.w.plain["hayward/auth/signing-key/"+kid])
	if err != nil {
		h.t.Fatal(err)
	}
	return k.(*ecdsa.PrivateKey)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a token of exactly the given header and payload with the given key.
func sign(key *ecdsa.PrivateKey, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + b64(sig)
}

// parts returns header and payload of a good token as objects to change.
func (h *house) parts() (header, payload map[string]any) {
	tok, _ := h.issue()
	p := strings.Split(tok, ".")
	for i, to := range []*map[string]any{&header, &payload} {
		raw, _ := base64.RawURLEncoding.DecodeString(p[i])
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(to); err != nil {
			h.t.Fatal(err)
		}
	}
	return header, payload
}

func text(m map[string]any) string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func with(m map[string]any, name string, value any) string {
	c := maps.Clone(m)
	c[name] = value
	return text(c)
}

func without(m map[string]any, name string) string {
	c := maps.Clone(m)
	delete(c, name)
	return text(c)
}

func open(i token.Issued) string { return string(reveal.Inside(i.Token)) }
