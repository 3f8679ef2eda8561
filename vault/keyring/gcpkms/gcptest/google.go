package gcptest

import (
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
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/sealed"
)

// KeyName is the one key it has.
const KeyName = "projects/p-1/locations/europe-west3/keyRings/hayward/cryptoKeys/root"

// Google answers as the documents of Cloud KMS and of its login say.
type Google struct {
	*httptest.Server
	t       testing.TB
	account *rsa.PrivateKey
	key     cipher.AEAD
	Logins  atomic.Int64                             // so far
	Down    atomic.Int64                             // answers 503 so many times
	Twist   func(path string, answer map[string]any) // changes an answer; nil changes none
}

// New starts a server that ends with the test.
func New(t testing.TB) *Google {
	key := make([]byte, 32)
	rand.Read(key)
	block, _ := aes.NewCipher(key)
	g := &Google{t: t}
	g.key, _ = cipher.NewGCM(block)
	var err error
	if g.account, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.Close)
	return g
}

// KeyFile is the key file of the account that may use the key. The address to log in at that it names is a trap.
func (g *Google) KeyFile() sealed.Value {
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

func (g *Google) serve(w http.ResponseWriter, r *http.Request) {
	if g.Down.Add(-1) >= 0 {
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
	out := map[string]any{"name": KeyName + "/cryptoKeyVersions/1", "protectionLevel": "SOFTWARE"}
	aad := field("additionalAuthenticatedData")
	switch r.URL.Path {
	case "/v1/" + KeyName + ":encrypt":
		nonce := make([]byte, g.key.NonceSize())
		rand.Read(nonce)
		ct := g.key.Seal(nonce, nonce, field("plaintext"), aad)
		out["ciphertext"], out["ciphertextCrc32c"], out["verifiedPlaintextCrc32c"], out["verifiedAdditionalAuthenticatedDataCrc32c"] = ct, crc(ct), true, true
	case "/v1/" + KeyName + ":decrypt":
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
	if g.Twist != nil {
		g.Twist(r.URL.Path, out)
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

func (g *Google) login(w http.ResponseWriter, r *http.Request) {
	g.Logins.Add(1)
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
