package gcpkms

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/keyring/internal/wire"
)

// tokenScope is all that a token is good for.
const tokenScope = "https://www.googleapis.com/auth/cloudkms"

// login is a service account that can show who it is.
type login struct {
	email, keyID string
	url          string
	sign         func(text []byte) ([]byte, error) // RS256; the key is behind a function so that no printing reaches it
}

// parseAccount reads a service account's key file. Where to log in is not taken from it: a changed file would have us sign
// for, and talk to, somebody else.
func parseAccount(o Options) (login, error) {
	bad := func() error {
		return fault.New(fault.Invalid, "the service account's key is none").At(fault.Where{Field: "service_account"}).
			WithHint("give the JSON file that Google made for a key of the account (type \"service_account\")")
	}
	if o.ServiceAccount.IsZero() {
		return login{}, fault.New(fault.Invalid, "the service account for Google Cloud KMS is missing").At(fault.Where{Field: "service_account"}).
			WithHint("give the JSON of its key file; no default credentials and no metadata server are asked")
	}
	text := reveal.Inside(o.ServiceAccount)
	defer clear(text)
	var account struct {
		Type  string `json:"type"`
		Email string `json:"client_email"`
		KeyID string `json:"private_key_id"`
		Key   string `json:"private_key"`
	}
	if json.Unmarshal(text, &account) != nil || account.Type != "service_account" || account.Email == "" {
		return login{}, bad()
	}
	block, _ := pem.Decode([]byte(account.Key))
	if block == nil {
		return login{}, bad()
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok || key.N.BitLen() < 2048 {
		return login{}, bad()
	}
	u, err := url.Parse(o.TokenURL)
	if err != nil {
		return login{}, fault.New(fault.Invalid, "the address to log in at is none").At(fault.Where{Field: "token_url"})
	}
	if _, err := sealed.FromURL(u); err != nil {
		return login{}, err
	}
	return login{email: account.Email, keyID: account.KeyID, url: o.TokenURL, sign: func(text []byte) ([]byte, error) {
		sum := sha256.Sum256(text)
		return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	}}, nil
}

// assertion is a JWT that says who asks, good for an hour (RFC 7523;
// https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests).
func (l login) assertion(now time.Time) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": l.keyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": l.email, "scope": tokenScope, "aud": l.url, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sig, err := l.sign([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), err
}

// authorised returns an access token that is good for a minute more at least.
func (k *KMS) authorised(ctx context.Context) (sealed.Value, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.o.Now()
	if !k.token.IsZero() && now.Before(k.until) {
		return k.token, nil
	}
	jwt, err := k.login.assertion(now)
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Internal, err, "the login of the service account cannot be signed")
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {jwt}}.Encode()
	c := k.wire
	c.What = "Google's login"
	status, text, err := c.Post(ctx, wire.Request{URL: k.login.url, ContentType: "application/x-www-form-urlencoded", Body: []byte(form)})
	defer clear(text)
	if err != nil {
		return sealed.Value{}, err
	}
	return k.keep(status, text, now)
}

func (k *KMS) keep(status int, text []byte, now time.Time) (sealed.Value, error) {
	var a struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int64  `json:"expires_in"` // seconds
		Error   string `json:"error"`
	}
	err := json.Unmarshal(text, &a)
	switch {
	case status != http.StatusOK:
		return sealed.Value{}, fault.New(fault.Denied, "Google does not accept the login of the service account (%d)", status).
			WithHint("the account and its key must exist and be enabled, and the clock of this machine must be right")
	case err != nil || a.Token == "" || (a.Type != "" && a.Type != "Bearer"):
		return sealed.Value{}, fault.New(fault.Unavailable, "Google's login gave an answer that cannot be read")
	}
	k.token, k.until = sealed.NewString(a.Token), now.Add(time.Duration(min(a.Expires, 3600))*time.Second-time.Minute)
	return k.token, nil
}

func (k *KMS) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = sealed.Value{}
}
