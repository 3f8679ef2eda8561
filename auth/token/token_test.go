package token_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

func TestATokenSaysWhoAndNeverWhatHeMay(t *testing.T) {
	h := newHouse(t)
	tok, want := h.issue()
	got, err := h.Verify(tok)
	if err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	header, payload := h.parts()
	if header["alg"] != "ES256" || header["typ"] != "at+jwt" || header["kid"] != h.active() || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	for name := range payload {
		if !strings.Contains(" iss aud sub app tenant gid jti cv iat nbf exp ", " "+name+" ") {
			t.Errorf("an unexpected claim %s", name)
		}
	}
	if len(payload) != 11 || want.Expires-want.IssuedAt != 1800 {
		t.Errorf("payload %v", payload)
	}
	if len(tok) > 1024 {
		t.Errorf("%d bytes: longer than the buffer that verification keeps on its stack", len(tok))
	}
	for _, sub := range []token.Subject{{}, {App: "a", User: "u"}, {App: "a", CredentialVersion: 1}, {User: "u", CredentialVersion: 1}} {
		if _, err := h.Issue(t.Context(), sub); err == nil {
			t.Errorf("a token for %+v", sub)
		}
	}
}

func TestNothingPrintsTheTokenOrAPrivateKey(t *testing.T) {
	h := newHouse(t)
	i, err := h.Issue(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := h.private(h.active()).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	d := new(big.Int).SetBytes(raw)
	for _, printed := range []string{fmt.Sprintf("%v %+v %#v", i, i, i), fmt.Sprintf("%v %+v %#v", h.Service, h.Service, *h.Service)} {
		for _, canary := range []string{"eyJ", d.String(), d.Text(16)} {
			if strings.Contains(printed, canary) {
				t.Errorf("printed: %s", printed)
			}
		}
	}
}

func TestATokenDiesAtItsExpiryAlsoWhenRemembered(t *testing.T) {
	h := newHouse(t, func(o *token.Options) { o.CacheTTL = time.Hour; o.Lifetime = 10 * time.Second })
	tok, _ := h.issue()
	h.advance(9 * time.Second)
	h.accepts("a second before", tok)
	h.advance(time.Second)
	h.refuses("at its expiry", tok)
}

func TestRow36Rotation(t *testing.T) {
	h := newHouse(t)
	first, _ := h.issue()
	k1 := h.active()
	if err := h.Rotate(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Fatalf("rotating before the next key was published for the overlap: %v", err)
	}
	h.advance(10 * time.Minute)
	next := h.Keys()[1].ID
	if err := h.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.active() != next {
		t.Error("the key that signs is not the one that was published")
	}
	second, _ := h.issue()
	h.accepts("a token of the retired key", first)
	h.accepts("a token of the new key", second)
	if ids := jwksIDs(t, h.JWKS()); len(ids) != 3 || !ids[k1] || !ids[next] {
		t.Errorf("the key set holds %v", ids)
	}
	h.advance(20 * time.Minute) // the first token's 30 minutes are over
	h.refuses("the first token after its expiry", first)
	h.accepts("the second token", second)
	forged := func() string {
		header, payload := h.parts()
		return sign(h.private(k1), with(header, "kid", k1), text(payload))
	}
	h.accepts("a fresh token of the retired key", forged())
	h.advance(11 * time.Minute)
	h.refuses("a fresh token of the removed key", forged())
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids := jwksIDs(t, h.JWKS()); ids[k1] || len(ids) != 2 {
		t.Errorf("after a sweep the key set holds %v", ids)
	}
	h.Service = h.open()
	if h.active() != next {
		t.Error("another key signs after a restart")
	}
}

func jwksIDs(t *testing.T, doc []byte) map[string]bool {
	t.Helper()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(doc, &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("%v: %s", err, doc)
	}
	ids := map[string]bool{}
	for _, k := range set.Keys {
		for name := range k {
			if !strings.Contains(" kty crv x y kid alg use ", " "+name+" ") {
				t.Errorf("the key set holds %s", name)
			}
		}
		if k["kty"] != "EC" || k["crv"] != "P-256" || k["alg"] != "ES256" || k["use"] != "sig" {
			t.Errorf("key %v", k)
		}
		ids[k["kid"]] = true
	}
	return ids
}

func TestRow36TenRotationsUnderLoadRefuseNoLiveToken(t *testing.T) {
	h := newHouse(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				i, err := h.Issue(t.Context(), bob)
				if err != nil {
					t.Errorf("issue: %v", err)
					return
				}
				if _, err := h.Verify(open(i)); err != nil && h.now().Unix() < i.Claims.Expires {
					t.Errorf("a live token was refused: %v", err)
				}
				jwksIDs(t, h.JWKS())
			}
		})
	}
	for range 10 {
		published := map[string]bool{}
		for _, k := range h.Keys() {
			published[k.ID] = true
		}
		h.advance(10*time.Minute + time.Second)
		if err := h.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !published[h.active()] {
			t.Error("a key signs that was not published before")
		}
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		tok, _ := h.issue()
		h.accepts("a fresh token", tok)
	}
	close(stop)
	wg.Wait()
}

