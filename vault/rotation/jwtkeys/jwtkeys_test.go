package jwtkeys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/rotation/jwtkeys"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func build(t *testing.T) (*rotation.Manager, *secret.Service, context.Context) {
	t.Helper()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	st := memory.New()
	secrets := secret.NewService(st, enc)
	return rotation.NewManager(st, secrets), secrets, scope.WithScope(context.Background(), "app", "acme", "ann", "")
}

func policy(t *testing.T, m *rotation.Manager, ctx context.Context, kind, params string) {
	t.Helper()
	_, err := rotation.NewService(m).SetPolicy(ctx, &rotation.Policy{SecretKey: "JWT", Interval: time.Hour, Enabled: true, Rotator: kind, Params: json.RawMessage(params)})
	if err != nil {
		t.Fatal(err)
	}
}

func states(s *jwtkeys.Set) (ids map[string]string, order string) {
	ids = map[string]string{}
	for _, k := range s.Keys() {
		ids[k.State] = k.ID
		order += k.State + " "
	}
	return ids, strings.TrimSpace(order)
}

func TestKeysOverlap(t *testing.T) {
	m, secrets, ctx := build(t)
	m.RegisterKind(jwtkeys.Kind, jwtkeys.New())
	policy(t, m, ctx, jwtkeys.Kind, `{"overlap":"0s"}`)
	before := map[string]string{}
	var token string
	for round := range 4 {
		if err := m.RotateNow(ctx, "JWT", ""); err != nil {
			t.Fatal(err)
		}
		s, err := secrets.Get(ctx, "JWT", "")
		if err != nil {
			t.Fatal(err)
		}
		set, err := jwtkeys.Parse(s.Value)
		if err != nil {
			t.Fatal(err)
		}
		now, order := states(set)
		want := "current next previous"
		if round == 0 {
			want = "current next"
		}
		if order != want || round > 0 && (now["current"] != before["next"] || now["previous"] != before["current"] || now["next"] == before["next"]) {
			t.Fatalf("round %d: %s: %v after %v", round, order, now, before)
		}
		public := string(set.Public())
		if strings.Contains(public, `"d"`) || strings.Contains(public, "hayward") {
			t.Errorf("the public set shows %s", public)
		}
		if round > 0 {
			verify(t, set.Public(), token) // what was signed before the rotation still verifies
		}
		token = sign(t, set)
		verify(t, set.Public(), token)
		before = now
	}
}

func sign(t *testing.T, set *jwtkeys.Set) string {
	t.Helper()
	id, key := set.Signer()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign([]byte("hay"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func verify(t *testing.T, jwks []byte, token string) {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	keys := set.Key(jws.Signatures[0].Header.KeyID)
	if len(keys) != 1 {
		t.Fatalf("%d keys are named %s in %s", len(keys), jws.Signatures[0].Header.KeyID, jwks)
	}
	if got, err := jws.Verify(keys[0]); err != nil || string(got) != "hay" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAKeyIsPublishedBeforeItSigns(t *testing.T) {
	m, _, ctx := build(t)
	m.RegisterKind(jwtkeys.Kind, jwtkeys.New())
	policy(t, m, ctx, jwtkeys.Kind, ``)
	if err := m.RotateNow(ctx, "JWT", ""); err != nil {
		t.Fatal(err)
	}
	err := m.RotateNow(ctx, "JWT", "")
	if !fault.Is(err, fault.Conflict) || fault.From(err).Code != "TooSoon" || !strings.Contains(fault.From(err).Hint, "10m0s") && !strings.Contains(fault.From(err).Hint, "9m") {
		t.Fatalf("%v %+v", err, fault.From(err))
	}
}

func TestWhatIsNoKeySet(t *testing.T) {
	for _, bad := range []string{"", "hay", "{}", `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA","hayward_state":"current"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1","hayward_state":"current"}]}`} {
		if _, err := jwtkeys.Parse(sealed.NewString(bad)); !fault.Is(err, fault.Invalid) || fault.From(err).Code != "NotAKeySet" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := jwtkeys.New().(rotation.Checker).CheckParams([]byte(`{"overlap":"-1h"}`)); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256","hayward_state":"current","hayward_created":1}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		set, err := jwtkeys.Parse(sealed.NewString(s))
		if err != nil {
			return
		}
		if id, key := set.Signer(); id == "" || key == nil || strings.Contains(string(set.Public()), `"d":`) {
			t.Fatalf("%q", s)
		}
	})
}

// elsewhere is a set of keys that knows no token.
type elsewhere struct {
	active  int
	rotated int
	fail    error
	hides   bool
}

func (e *elsewhere) Active(context.Context) (string, error) { return fmt.Sprint("key", e.active), nil }

func (e *elsewhere) Rotate(context.Context) error {
	e.rotated++
	e.active++
	return e.fail
}

func (e *elsewhere) JWKS(context.Context) ([]byte, error) {
	if e.hides {
		return []byte(`{"keys":[]}`), nil
	}
	return fmt.Appendf(nil, `{"keys":[{"kid":"key%d"},{"kid":"key%d"},{"kid":"key%d"}]}`, e.active-1, e.active, e.active+1), nil
}

// A rotation whose answer was lost is not done a second time.
func TestKeysElsewhereRotateOnce(t *testing.T) {
	m, _, ctx := build(t)
	e := &elsewhere{fail: fault.New(fault.Unavailable, "the answer was lost")}
	m.RegisterKind("server-keys", jwtkeys.Over(e, "app", "acme"))
	policy(t, m, ctx, "server-keys", ``)
	if err := m.RotateNow(ctx, "JWT", ""); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	e.hides = true
	if err := m.RotateNow(ctx, "JWT", ""); !fault.Is(err, fault.Failed) {
		t.Fatal(err)
	}
	e.hides = false
	if err := m.RotateNow(ctx, "JWT", ""); err != nil || e.rotated != 1 {
		t.Fatalf("rotated %d times, %v", e.rotated, err)
	}
	e.fail = nil
	if err := m.RotateNow(ctx, "JWT", ""); err != nil || e.rotated != 2 {
		t.Fatalf("rotated %d times, %v", e.rotated, err)
	}
	other := scope.WithTenantID(ctx, "globex")
	policy(t, m, other, "server-keys", ``)
	if err := m.RotateNow(other, "JWT", ""); !fault.Is(err, fault.Denied) || e.rotated != 2 {
		t.Fatalf("another tenant: %v", err)
	}
}
