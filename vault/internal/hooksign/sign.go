package hooksign

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// The headers of a signed request.
const (
	HeaderID        = "Webhook-Id"        // the same when a message is sent again
	HeaderTimestamp = "Webhook-Timestamp" // seconds since 1970, of this attempt
	HeaderSignature = "Webhook-Signature" // "v1," and base64
)

// MinKey is the least length of a key, in bytes.
const MinKey = 24

// Key is a key that both sides know. It cannot be printed. The zero Key signs nothing.
type Key struct{ bytes sealed.Value }

// ParseKey reads a key as Standard Webhooks writes it (whsec_ and base64), or takes the bytes as they are. Its errors say
// nothing of the key.
func ParseKey(v sealed.Value) (Key, error) {
	key := reveal.Inside(v)
	defer clear(key)
	if b64, ok := bytes.CutPrefix(key, []byte("whsec_")); ok {
		raw := make([]byte, base64.StdEncoding.DecodedLen(len(b64)))
		defer clear(raw)
		n, err := base64.StdEncoding.Decode(raw, b64)
		if err != nil {
			return Key{}, fault.New(fault.Invalid, "the key that signs webhooks is not base64 after whsec_").WithCode("SigningKey")
		}
		key = raw[:n]
	}
	if len(key) < MinKey {
		return Key{}, fault.New(fault.Invalid, "the key that signs webhooks has less than %d bytes", MinKey).WithCode("SigningKey").
			WithHint("make one with: head -c 32 /dev/urandom | base64")
	}
	return Key{sealed.New(key)}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.bytes.IsZero() }

// Sign returns the signature header's value over "id.timestamp.body".
func (k Key) Sign(id, timestamp string, body []byte) string {
	key := reveal.Inside(k.bytes)
	defer clear(key)
	h := hmac.New(sha256.New, key)
	for _, part := range [][]byte{[]byte(id), []byte("."), []byte(timestamp), []byte("."), body} {
		h.Write(part)
	}
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}