func TestAKeyIsKeptForTheLongestLifetimeItWasUsedWith(t *testing.T) {
	h := newHouse(t, func(o *token.Options) { o.Lifetime = 2 * time.Hour })
	tok, _ := h.issue()
	h.o.Lifetime, h.o.GrantLifetime = 5*time.Minute, 0 // the operator shortens it and restarts
	h.Service = h.open()
	h.advance(10 * time.Minute)
	if err := h.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.advance(100 * time.Minute)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.accepts("a token of the longer lifetime", tok)
}

func TestARevokedKeyIsGoneAtOnce(t *testing.T) {
	h := newHouse(t)
	tok, _ := h.issue()
	h.accepts("before", tok)
	k1, k2 := h.Keys()[0].ID, h.Keys()[1].ID
	if err := h.RevokeKey(t.Context(), k1); err != nil {
		t.Fatal(err)
	}
	h.refuses("a remembered token of the revoked key", tok)
	if h.active() != k2 || len(h.Keys()) != 2 || jwksIDs(t, h.JWKS())[k1] {
		t.Errorf("keys %+v", h.Keys())
	}
	tok, _ = h.issue()
	h.accepts("a token of the next key", tok)
	if err := h.RevokeKey(t.Context(), h.Keys()[1].ID); err != nil || len(h.Keys()) != 2 {
		t.Errorf("revoking the next key: %v, %+v", err, h.Keys())
	}
	h.accepts("a token of the next key", tok)
	if err := h.RevokeKey(t.Context(), k1); !fault.Is(err, fault.NotFound) {
		t.Errorf("revoking it twice: %v", err)
	}
}

func TestRow37SettingsUnderWhichALiveTokenLosesItsKeyAreRefused(t *testing.T) {
	h := newHouse(t)
	for name, change := range map[string]func(*token.Options){
		"retention below the lifetime": func(o *token.Options) { o.Lifetime = 12 * time.Hour; o.Retention = 10 * time.Hour },
		"retention without the skew":   func(o *token.Options) { o.Lifetime = time.Hour; o.Retention = time.Hour },
		"no issuer":                    func(o *token.Options) { o.Issuer = "" },
		"no audience":                  func(o *token.Options) { o.Audience = "" },
		"no wrapper":                   func(o *token.Options) { o.Wrapper = nil },
		"lifetime of years":            func(o *token.Options) { o.Lifetime = 9000 * time.Hour },
		"negative lifetime":            func(o *token.Options) { o.Lifetime = -time.Hour },
		"negative skew":                func(o *token.Options) { o.Skew = -time.Hour; o.Retention = time.Hour },
		"grant shorter than token":     func(o *token.Options) { o.GrantLifetime = time.Minute },
	} {
		o := h.o
		change(&o)
		if _, err := token.Open(t.Context(), h.db, o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}

func TestALostRootKeyIsSaidSo(t *testing.T) {
	h := newHouse(t)
	o := h.o
	o.Wrapper = &wrapper{}
	_, err := token.Open(t.Context(), h.db, o)
	if f := fault.From(err); !fault.Is(err, fault.Unavailable) || !strings.Contains(f.Hint, "root key") {
		t.Errorf("got %v, hint %q", err, f.Hint)
	}
}

func TestRevocationsOutliveARestartAndKeepToTheirTenant(t *testing.T) {
	h := newHouse(t)
	a, ca := h.issue()
	b, cb := h.issue()
	c, _ := h.issue()
	for _, wrong := range [][3]string{{ca.App, "ten_2", ca.Grant}, {"app_2", ca.Tenant, ca.Grant}, {ca.App, ca.Tenant, "gr_x"}, {ca.App, "", ca.Grant}} {
		if err := h.RevokeGrant(t.Context(), wrong[0], wrong[1], wrong[2]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v: %v, want NotFound", wrong, err)
		}
	}
	h.accepts("after others' attempts", a)
	for range 2 {
		if err := h.RevokeGrant(t.Context(), ca.App, ca.Tenant, ca.Grant); err != nil {
			t.Fatal(err)
		}
		if err := h.RevokeToken(t.Context(), cb); err != nil {
			t.Fatal(err)
		}
	}
	h.Service = h.open()
	h.refuses("a token of a revoked grant", a)
	h.refuses("a revoked token", b)
	h.accepts("another token", c)
	h.advance(31 * time.Minute)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	err := h.db.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM auth_grant) + (SELECT count(*) FROM auth_revoked_token)", nil, &n)
	})
	if err != nil || n != 0 {
		t.Errorf("%d rows after a sweep, %v", n, err)
	}
	h.refuses("an expired revoked token", a)
}

