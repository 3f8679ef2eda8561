package gcpkms

import (
	"context"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring/internal/wire"
)

// Options configures [New]. Key and ServiceAccount are needed; the zero value of everything else is its default.
type Options struct {
	Key            string       // "projects/p/locations/l/keyRings/r/cryptoKeys/k"; its purpose must be ENCRYPT_DECRYPT
	ServiceAccount sealed.Value // the key file's JSON; the account needs roles/cloudkms.cryptoKeyEncrypterDecrypter
	Endpoint       string       // an origin; default https://cloudkms.googleapis.com
	TokenURL       string       // where the account logs in; default https://oauth2.googleapis.com/token. The key file is not asked

	Client *egress.Client // sends; nil: one is made that reaches public addresses and what Egress allows
	Egress egress.Policy

	Attempts int              // default 4; what Google asks to repeat is repeated
	Pause    time.Duration    // before the second attempt, doubled each time; default 250 ms
	Timeout  time.Duration    // of one attempt; default 10 s
	Now      func() time.Time // default time.Now
}

// KMS wraps under one key of Google Cloud KMS. It is safe for concurrent use.
type KMS struct {
	o     Options
	dest  sealed.Destination
	login login
	wire  wire.Client

	mu    sync.Mutex
	token sealed.Value
	until time.Time
}

var keyPattern = regexp.MustCompile(`^projects/[a-z0-9][a-z0-9.:-]{0,99}/locations/[a-z0-9-]{1,63}/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$`)

// New returns a KMS. It sends nothing.
func New(o Options) (*KMS, error) {
	if !keyPattern.MatchString(o.Key) {
		return nil, fault.New(fault.Invalid, "the key of Google Cloud KMS is missing or none").At(fault.Where{Field: "key"}).
			WithHint("projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>, without a version")
	}
	if o.Endpoint == "" {
		o.Endpoint = "https://cloudkms.googleapis.com"
	}
	if o.TokenURL == "" {
		o.TokenURL = "https://oauth2.googleapis.com/token"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dest, err := sealed.ParseDestination(o.Endpoint)
	if err != nil {
		return nil, err
	}
	l, err := parseAccount(o)
	if err != nil {
		return nil, err
	}
	if o.Client == nil {
		o.Client = egress.New(o.Egress, egress.Options{ResponseHeaderTimeout: 30 * time.Second})
	}
	return &KMS{o: o, dest: dest, login: l,
		wire: wire.Client{HTTP: o.Client, What: "Google Cloud KMS", Attempts: o.Attempts, Timeout: o.Timeout, Pause: o.Pause}}, nil
}

// Name is "gcpkms:" and the key.
func (k *KMS) Name() string { return "gcpkms:" + k.o.Key }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is a CRC32C in Google's JSON: an int64 is a string there.
func sum(b []byte) string { return strconv.FormatUint(uint64(crc32.Checksum(b, castagnoli)), 10) }

// Wrap calls :encrypt.
func (k *KMS) Wrap(ctx context.Context, plaintext []byte, aad string) ([]byte, error) {
	in := map[string]any{"plaintext": plaintext, "plaintextCrc32c": sum(plaintext),
		"additionalAuthenticatedData": []byte(aad), "additionalAuthenticatedDataCrc32c": sum([]byte(aad))}
	var out struct {
		Ciphertext                                []byte `json:"ciphertext"`
		CiphertextCrc32c                          string `json:"ciphertextCrc32c"`
		VerifiedPlaintextCrc32c                   bool   `json:"verifiedPlaintextCrc32c"`
		VerifiedAdditionalAuthenticatedDataCrc32c bool   `json:"verifiedAdditionalAuthenticatedDataCrc32c"`
	}
	if err := k.ask(ctx, "encrypt", in, &out); err != nil {
		return nil, err
	}
	if !out.VerifiedPlaintextCrc32c || !out.VerifiedAdditionalAuthenticatedDataCrc32c || len(out.Ciphertext) == 0 || out.CiphertextCrc32c != sum(out.Ciphertext) {
		return nil, corrupted()
	}
	return out.Ciphertext, nil
}

// Unwrap calls :decrypt.
func (k *KMS) Unwrap(ctx context.Context, wrapped []byte, aad string) ([]byte, error) {
	in := map[string]any{"ciphertext": wrapped, "ciphertextCrc32c": sum(wrapped),
		"additionalAuthenticatedData": []byte(aad), "additionalAuthenticatedDataCrc32c": sum([]byte(aad))}
	var out struct {
		Plaintext       []byte `json:"plaintext"`
		PlaintextCrc32c string `json:"plaintextCrc32c"`
	}
	if err := k.ask(ctx, "decrypt", in, &out); err != nil {
		return nil, err
	}
	if out.PlaintextCrc32c != sum(out.Plaintext) {
		return nil, corrupted()
	}
	return out.Plaintext, nil
}

func corrupted() error {
	return fault.New(fault.Unavailable, "what travelled to or from Google Cloud KMS was changed on the way: its checksum does not fit").
		WithHint("try again; if it goes on, look at what stands between this server and Google")
}

// ask sends one operation.
func (k *KMS) ask(ctx context.Context, op string, in map[string]any, out any) error {
	token, err := k.authorised(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a request to Google Cloud KMS cannot be written")
	}
	defer clear(body)
	status, text, err := k.wire.Post(ctx, wire.Request{URL: k.dest.String() + "/v1/" + k.o.Key + ":" + op, ContentType: "application/json",
		Body: body, Credentials: []egress.Credential{egress.Bearer(token.For(k.dest))}})
	defer clear(text)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return k.refused(status, text, op)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fault.New(fault.Unavailable, "Google Cloud KMS gave an answer that cannot be read")
	}
	return nil
}

// refused says what a status means (https://cloud.google.com/apis/design/errors). Google's own words stay inside.
func (k *KMS) refused(status int, text []byte, op string) error {
	var a struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	_ = json.Unmarshal(text, &a)
	kind, hint := fault.Failed, "the file was changed, or another key wrapped it: restore the file from its backup"
	switch {
	case status == http.StatusUnauthorized:
		k.forget()
		kind, hint = fault.Denied, "the service account's login was not accepted; check its key file and the clock of this machine"
	case status == http.StatusForbidden:
		kind, hint = fault.Denied, "the service account needs the role roles/cloudkms.cryptoKeyEncrypterDecrypter on the key"
	case status == http.StatusNotFound:
		kind, hint = fault.Denied, "there is no key "+k.o.Key
	case a.Error.Status == "FAILED_PRECONDITION":
		kind, hint = fault.Denied, "the key's primary version must be enabled, and its purpose must be ENCRYPT_DECRYPT"
	}
	return fault.New(kind, "Google Cloud KMS refuses to %s (%d)", op, status).WithCode(code(a.Error.Status)).WithHint("%s", hint)
}

var codePattern = regexp.MustCompile(`^[A-Z_]{1,40}$`)

func code(s string) string {
	if codePattern.MatchString(s) {
		return s
	}
	return ""
}
