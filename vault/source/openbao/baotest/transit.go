package baotest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

type transitKey struct {
	kind                         string
	derived                      bool
	versions                     map[int][]byte
	created                      map[int]time.Time
	latest                       int
	minDecryption, minEncryption int
	deletionAllowed              bool
}

func (c *call) transit(m *mount, path string) reply {
	action, rest, _ := strings.Cut(path, "/")
	switch action {
	case "keys":
		return c.transitKeys(m, rest)
	case "encrypt", "decrypt", "rewrap":
		if c.op != "write" {
			return unsupported
		}
		return c.transitEach(m, action, rest)
	case "datakey":
		kind, name, _ := strings.Cut(rest, "/")
		if c.op != "write" || kind != "plaintext" && kind != "wrapped" {
			return unsupported
		}
		return c.dataKey(m, kind, name)
	}
	return failed(http.StatusNotFound, "no handler for route %q. route entry not found.", c.path)
}

func (c *call) transitKeys(m *mount, path string) reply {
	name, action, _ := strings.Cut(path, "/")
	k := m.keys[name]
	switch {
	case c.op == "list" && name == "":
		if len(m.keys) == 0 {
			return notFound
		}
		return ok(map[string]any{"keys": slices.Sorted(maps.Keys(m.keys))})
	case action == "" && c.op == "write":
		return c.createKey(m, name)
	case action == "" && c.op == "read" && k == nil:
		return notFound
	case k == nil:
		return bad("encryption key not found")
	case action == "" && c.op == "read":
		return ok(k.info(name))
	case action == "" && c.op == "delete":
		if !k.deletionAllowed {
			return bad("error deleting policy %s: deletion is not allowed for this key", name)
		}
		delete(m.keys, name)
		return done
	case action == "rotate" && c.op == "write":
		k.rotate(c.s.now())
		return ok(k.info(name))
	case action == "config" && c.op == "write":
		return c.configKey(k, name)
	}
	return unsupported
}

func (c *call) createKey(m *mount, name string) reply {
	if k := m.keys[name]; k != nil {
		return ok(k.info(name))
	}
	k := &transitKey{kind: text(c.body["type"]), versions: map[int][]byte{}, created: map[int]time.Time{}, minDecryption: 1}
	k.derived, _ = c.body["derived"].(bool)
	switch k.kind {
	case "":
		k.kind = "aes256-gcm96"
	case "aes256-gcm96", "aes128-gcm96", "chacha20-poly1305":
	default:
		return bad("unknown key type %s", k.kind)
	}
	k.rotate(c.s.now())
	m.keys[name] = k
	return ok(k.info(name))
}

func (k *transitKey) rotate(now time.Time) {
	k.latest++
	n := 32
	if k.kind == "aes128-gcm96" {
		n = 16
	}
	key := make([]byte, n)
	_, _ = rand.Read(key)
	k.versions[k.latest], k.created[k.latest] = key, now
}

func (k *transitKey) info(name string) map[string]any {
	keys := map[string]any{}
	for n, t := range k.created {
		if n >= k.minDecryption {
			keys[strconv.Itoa(n)] = t.Unix()
		}
	}
	return map[string]any{"allow_plaintext_backup": false, "auto_rotate_period": 0, "deletion_allowed": k.deletionAllowed, "derived": k.derived, "exportable": false,
		"imported_key": false, "keys": keys, "latest_version": k.latest, "min_available_version": 0, "min_decryption_version": k.minDecryption,
		"min_encryption_version": k.minEncryption, "name": name, "soft_deleted": false, "supports_decryption": true, "supports_derivation": true,
		"supports_encryption": true, "supports_signing": false, "type": k.kind}
}

func (c *call) configKey(k *transitKey, name string) reply {
	if v, given := c.body["deletion_allowed"].(bool); given {
		k.deletionAllowed = v
	}
	for field, into := range map[string]*int{"min_decryption_version": &k.minDecryption, "min_encryption_version": &k.minEncryption} {
		if v, given := c.body[field]; given {
			n := integer(v)
			if n < 0 || n > k.latest {
				return bad("cannot set %s to %d, latest key version is %d", field, n, k.latest)
			}
			*into = n
		}
	}
	k.minDecryption = max(k.minDecryption, 1)
	return ok(k.info(name))
}

// transitEach answers one request, or each item of a batch.
func (c *call) transitEach(m *mount, action, name string) reply {
	batch, isBatch := c.body["batch_input"].([]any)
	if !isBatch {
		data, err := c.transitOne(m, action, name, c.body)
		if err != "" {
			return bad("%s", err)
		}
		return ok(data)
	}
	if len(batch) == 0 {
		return bad("missing batch input to process")
	}
	results, failures := []any{}, 0
	for _, item := range batch {
		body, _ := item.(map[string]any)
		data, err := c.transitOne(m, action, name, body)
		if err != "" {
			data = map[string]any{"error": err}
			failures++
		}
		results = append(results, data)
	}
	rep := ok(map[string]any{"batch_results": results})
	if failures > 0 {
		rep.status = http.StatusBadRequest
	}
	return rep
}