func TestTheCacheIsBoundedAndNeverMixesTokensUp(t *testing.T) {
	h := newHouse(t, func(o *token.Options) { o.CacheSize = 8 })
	var toks []string
	var claims []token.Claims
	for range 40 {
		tok, c := h.issue()
		toks, claims = append(toks, tok), append(claims, c)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				j := (i*7 + w) % len(toks)
				if c, err := h.Verify(toks[j]); err != nil || c != claims[j] {
					t.Errorf("token %d: %+v, %v", j, c, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestVerifyingARememberedTokenAllocatesNothing(t *testing.T) {
	h := newHouse(t)
	tok, _ := h.issue()
	h.accepts("once", tok)
	if n := testing.AllocsPerRun(100, func() { h.Verify(tok) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAccessToken(f *testing.F) {
	h := newHouse(f)
	tok, _ := h.issue()
	header, payload := h.parts()
	key := h.private(h.active())
	f.Add(tok)
	f.Add(sign(key, with(header, "alg", "none"), text(payload)))
	f.Add(sign(key, text(header), `{"sub":"x",`+text(payload)[1:]))
	f.Add("..")
	f.Add("e30.e30.e30")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := h.Verify(s); err == nil && s != tok {
			t.Fatalf("accepted %q", s)
		}
		// The same text as header and as payload, rightly signed: only strict reading is left to refuse it.
		for _, forged := range []string{sign(key, s, text(payload)), sign(key, text(header), s)} {
			if c, err := h.Verify(forged); err == nil && (c.Subject == "" || c.Issuer != h.o.Issuer || c.Grant == "") {
				t.Fatalf("accepted %+v", c)
			}
		}
	})
}

func BenchmarkVerifyRemembered(b *testing.B) {
	h := newHouse(b, func(o *token.Options) { o.Now = time.Now })
	tok, _ := h.issue()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Verify(tok); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyFirstTime(b *testing.B) {
	h := newHouse(b, func(o *token.Options) { o.CacheTTL = time.Nanosecond; o.Now = time.Now })
	tok, _ := h.issue()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Verify(tok); err != nil {
			b.Fatal(err)
		}
	}
}

// Signing keys are replaced when one has signed long enough, by whoever asks first, and tokens live on.
func TestRotateAfter(t *testing.T) {
	h := newHouse(t)
	const age = 24 * time.Hour
	rotate := func(want bool) {
		t.Helper()
		if rotated, err := h.RotateAfter(t.Context(), age); err != nil || rotated != want {
			t.Fatalf("%v, %v, want %v", rotated, err, want)
		}
	}
	first := h.active()
	rotate(false)
	h.advance(age - time.Second)
	rotate(false)
	old, _ := h.issue()
	h.advance(time.Second)
	rotate(true)
	if h.active() == first {
		t.Error("the same key signs")
	}
	h.accepts("a living token of the key before", old)
	rotate(false) // once is enough
	h.advance(age)
	rotate(true)
}
