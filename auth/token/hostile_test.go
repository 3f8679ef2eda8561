package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// Every token below is signed with the server's own active key unless it says otherwise, so that only the strictness
// named by the case refuses it.
func TestRow30HostileTokens(t *testing.T) {
	h := newHouse(t)
	key := h.private(h.active())
	header, payload := h.parts()
	hd, pl := text(header), text(payload)
	now := h.now().Unix()
	h.accepts("the forge itself", sign(key, hd, pl))

	good := sign(key, hd, pl)
	part := strings.Split(good, ".")
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)

	for name, tok := range map[string]string{
		// form
		"empty":                "",
		"one dot":              part[0] + "." + part[1],
		"four parts":           good + ".x",
		"five parts (JWE)":     good + ".x.y",
		"JSON serialization":   `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`,
		"leading space":        " " + good,
		"trailing newline":     good + "\n",
		"trailing space":       good + " ",
		"newline inside":       part[0] + ".\n" + part[1] + "." + part[2],
		"padded signature":     good + "==",
		"standard base64":      strings.NewReplacer("-", "+", "_", "/").Replace(part[0]) + "+." + part[1] + "." + part[2],
		"bits left over":       part[0] + "." + part[1] + "." + leftOver(part[2]),
		"8 KiB and one":        part[0] + "." + part[1] + "." + part[2] + strings.Repeat("A", 8193-len(good)),
		"5 MB payload":         sign(key, hd, with(payload, "sub", strings.Repeat("x", 5<<20))),
		"truncated signature":  good[:len(good)-2],
		"DER signature":        part[0] + "." + part[1] + "." + b64(der(key, part[0]+"."+part[1])),
		"empty signature":      part[0] + "." + part[1] + ".",
		"zero signature":       part[0] + "." + part[1] + "." + b64(make([]byte, 64)),
		"NUL":                  good + "\x00",
		"percent-encoded dots": strings.ReplaceAll(good, ".", "%2E"),
		"bearer word kept":     "Bearer " + good,
		"two tokens":           good + "," + good,
		// algorithm and type
		"alg none, no signature": b64([]byte(with(header, "alg", "none"))) + "." + part[1] + ".",
		"alg none, signed":       sign(key, with(header, "alg", "none"), pl),
		"alg None":               sign(key, with(header, "alg", "None"), pl),
		"alg nOnE":               b64([]byte(with(header, "alg", "nOnE"))) + "." + part[1] + ".",
		"alg empty":              sign(key, with(header, "alg", ""), pl),
		"alg missing":            sign(key, without(header, "alg"), pl),
		"alg null":               sign(key, with(header, "alg", nil), pl),
		"alg number":             sign(key, with(header, "alg", 1), pl),
		"alg array":              sign(key, with(header, "alg", []string{"ES256"}), pl),
		"alg es256":              sign(key, with(header, "alg", "es256"), pl),
		"alg ES384":              sign(key, with(header, "alg", "ES384"), pl),
		"alg RS256":              sign(key, with(header, "alg", "RS256"), pl),
		"alg EdDSA":              sign(key, with(header, "alg", "EdDSA"), pl),
		"second alg in capitals": sign(key, with(header, "ALG", "none"), pl),
		"only ALG":               sign(key, `{"ALG":"ES256","kid":"`+h.active()+`","typ":"at+jwt"}`, pl),
		"duplicate alg":          sign(key, `{"alg":"none",`+hd[1:], pl),
		"typ JWT (an id token)":  sign(key, with(header, "typ", "JWT"), pl),
		"typ missing":            sign(key, without(header, "typ"), pl),
		"typ logout+jwt":         sign(key, with(header, "typ", "logout+jwt"), pl),
		"typ AT+JWT":             sign(key, with(header, "typ", "AT+JWT"), pl),
		"cty":                    sign(key, with(header, "cty", "JWT"), pl),
		// extensions and key smuggling
		"unknown crit":         sign(key, with(header, "crit", []string{"x"}), pl),
		"crit b64 false":       sign(key, with(with2(header, "b64", false), "crit", []string{"b64"}), pl),
		"jku":                  sign(other, with(header, "jku", "http://127.0.0.1:1/jwks"), pl),
		"x5u":                  sign(other, with(header, "x5u", "http://127.0.0.1:1/x"), pl),
		"x5c":                  sign(other, with(header, "x5c", []string{"AAAA"}), pl),
		"own jwk":              sign(other, with(header, "jwk", jwk(&other.PublicKey)), pl),
		"another key, our kid": sign(other, hd, pl),
		"kid missing":          sign(key, without(header, "kid"), pl),
		"kid empty":            sign(key, with(header, "kid", ""), pl),
		"kid traversal":        sign(key, with(header, "kid", "../../etc/passwd"), pl),
		"kid /dev/null":        sign(key, with(header, "kid", "/dev/null"), pl),
		"kid SQL":              sign(key, with(header, "kid", "' OR 1=1 --"), pl),
		"kid 10 kB":            sign(key, with(header, "kid", strings.Repeat("k", 10_000)), pl),
		"kid of the next key":  sign(key, with(header, "kid", h.Keys()[1].ID), pl),
		"kid number":           sign(key, with(header, "kid", 1), pl),
		// JSON
		"header not JSON":           sign(key, "x", pl),
		"header array":              sign(key, "[]", pl),
		"header null":               sign(key, "null", pl),
		"header with trailing JSON": sign(key, hd+"{}", pl),
		"payload empty":             sign(key, hd, ""),
		"payload null":              sign(key, hd, "null"),
		"payload array":             sign(key, hd, "["+pl+"]"),
		"payload string":            sign(key, hd, `"x"`),
		"trailing JSON":             sign(key, hd, pl+"{}"),
		"duplicate sub":             sign(key, hd, `{"sub":"usr_2",`+pl[1:]),
		"duplicate sub by escape":   sign(key, hd, `{"s\u0075b":"usr_2",`+pl[1:]),
		"EXP beside exp":            sign(key, hd, with(payload, "EXP", now+1)),
		"AUD beside aud":            sign(key, hd, with(payload, "AUD", "hayward")),
		"roles":                     sign(key, hd, with(payload, "roles", []string{"admin"})),
		"invalid UTF-8":             sign(key, hd, strings.Replace(pl, "usr_1", "usr_\xff", 1)),
		// claims
		"iss missing":                 sign(key, hd, without(payload, "iss")),
		"iss of another":              sign(key, hd, with(payload, "iss", "https://evil.example")),
		"iss with a slash":            sign(key, hd, with(payload, "iss", "https://hay.example/")),
		"aud missing":                 sign(key, hd, without(payload, "aud")),
		"aud of another":              sign(key, hd, with(payload, "aud", "other")),
		"aud array":                   sign(key, hd, with(payload, "aud", []string{"hayward", "other"})),
		"exp missing":                 sign(key, hd, without(payload, "exp")),
		"exp past":                    sign(key, hd, with(payload, "exp", now-1)),
		"exp now":                     sign(key, hd, with(payload, "exp", now)),
		"exp string":                  sign(key, hd, with(payload, "exp", "1900000000")),
		"exp null":                    sign(key, hd, with(payload, "exp", nil)),
		"exp fraction":                sign(key, hd, strings.Replace(pl, `"exp":18`, `"exp":0.18`, 1)),
		"exp exponent":                sign(key, hd, with(payload, "exp", json.RawMessage("1e300"))),
		"exp beyond every calendar":   sign(key, hd, with(payload, "exp", int64(1)<<62)),
		"exp 2^64":                    sign(key, hd, with(payload, "exp", json.RawMessage("18446744073709551616"))),
		"exp negative":                sign(key, hd, with(payload, "exp", -1)),
		"exp true":                    sign(key, hd, with(payload, "exp", true)),
		"nbf missing":                 sign(key, hd, without(payload, "nbf")),
		"nbf in the future":           sign(key, hd, with(payload, "nbf", now+3600)),
		"iat missing":                 sign(key, hd, without(payload, "iat")),
		"iat in the future":           sign(key, hd, with(payload, "iat", now+3600)),
		"iat zero":                    sign(key, hd, with(payload, "iat", 0)),
		"jti missing":                 sign(key, hd, without(payload, "jti")),
		"jti empty":                   sign(key, hd, with(payload, "jti", "")),
		"gid missing":                 sign(key, hd, without(payload, "gid")),
		"gid empty":                   sign(key, hd, with(payload, "gid", "")),
		"sub missing":                 sign(key, hd, without(payload, "sub")),
		"sub empty":                   sign(key, hd, with(payload, "sub", "")),
		"sub number":                  sign(key, hd, with(payload, "sub", 1)),
		"app missing":                 sign(key, hd, without(payload, "app")),
		"app empty":                   sign(key, hd, with(payload, "app", "")),
		"tenant missing":              sign(key, hd, without(payload, "tenant")),
		"tenant null":                 sign(key, hd, with(payload, "tenant", nil)),
		"credential version missing":  sign(key, hd, without(payload, "cv")),
		"credential version zero":     sign(key, hd, with(payload, "cv", 0)),
		"payload of another token":    part[0] + "." + strings.Split(sign(key, hd, with(payload, "sub", "usr_2")), ".")[1] + "." + part[2],
		"header of another algorithm": b64([]byte(with(header, "alg", "HS256"))) + "." + part[1] + "." + part[2],
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			h.t = t
			h.refuses(name, tok)
			if time.Since(begun) > 5*time.Second {
				t.Error("it took seconds")
			}
		})
	}
	h.t = t
	h.accepts("a good token afterwards", good)
}

