package gcpkms_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/keyring/gcpkms"
	"github.com/haywardhq/hayward/vault/store/memory"
)

const keyName = "projects/p-1/locations/europe-west3/keyRings/hayward/cryptoKeys/root"

// google answers as the documents of Cloud KMS and of its login say.
type google struct {
	*httptest.Server
	t       *testing.T
	account *rsa.PrivateKey
	key     cipher.AEAD
	logins  atomic.Int64
	down    atomic.Int64
	twist   func(path string, answer map[string]any) // changes an answer
}

func newGoogle(t *testing.T) *google {
	key := make([]byte, 32)
	rand.Read(key)
	block, _ := aes.NewCipher(key)
	g := &google{t: t}
	g.key, _ = cipher.NewGCM(block)
	var err error
	if g.account, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

func (g *google) keyFile() sealed.Value {
	der, err := x509.MarshalPKCS8PrivateKey(g.account)
	if err != nil {
		g.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "p-1", "private_key_id": "kid-1", "client_email": "hayward@p-1.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://evil.example/token", "universe_domain": "googleapis.com"})
	if err != nil {
		g.t.Fatal(err)
	}
	return sealed.New(text)
}

func (g *google) serve(w http.ResponseWriter, r *http.Request) {
	if g.down.Add(-1) >= 0 {
		refuse(w, 503, "UNAVAILABLE")
		return
	}
	if r.URL.Path == "/token" {
		g.login(w, r)
		return
	}
	if r.Header.Get("Authorization") != "Bearer access-canary" {
		refuse(w, 401, "UNAUTHENTICATED")
		return
	}
	var in map[string]string
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &in) != nil {
		refuse(w, 400, "INVALID_ARGUMENT")
		return
	}
	field := func(name string) []byte {
		b, err := base64.StdEncoding.DecodeString(in[name])
		if err != nil || (in[name+"Crc32c"] != crc(b)) {
			g.t.Errorf("%s: %v, checksum %s of %s", name, err, in[name+"Crc32c"], crc(b))
		}
		return b
	}
	out := map[string]any{"name": keyName + "/cryptoKeyVersions/1", "protectionLevel": "SOFTWARE"}
	aad := field("additionalAuthenticatedData")
	switch r.URL.Path {
	case "/v1/" + keyName + ":encrypt":
		nonce := make([]byte, g.key.NonceSize())
		rand.Read(nonce)
		ct := g.key.Seal(nonce, nonce, field("plaintext"), aad)
		out["ciphertext"], out["ciphertextCrc32c"], out["verifiedPlaintextCrc32c"], out["verifiedAdditionalAuthenticatedDataCrc32c"] = ct, crc(ct), true, true
	case "/v1/" + keyName + ":decrypt":
		ct := field("ciphertext")
		if len(ct) < g.key.NonceSize() {
			refuse(w, 400, "INVALID_ARGUMENT")
			return
		}
		pt, err := g.key.Open(nil, ct[:g.key.NonceSize()], ct[g.key.NonceSize():], aad)
		if err != nil {
			refuse(w, 400, "INVALID_ARGUMENT")
			return
		}
		out["plaintext"], out["plaintextCrc32c"], out["usedPrimary"] = pt, crc(pt), true
	default:
		refuse(w, 403, "PERMISSION_DENIED")
		return
	}
	if g.twist != nil {
		g.twist(r.URL.Path, out)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func crc(b []byte) string {
	return strconv.FormatUint(uint64(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))), 10)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "message": "canary of Google", "status": code}})
}

func (g *google) login(w http.ResponseWriter, r *http.Request) {
	g.logins.Add(1)
	part := strings.Split(r.PostFormValue("assertion"), ".")
	if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || len(part) != 3 {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"unsupported_grant_type"}`)
		return
	}
	decode := func(s string) []byte { b, _ := base64.RawURLEncoding.DecodeString(s); return b }
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	var head, claims map[string]any
	_, _ = json.Unmarshal(decode(part[0]), &head), json.Unmarshal(decode(part[1]), &claims)
	life, _ := claims["exp"].(float64)
	born, _ := claims["iat"].(float64)
	if rsa.VerifyPKCS1v15(&g.account.PublicKey, crypto.SHA256, sum[:], decode(part[2])) != nil || head["alg"] != "RS256" || head["kid"] != "kid-1" ||
		claims["iss"] != "hayward@p-1.iam.gserviceaccount.com" || claims["aud"] != g.URL+"/token" || claims["scope"] != "https://www.googleapis.com/auth/cloudkms" || life-born != 3600 {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"canary: Invalid JWT Signature."}`)
		return
	}
	_, _ = io.WriteString(w, `{"access_token":"access-canary","expires_in":3599,"token_type":"Bearer"}`)
}

