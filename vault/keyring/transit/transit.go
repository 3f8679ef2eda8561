// Package transit has the transit engine of OpenBao or HashiCorp Vault wrap a root key (see keyring.WrappedRoot): one call
// when a server starts, none for a value. The engine's key must be of a type with associated data (aes256-gcm96, which is
// the default, or chacha20-poly1305), and may be rotated there at any time. awskms and gcpkms next door do the same for
// other services.
package transit

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring/internal/wire"
)

// Options configures [New]. Address, Key and Token are needed; the zero value of everything else is its default.
type Options struct {
	Address   string       // an origin: "https://bao.internal:8200"
	Key       string       // the name of the key
	Token     sealed.Value // it needs update on <mount>/encrypt/<key> and <mount>/decrypt/<key>
	Mount     string       // where the engine is; default "transit"
	Namespace string       // default none

	Client *egress.Client // sends; nil: one is made that reaches public addresses and what Egress allows
	Egress egress.Policy

	Attempts int           // default 4; a sealed server and one with too much to do are asked again
	Pause    time.Duration // before the second attempt, doubled each time; default 250 ms
	Timeout  time.Duration // of one attempt; default 10 s
}

// KMS wraps under one key of a transit engine. It is safe for concurrent use.
type KMS struct {
	o    Options
	dest sealed.Destination
	wire wire.Client
}

var (
	keyPattern   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
	mountPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,15}$`)
)

// New returns a KMS. It sends nothing.
func New(o Options) (*KMS, error) {
	dest, err := sealed.ParseDestination(o.Address)
	if err != nil {
		return nil, err
	}
	if o.Mount == "" {
		o.Mount = "transit"
	}
	o.Mount = strings.Trim(o.Mount, "/")
	u, err := url.Parse(o.Address)
	switch {
	case err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return nil, invalid("address", "the address of the transit engine is more than an origin")
	case !keyPattern.MatchString(o.Key) || strings.Trim(o.Key, ".") == "":
		return nil, invalid("key", "the name of the transit key is missing or none")
	case !mountPattern.MatchString(o.Mount) || dotted(o.Mount):
		return nil, invalid("mount", "the path of the transit engine is none")
	case o.Namespace != "" && (!mountPattern.MatchString(strings.Trim(o.Namespace, "/")) || dotted(o.Namespace)):
		return nil, invalid("namespace", "the namespace is none")
	case o.Token.IsZero():
		return nil, invalid("token", "the token for the transit engine is missing")
	}
	if o.Client == nil {
		o.Client = egress.New(o.Egress, egress.Options{ResponseHeaderTimeout: 30 * time.Second})
	}
	return &KMS{o, dest, wire.Client{HTTP: o.Client, What: "the transit engine at " + dest.String(), Attempts: o.Attempts, Timeout: o.Timeout, Pause: o.Pause}}, nil
}

func dotted(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part != "" && strings.Trim(part, ".") == "" {
			return true
		}
	}
	return false
}

func invalid(field, what string) error {
	return fault.New(fault.Invalid, "%s", what).At(fault.Where{Field: field}).
		WithHint("letters, digits, dots, dashes and underscores; the environment is not asked")
}

// Name is "transit:", the address, the mount and the key. A namespace stands before the mount.
func (k *KMS) Name() string {
	return "transit:" + k.dest.String() + "/" + strings.TrimPrefix(strings.Trim(k.o.Namespace, "/")+"/", "/") + k.o.Mount + "/" + k.o.Key
}

// Wrap calls encrypt.
func (k *KMS) Wrap(ctx context.Context, plaintext []byte, aad string) ([]byte, error) {
	var out struct {
		Ciphertext string `json:"ciphertext"`
	}
	if err := k.ask(ctx, "encrypt", map[string][]byte{"plaintext": plaintext, "associated_data": []byte(aad)}, &out); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(out.Ciphertext, "vault:v") {
		return nil, k.odd()
	}
	return []byte(out.Ciphertext), nil
}

// Unwrap calls decrypt.
func (k *KMS) Unwrap(ctx context.Context, wrapped []byte, aad string) ([]byte, error) {
	var out struct {
		Plaintext []byte `json:"plaintext"`
	}
	if err := k.ask(ctx, "decrypt", map[string]any{"ciphertext": string(wrapped), "associated_data": []byte(aad)}, &out); err != nil {
		return nil, err
	}
	return out.Plaintext, nil
}

func (k *KMS) odd() error {
	return fault.New(fault.Unavailable, "%s gave an answer that is none of the transit engine", k.wire.What).
		WithHint("check the address and the mount")
}

// ask sends one operation and reads the member "data" of the answer.
func (k *KMS) ask(ctx context.Context, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a request to the transit engine cannot be written")
	}
	defer clear(body)
	h := http.Header{"X-Vault-Request": {"true"}} // agents with a listener of their own ask for it
	if k.o.Namespace != "" {
		h.Set("X-Vault-Namespace", k.o.Namespace)
	}
	status, text, err := k.wire.Post(ctx, wire.Request{URL: k.dest.String() + "/v1/" + k.o.Mount + "/" + op + "/" + url.PathEscape(k.o.Key),
		ContentType: "application/json", Body: body, Header: h,
		Credentials: []egress.Credential{{Header: "X-Vault-Token", Value: k.o.Token.For(k.dest)}}})
	defer clear(text)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return k.refused(status, op)
	}
	var a struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(text, &a) != nil || len(bytes.TrimSpace(a.Data)) == 0 || json.Unmarshal(a.Data, out) != nil {
		return k.odd()
	}
	return nil
}

// refused says what a status means. The engine's own words stay inside: they may quote what was sent.
func (k *KMS) refused(status int, op string) error {
	kind, hint := fault.Failed, "the file was changed, or another key wrapped it: restore the file from its backup"
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		kind, hint = fault.Denied, "the token must be valid, and its policy must allow update on "+k.o.Mount+"/"+op+"/"+k.o.Key
	case status == http.StatusNotFound:
		kind, hint = fault.Denied, "there is no transit engine at "+k.o.Mount
	case op == "encrypt":
		hint = "the key " + k.o.Key + " must exist and have a type with associated data, such as aes256-gcm96"
	}
	return fault.New(kind, "%s refuses to %s with the key %s (%d)", k.wire.What, op, k.o.Key, status).WithHint("%s", hint)
}