func with2(m map[string]any, name string, value any) map[string]any {
	c := map[string]any{name: value}
	for k, v := range m {
		c[k] = v
	}
	return c
}

// leftOver changes the bits of the last letter that carry no data.
func leftOver(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[i|1])
}

func der(key *ecdsa.PrivateKey, input string) []byte {
	sum := sha256.Sum256([]byte(input))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	return sig
}

func jwk(k *ecdsa.PublicKey) map[string]string {
	raw, err := k.Bytes()
	if err != nil {
		panic(err)
	}
	return map[string]string{"kty": "EC", "crv": "P-256", "x": b64(raw[1:33]), "y": b64(raw[33:])}
}

func TestRow31HS256WithThePublicKeyAsSecret(t *testing.T) {
	h := newHouse(t)
	header, payload := h.parts()
	pub := &h.private(h.active()).PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pub.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwkText, _ := json.Marshal(jwk(pub))
	for name, secret := range map[string][]byte{
		"PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"DER":     pkix,
		"raw":     raw,
		"JWK":     jwkText,
		"JWKS":    h.JWKS(),
		"kid":     []byte(h.active()),
		"nothing": {},
	} {
		for _, alg := range []string{"HS256", "ES256"} {
			input := b64([]byte(with(header, "alg", alg))) + "." + b64([]byte(text(payload)))
			m := hmac.New(sha256.New, secret)
			m.Write([]byte(input))
			h.refuses(name+" as "+alg, input+"."+b64(m.Sum(nil)))
		}
	}
}

func TestRow38AMalleatedCopyOfARevokedToken(t *testing.T) {
	h := newHouse(t)
	for name, revoke := range map[string]func(tok string) error{
		"by jti": func(tok string) error {
			c, err := h.Verify(tok)
			if err != nil {
				return err
			}
			return h.RevokeToken(t.Context(), c)
		},
		"by grant": func(tok string) error {
			c, err := h.Verify(tok)
			if err != nil {
				return err
			}
			return h.RevokeGrant(t.Context(), c.App, c.Tenant, c.Grant)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tok, _ := h.issue()
			twin := malleate(t, tok)
			h.accepts("the token", tok)
			h.accepts("its twin: this is why revocation goes by id", twin)
			if err := revoke(tok); err != nil {
				t.Fatal(err)
			}
			h.refuses("the revoked token", tok)
			h.refuses("its remembered twin", twin)
		})
	}
}

// malleate replaces s of an ES256 signature by n-s, which is as valid.
func malleate(t *testing.T, tok string) string {
	t.Helper()
	i := strings.LastIndexByte(tok, '.')
	sig, err := base64.RawURLEncoding.DecodeString(tok[i+1:])
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(sig[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(sig[32:])
	return tok[:i+1] + b64(sig)
}