func (g *google) open(t *testing.T, change func(*gcpkms.Options)) *gcpkms.KMS {
	t.Helper()
	u, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	o := gcpkms.Options{Key: keyName, ServiceAccount: g.keyFile(), Endpoint: g.URL, TokenURL: g.URL + "/token", Egress: p, Pause: time.Millisecond}
	if change != nil {
		change(&o)
	}
	k, err := gcpkms.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestARootKeyUnderGoogleCloudKMS(t *testing.T) {
	g := newGoogle(t)
	st := memory.New()
	k := g.open(t, nil)
	p := keyring.WrappedRoot(filepath.Join(t.TempDir(), "root.key"), k, nil)
	r, err := keyring.Open(t.Context(), st, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := keyring.Open(t.Context(), st, p); err != nil || again.RootID() != r.RootID() {
		t.Fatal(err)
	}
	if n := g.logins.Load(); n != 1 {
		t.Errorf("logged in %d times", n)
	}
	if k.Name() != "gcpkms:"+keyName {
		t.Error(k.Name())
	}
}

func TestWhatDoesNotUnwrap(t *testing.T) {
	g := newGoogle(t)
	k := g.open(t, nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil || bytes.Contains(ct, []byte("plain")) {
		t.Fatal(err)
	}
	g.down.Store(2)
	if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" {
		t.Fatalf("%q, %v", pt, err)
	}
	g.down.Store(1000)
	if _, err := k.Unwrap(t.Context(), ct, "here"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("it is down: %v", err)
	}
	g.down.Store(0)
	other := strings.Replace(keyName, "root", "other", 1)
	for name, tc := range map[string]struct {
		k    *gcpkms.KMS
		ct   []byte
		aad  string
		kind fault.Kind
	}{
		"another place": {k, ct, "there", fault.Failed}, "changed": {k, append(bytes.Clone(ct), 1), "here", fault.Failed}, "short": {k, nil, "here", fault.Failed},
		"another key":      {g.open(t, func(o *gcpkms.Options) { o.Key = other }), ct, "here", fault.Denied},
		"another account":  {g.open(t, func(o *gcpkms.Options) { o.ServiceAccount = newGoogle(t).keyFile() }), ct, "here", fault.Denied},
		"a clock at fault": {g.open(t, func(o *gcpkms.Options) { o.TokenURL = g.URL + "/elsewhere" }), ct, "here", fault.Denied},
		"not allowed":      {g.open(t, func(o *gcpkms.Options) { o.Egress = egress.Policy{} }), ct, "here", fault.Denied},
	} {
		pt, err := tc.k.Unwrap(t.Context(), tc.ct, tc.aad)
		if !fault.Is(err, tc.kind) || pt != nil || strings.Contains(fmt.Sprint(err, fault.From(err).Hint), "canary") {
			t.Errorf("%s: %q, %v", name, pt, err)
		}
	}
}

// Each checksum is looked at: what was changed on the way is not used.
func TestChecksums(t *testing.T) {
	g := newGoogle(t)
	k := g.open(t, nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"plaintext not verified": func(a map[string]any) { a["verifiedPlaintextCrc32c"] = false }, "aad not verified": func(a map[string]any) { delete(a, "verifiedAdditionalAuthenticatedDataCrc32c") },
		"ciphertext sum": func(a map[string]any) { a["ciphertextCrc32c"] = "1" }, "no ciphertext sum": func(a map[string]any) { delete(a, "ciphertextCrc32c") },
		"ciphertext": func(a map[string]any) { a["ciphertext"] = []byte("other") }, "no ciphertext": func(a map[string]any) { a["ciphertext"], a["ciphertextCrc32c"] = []byte{}, "0" },
	} {
		g.twist = func(path string, a map[string]any) {
			if strings.HasSuffix(path, ":encrypt") {
				change(a)
			}
		}
		if got, err := k.Wrap(t.Context(), []byte("plain"), "here"); !fault.Is(err, fault.Unavailable) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, change := range map[string]func(map[string]any){
		"plaintext": func(a map[string]any) { a["plaintext"] = []byte("other") }, "sum": func(a map[string]any) { a["plaintextCrc32c"] = "1" },
		"no sum": func(a map[string]any) { delete(a, "plaintextCrc32c") },
	} {
		g.twist = func(_ string, a map[string]any) { change(a) }
		if got, err := k.Unwrap(t.Context(), ct, "here"); !fault.Is(err, fault.Unavailable) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestATokenIsFetchedAgainWhenItEnds(t *testing.T) {
	g := newGoogle(t)
	now := time.Now()
	k := g.open(t, func(o *gcpkms.Options) { o.Now = func() time.Time { return now } })
	for _, step := range []struct {
		later time.Duration
		want  int64
	}{{0, 1}, {30 * time.Minute, 1}, {29 * time.Minute, 2}, {time.Hour, 3}} {
		now = now.Add(step.later)
		if _, err := k.Wrap(t.Context(), []byte("p"), "a"); err != nil || g.logins.Load() != step.want {
			t.Errorf("after %v: %d logins, %v", step.later, g.logins.Load(), err)
		}
	}
}

func TestOptions(t *testing.T) {
	g := newGoogle(t)
	account := func(text string) func(*gcpkms.Options) {
		return func(o *gcpkms.Options) { o.ServiceAccount = sealed.NewString(text) }
	}
	for name, change := range map[string]func(*gcpkms.Options){
		"key": func(o *gcpkms.Options) { o.Key = "" }, "version": func(o *gcpkms.Options) { o.Key += "/cryptoKeyVersions/1" }, "dots": func(o *gcpkms.Options) { o.Key = "projects/../locations/l/keyRings/r/cryptoKeys/k" },
		"endpoint": func(o *gcpkms.Options) { o.Endpoint = "ftp://kms" }, "token url": func(o *gcpkms.Options) { o.TokenURL = "::" }, "token scheme": func(o *gcpkms.Options) { o.TokenURL = "ftp://x/" },
		"no account": func(o *gcpkms.Options) { o.ServiceAccount = sealed.Value{} }, "not JSON": account("canary"), "another type": account(`{"type":"authorized_user","client_email":"a"}`),
		"no key": account(`{"type":"service_account","client_email":"a","private_key":"canary"}`),
	} {
		o := gcpkms.Options{Key: keyName, ServiceAccount: g.keyFile()}
		change(&o)
		if _, err := gcpkms.New(o); !fault.Is(err, fault.Invalid) || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
