package transit_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/keyring/transit"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// engine answers as the transit engine of OpenBao 2.6 was recorded to: statuses, envelope, "vault:v<n>:" and the texts of errors.
type engine struct {
	*httptest.Server
	keys  []cipher.AEAD // by version
	asked atomic.Int64
	down  atomic.Int64 // answers 503 so many times, as a sealed server
}

func newEngine(t *testing.T) *engine {
	e := &engine{}
	e.rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/transit/{op}/{key}", e.serve)
	mux.HandleFunc("POST /v1/deep/mount/{op}/{key}", e.serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "no handler for route \"canary\"") })
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

func (e *engine) rotate() {
	key := make([]byte, 32)
	rand.Read(key)
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	e.keys = append(e.keys, aead)
}

func refuse(w http.ResponseWriter, status int, texts ...string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string][]string{"errors": texts})
}

func (e *engine) serve(w http.ResponseWriter, r *http.Request) {
	e.asked.Add(1)
	if e.down.Add(-1) >= 0 {
		refuse(w, 503, "Vault is sealed")
		return
	}
	if ns := r.Header.Get("X-Vault-Namespace"); r.Header.Get("X-Vault-Token") != "token-canary" || (ns != "" && ns != "team/a") {
		refuse(w, 403, "permission denied")
		return
	}
	var in struct {
		Plaintext  []byte `json:"plaintext"`
		Ciphertext string `json:"ciphertext"`
		AAD        []byte `json:"associated_data"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || r.PathValue("key") != "hayward" {
		refuse(w, 400, "encryption key not found")
		return
	}
	data := map[string]any{}
	switch r.PathValue("op") {
	case "encrypt":
		aead := e.keys[len(e.keys)-1]
		nonce := make([]byte, aead.NonceSize())
		rand.Read(nonce)
		data["ciphertext"] = fmt.Sprintf("vault:v%d:%s", len(e.keys), base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, in.Plaintext, in.AAD)))
		data["key_version"] = len(e.keys)
	case "decrypt":
		pt, why := e.decrypt(in.Ciphertext, in.AAD)
		if why != "" {
			refuse(w, 400, why)
			return
		}
		data["plaintext"] = base64.StdEncoding.EncodeToString(pt)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "r", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "wrap_info": nil,
		"warnings": nil, "auth": nil})
}

func (e *engine) decrypt(ct string, aad []byte) ([]byte, string) {
	var version int
	part := strings.SplitN(ct, ":", 3)
	if len(part) != 3 || part[0] != "vault" {
		return nil, "invalid ciphertext: no prefix"
	}
	if _, err := fmt.Sscanf(part[1], "v%d", &version); err != nil || version < 1 || version > len(e.keys) {
		return nil, "invalid ciphertext: version is too new"
	}
	raw, err := base64.StdEncoding.DecodeString(part[2])
	aead := e.keys[version-1]
	if err != nil || len(raw) < aead.NonceSize() {
		return nil, "invalid ciphertext: could not decode base64"
	}
	pt, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], aad)
	if err != nil {
		return nil, "cipher: message authentication failed"
	}
	return pt, ""
}

func open(t *testing.T, address string, change func(*transit.Options)) *transit.KMS {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	o := transit.Options{Address: address, Key: "hayward", Token: sealed.NewString("token-canary"), Egress: p, Pause: time.Millisecond}
	if change != nil {
		change(&o)
	}
	k, err := transit.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestARootKeyUnderTransit(t *testing.T) {
	e := newEngine(t)
	for name, change := range map[string]func(*transit.Options){
		"plain":     nil,
		"namespace": func(o *transit.Options) { o.Namespace = "team/a" },
		"mount":     func(o *transit.Options) { o.Mount = "deep/mount" },
	} {
		path := filepath.Join(t.TempDir(), "root.key")
		st := memory.New()
		p := keyring.WrappedRoot(path, open(t, e.URL, change), nil)
		r, err := keyring.Open(t.Context(), st, p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e.rotate() // the engine's key: what the former version wrapped still opens
		if again, err := keyring.Open(t.Context(), st, p); err != nil || again.RootID() != r.RootID() {
			t.Errorf("%s: %v", name, err)
		}
		e.asked.Store(0)
		if _, err := keyring.Open(t.Context(), st, p); err != nil || e.asked.Load() != 1 {
			t.Errorf("%s: %v, asked %d times", name, err, e.asked.Load())
		}
		if _, err := r.RotateRoot(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, err := keyring.Open(t.Context(), st, p); err != nil || again.RootID() != r.RootID() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatDoesNotUnwrap(t *testing.T) {
	e := newEngine(t)
	k := open(t, e.URL, nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil || bytes.Contains(ct, []byte("plain")) {
		t.Fatal(err)
	}
	if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" {
		t.Fatalf("%q, %v", pt, err)
	}
	e.down.Store(2)
	if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" {
		t.Errorf("a server that was sealed for a moment: %q, %v", pt, err)
	}
	e.down.Store(1000)
	if _, err := k.Unwrap(t.Context(), ct, "here"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a sealed server: %v", err)
	}
	e.down.Store(0)
	for name, tc := range map[string]struct {
		k    *transit.KMS
		ct   []byte
		aad  string
		kind fault.Kind
	}{
		"another place": {k, ct, "there", fault.Failed}, "changed": {k, append(bytes.Clone(ct), '='), "here", fault.Failed}, "nonsense": {k, []byte("x"), "here", fault.Failed},
		"another key": {open(t, e.URL, func(o *transit.Options) { o.Key = "other" }), ct, "here", fault.Failed},
		"bad token":   {open(t, e.URL, func(o *transit.Options) { o.Token = sealed.NewString("x") }), ct, "here", fault.Denied},
		"namespace":   {open(t, e.URL, func(o *transit.Options) { o.Namespace = "team/b" }), ct, "here", fault.Denied},
		"no engine":   {open(t, e.URL, func(o *transit.Options) { o.Mount = "nowhere" }), ct, "here", fault.Denied},
		"not allowed": {open(t, e.URL, func(o *transit.Options) { o.Egress = egress.Policy{} }), ct, "here", fault.Denied},
	} {
		pt, err := tc.k.Unwrap(t.Context(), tc.ct, tc.aad)
		if !fault.Is(err, tc.kind) || pt != nil || strings.Contains(fmt.Sprint(err, fault.From(err).Hint), "canary") {
			t.Errorf("%s: %q, %v", name, pt, err)
		}
	}
	if _, err := open(t, e.URL, func(o *transit.Options) { o.Key = "other" }).Wrap(t.Context(), []byte("p"), "a"); !strings.Contains(fault.From(err).Hint, "must exist") {
		t.Errorf("no such key: %v", err)
	}
}

func TestOddAnswers(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"data":null}`, `{"data":[]}`, `{"data":{"ciphertext":7}}`, `{"data":{"ciphertext":"x"}}`, `<html>`, strings.Repeat(" ", 1<<17)} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		if ct, err := open(t, s.URL, nil).Wrap(t.Context(), []byte("p"), "a"); err == nil {
			t.Errorf("%.20q: %q", body, ct)
		}
		s.Close()
	}
}

func TestOptions(t *testing.T) {
	good := transit.Options{Address: "https://bao.example:8200", Key: "hayward", Token: sealed.NewString("t")}
	for name, change := range map[string]func(*transit.Options){
		"address": func(o *transit.Options) { o.Address = "" }, "path": func(o *transit.Options) { o.Address += "/v1" }, "key": func(o *transit.Options) { o.Key = "" },
		"dots": func(o *transit.Options) { o.Key = ".." }, "slash": func(o *transit.Options) { o.Key = "a/b" }, "mount": func(o *transit.Options) { o.Mount = "a/../sys" },
		"namespace": func(o *transit.Options) { o.Namespace = "a\nb" }, "token": func(o *transit.Options) { o.Token = sealed.Value{} },
	} {
		o := good
		change(&o)
		if _, err := transit.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	k, err := transit.New(good)
	if err != nil || k.Name() != "transit:https://bao.example:8200/transit/hayward" {
		t.Errorf("%v %v", k.Name(), err)
	}
}
