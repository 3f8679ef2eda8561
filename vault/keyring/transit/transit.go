package transit

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/source/openbao"
)

// Options configures [New]. Address, Key and Auth are needed; the zero value of everything else is its default.
type Options struct {
	Address   string       // an origin: "https://bao.internal:8200". Plain http is for a loopback address
	Key       string       // the name of the key
	Auth      openbao.Auth // how to log in; it needs update on <mount>/encrypt/<key> and <mount>/decrypt/<key>
	Mount     string       // where the engine is; default "transit"
	Namespace string       // default none

	Client *egress.Client // sends; nil: one is made that reaches what Egress allows and trusts CA besides the system's roots
	Egress egress.Policy
	CA     []byte // PEM

	Attempts int           // default 4; a sealed server and one with too much to do are asked again
	Pause    time.Duration // before the second attempt, doubled each time; default 200 ms
	Timeout  time.Duration // of one attempt; default 10 s
	Logger   *slog.Logger  // is told when a token cannot be renewed; default: nowhere
}

// KMS wraps under one key of a transit engine. It is safe for concurrent use, and is closed when nobody uses it any more.
type KMS struct {
	o      Options
	engine *openbao.Engine
}

var (
	keyPattern   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
	mountPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,15}$`)
)

// New returns a KMS. It sends nothing.
func New(o Options) (*KMS, error) {
	if o.Mount == "" {
		o.Mount = "transit"
	}
	o.Mount, o.Namespace = strings.Trim(o.Mount, "/"), strings.Trim(o.Namespace, "/")
	switch {
	case !keyPattern.MatchString(o.Key) || strings.Trim(o.Key, ".") == "":
		return nil, invalid("key", "the name of the transit key is missing or none")
	case !mountPattern.MatchString(o.Mount) || dotted(o.Mount):
		return nil, invalid("mount", "the path of the transit engine is none")
	case o.Namespace != "" && (!mountPattern.MatchString(o.Namespace) || dotted(o.Namespace)):
		return nil, invalid("namespace", "the namespace is none")
	}
	engine, err := openbao.NewEngine(openbao.Options{Address: o.Address, Auth: o.Auth, Namespace: o.Namespace, Mount: o.Mount, Name: "transit",
		Client: o.Client, Egress: o.Egress, CA: o.CA, Attempts: o.Attempts, Backoff: o.Pause, Timeout: o.Timeout, MaxResponse: maxAnswer, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	return &KMS{o, engine}, nil
}

// maxAnswer bounds an answer: a wrapped key takes less than a kibibyte.
const maxAnswer = 64 << 10

// Close ends the keeping of the login.
func (k *KMS) Close() error { return k.engine.Close() }

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
	return "transit:" + k.engine.Server().String() + "/" + strings.TrimPrefix(k.o.Namespace+"/", "/") + k.o.Mount + "/" + k.o.Key
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
	return fault.New(fault.Unavailable, "%s gave an answer that is none of the transit engine", k.engine.Server()).
		WithHint("check the address and the mount")
}

// ask sends one operation and reads the member "data" of the answer.
func (k *KMS) ask(ctx context.Context, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a request to the transit engine cannot be written")
	}
	defer clear(body)
	data, status, err := k.engine.Write(ctx, op+"/"+k.o.Key, body)
	defer clear(data)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return k.refused(status, op)
	case len(bytes.TrimSpace(data)) == 0 || json.Unmarshal(data, out) != nil:
		return k.odd()
	}
	return nil
}

// refused says what a status means. The engine's own words stay inside: they may quote what was sent.
func (k *KMS) refused(status int, op string) error {
	kind, hint := fault.Failed, "the file was changed, or another key wrapped it: restore the file from its backup"
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		kind, hint = fault.Denied, "the login must be valid, and its policy must allow update on "+k.o.Mount+"/"+op+"/"+k.o.Key
	case status == http.StatusNotFound:
		kind, hint = fault.Denied, "there is no transit engine at "+k.o.Mount
	case op == "encrypt":
		hint = "the key " + k.o.Key + " must exist and have a type with associated data, such as aes256-gcm96"
	}
	return fault.New(kind, "%s refuses to %s with the transit key %s (%d)", k.engine.Server(), op, k.o.Key, status).WithHint("%s", hint)
}