func (c *call) transitOne(m *mount, action, name string, body map[string]any) (map[string]any, string) {
	k := m.keys[name]
	switch {
	case k == nil && action == "encrypt":
		c.createKey(m, name) // as a token that may create does
		k = m.keys[name]
	case k == nil:
		return nil, "encryption key not found"
	}
	context, err := decode(body["context"], "context")
	if err != "" {
		return nil, err
	}
	if k.derived && len(context) == 0 {
		return nil, "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key"
	}
	aad, err := decode(body["associated_data"], "associated_data")
	if err != "" {
		return nil, err
	}
	switch action {
	case "encrypt":
		plain, err := decode(body["plaintext"], "plaintext")
		if err != "" {
			return nil, err
		}
		if _, given := body["plaintext"]; !given {
			return nil, "missing plaintext to encrypt"
		}
		return k.encrypt(plain, aad, context, integer(body["key_version"]))
	case "rewrap":
		// The real one decrypts without associated data here, also when some is given.
		plain, err := k.decrypt(text(body["ciphertext"]), nil, context)
		if err != "" {
			return nil, err
		}
		return k.encrypt(plain, nil, context, integer(body["key_version"]))
	}
	plain, err := k.decrypt(text(body["ciphertext"]), aad, context)
	if err != "" {
		return nil, err
	}
	return map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plain)}, ""
}

func decode(v any, what string) ([]byte, string) {
	b, err := base64.StdEncoding.DecodeString(text(v))
	if err != nil {
		return nil, "failed to base64-decode " + what
	}
	return b, ""
}

func (k *transitKey) aead(n int, context []byte) cipher.AEAD {
	key := k.versions[n]
	if k.derived {
		key, _ = hkdf.Key(sha256.New, key, nil, string(context), len(key))
	}
	if k.kind == "chacha20-poly1305" {
		a, _ := chacha20poly1305.New(key)
		return a
	}
	b, _ := aes.NewCipher(key)
	a, _ := cipher.NewGCM(b)
	return a
}

func (k *transitKey) encrypt(plain, aad, context []byte, n int) (map[string]any, string) {
	switch {
	case n == 0:
		n = k.latest
	case n < k.minEncryption:
		return nil, "requested version for encryption is less than the minimum encryption key version"
	case n > k.latest:
		return nil, "requested version for encryption is higher than the latest key version"
	}
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	sealed := k.aead(n, context).Seal(nonce, nonce, plain, aad)
	return map[string]any{"ciphertext": "vault:v" + strconv.Itoa(n) + ":" + base64.StdEncoding.EncodeToString(sealed), "key_version": n}, ""
}

func (k *transitKey) decrypt(ciphertext string, aad, context []byte) ([]byte, string) {
	if ciphertext == "" {
		return nil, "missing ciphertext to decrypt"
	}
	rest, found := strings.CutPrefix(ciphertext, "vault:v")
	if !found {
		return nil, "invalid ciphertext: no prefix"
	}
	number, encoded, found := strings.Cut(rest, ":")
	n, err := strconv.Atoi(number)
	switch {
	case !found || err != nil:
		return nil, "invalid ciphertext: wrong number of fields"
	case n > k.latest || k.versions[n] == nil:
		return nil, "invalid ciphertext: version is too new"
	case n < k.minDecryption:
		return nil, "ciphertext or signature version is disallowed by policy (too old)"
	}
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, "invalid ciphertext: could not decode base64"
	}
	if len(sealed) < 28 {
		return nil, "invalid ciphertext length"
	}
	plain, err := k.aead(n, context).Open(nil, sealed[:12], sealed[12:], aad)
	if err != nil {
		return nil, "cipher: message authentication failed"
	}
	return plain, ""
}

func (c *call) dataKey(m *mount, kind, name string) reply {
	k := m.keys[name]
	if k == nil {
		return bad("encryption key not found")
	}
	bits := integer(c.body["bits"])
	if bits == 0 {
		bits = 256
	}
	if bits != 128 && bits != 256 && bits != 512 {
		return bad("invalid bit length")
	}
	plain := make([]byte, bits/8)
	_, _ = rand.Read(plain)
	data, err := k.encrypt(plain, nil, nil, 0)
	if err != "" {
		return bad("%s", err)
	}
	if kind == "plaintext" {
		data["plaintext"] = base64.StdEncoding.EncodeToString(plain)
	}
	return ok(data)
}
