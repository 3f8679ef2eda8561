package awskms

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Options configures [New]. Region, KeyID and the keys are needed; the zero value of everything else is its default.
type Options struct {
	Region          string // "eu-central-1"
	KeyID           string // a symmetric key: its id, ARN or alias ("alias/hayward")
	AccessKeyID     sealed.Value
	SecretAccessKey sealed.Value
	SessionToken    sealed.Value // of temporary keys; default none
	// Keys, if not nil, is asked for the keys before each request in place of the three above, so that keys that are replaced
	// outside are used from then on. It must be quick. An access key id, a secret access key and, or zero, a session token.
	Keys     func(ctx context.Context) (id, secret, token sealed.Value, err error)
	Endpoint string // an origin; default is the region's own

	Client *egress.Client // sends; nil: one is made that reaches public addresses and what Egress allows
	Egress egress.Policy

	Attempts   int           // default 4; throttling and failures of the service are tried again
	MaxBackoff time.Duration // the longest wait between two attempts; default 5 s
	Timeout    time.Duration // of one call with all its attempts; default 30 s
}

// KMS wraps under one key of AWS KMS. It is safe for concurrent use.
type KMS struct {
	o   Options
	api *kms.Client
}

var (
	regionPattern = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)
	keyPattern    = regexp.MustCompile(`^[A-Za-z0-9:/_-]{1,512}$`)
)

// New returns a KMS. It sends nothing.
func New(o Options) (*KMS, error) {
	invalid := func(field, what, hint string) error {
		return fault.New(fault.Invalid, "%s", what).At(fault.Where{Field: field}).WithHint("%s", hint)
	}
	switch {
	case !regionPattern.MatchString(o.Region):
		return nil, invalid("region", "the region of AWS KMS is missing or none", "a region such as eu-central-1; the environment is not asked")
	case !keyPattern.MatchString(o.KeyID):
		return nil, invalid("key_id", "the key of AWS KMS is missing or none", "the id, ARN or alias of a symmetric key, such as alias/hayward")
	case o.Keys == nil && (o.AccessKeyID.IsZero() || o.SecretAccessKey.IsZero()):
		return nil, invalid("access_key_id", "the keys for AWS KMS are missing",
			"give an access key id and a secret access key; no file, variable or instance metadata is asked")
	}
	if o.Endpoint != "" {
		dest, err := sealed.ParseDestination(o.Endpoint)
		if err != nil {
			return nil, err
		}
		o.Endpoint = dest.String()
	}
	positive(&o.Attempts, 4)
	positive(&o.MaxBackoff, 5*time.Second)
	positive(&o.Timeout, 30*time.Second)
	if o.Client == nil {
		o.Client = egress.New(o.Egress, egress.Options{ResponseHeaderTimeout: 30 * time.Second})
	}
	return &KMS{o, newClient(o)}, nil
}

func positive[T int | time.Duration](n *T, def T) {
	if *n <= 0 {
		*n = def
	}
}

func newClient(o Options) *kms.Client {
	cfg := aws.Config{
		Region:      o.Region,
		Credentials: keys{o},
		HTTPClient:  guarded{o.Client},
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) {
				r.MaxAttempts, r.MaxBackoff = o.Attempts, o.MaxBackoff
				r.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(final)}, r.Retryables...)
			})
		},
	}
	return kms.NewFromConfig(cfg, func(s *kms.Options) {
		if o.Endpoint != "" {
			s.BaseEndpoint = aws.String(o.Endpoint)
		}
	})
}

// final keeps the SDK from repeating what the guard refused: that would be refused again.
func final(err error) aws.Ternary {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind != fault.Unavailable && f.Kind != fault.Timeout {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// Name is "awskms:" and the key.
func (k *KMS) Name() string { return "awskms:" + k.o.KeyID }

// encryptionContext is what KMS binds a ciphertext to, and what its own log shows.
func encryptionContext(aad string) map[string]string { return map[string]string{"hayward": aad} }

// Wrap calls Encrypt. It needs kms:Encrypt on the key.
func (k *KMS) Wrap(ctx context.Context, plaintext []byte, aad string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, k.o.Timeout)
	defer cancel()
	out, err := k.api.Encrypt(ctx, &kms.EncryptInput{KeyId: &k.o.KeyID, Plaintext: plaintext, EncryptionContext: encryptionContext(aad)})
	if err != nil {
		return nil, classify(ctx, err, "wrapping a key")
	}
	if len(out.CiphertextBlob) == 0 {
		return nil, fault.New(fault.Unavailable, "AWS KMS answered without a ciphertext")
	}
	return out.CiphertextBlob, nil
}

// Unwrap calls Decrypt. It needs kms:Decrypt on the key, and names that key, so that what any other key wrapped is refused.
func (k *KMS) Unwrap(ctx context.Context, wrapped []byte, aad string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, k.o.Timeout)
	defer cancel()
	out, err := k.api.Decrypt(ctx, &kms.DecryptInput{KeyId: &k.o.KeyID, CiphertextBlob: wrapped, EncryptionContext: encryptionContext(aad)})
	if err != nil {
		return nil, classify(ctx, err, "unwrapping a key")
	}
	return out.Plaintext, nil
}

// keys opens the keys for each signature. The secret key never leaves the process; the session token travels, and does so as
// a credential (see guarded).
type keys struct{ o Options }

func (k keys) Retrieve(ctx context.Context) (aws.Credentials, error) {
	id, secret, token := k.o.AccessKeyID, k.o.SecretAccessKey, k.o.SessionToken
	if k.o.Keys != nil {
		var err error
		if id, secret, token, err = k.o.Keys(ctx); err != nil {
			return aws.Credentials{}, keysFault(err)
		}
	}
	c := aws.Credentials{AccessKeyID: open(id), SecretAccessKey: open(secret), Source: "hayward"}
	if !token.IsZero() {
		c.SessionToken = open(token)
	}
	return c, nil
}

// keysFault makes sure that what is wrong with the keys is told as a fault, which passes the SDK unchanged.
func keysFault(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the keys for AWS KMS cannot be read")
}

func open(v sealed.Value) string {
	b := reveal.Inside(v)
	defer clear(b)
	return string(b)
}

// guarded sends the SDK's requests through egress.
type guarded struct{ c *egress.Client }

// maxAnswer bounds an answer: a wrapped key takes less than a kibibyte.
const maxAnswer = 64 << 10

// Do moves the signature into credentials for the request's own origin, and leaves out what the SDK takes from the
// environment to tell about this process.
func (g guarded) Do(req *http.Request) (*http.Response, error) {
	dest, err := sealed.FromURL(req.URL)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Header.Del("X-Amzn-Trace-Id")
	out.Header.Set("User-Agent", "hayward")
	var creds []egress.Credential
	for _, name := range []string{"Authorization", "X-Amz-Security-Token"} {
		if v := out.Header.Get(name); v != "" {
			out.Header.Del(name)
			creds = append(creds, egress.Credential{Header: name, Value: sealed.NewString(v).For(dest)})
		}
	}
	resp, err := g.c.Do(out, creds...)
	if err != nil {
		return nil, err
	}
	resp.Body = bounded{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// bounded cuts an answer off; what is cut cannot be read as JSON.
type bounded struct {
	io.Reader
	io.Closer
}

// refusals are the codes that do not pass with time, and what to do about them.
var refusals = map[string]string{
	"AccessDeniedException":       "the keys' policy must allow kms:Encrypt and kms:Decrypt on the key",
	"NotFoundException":           "there is no such key in this region and account",
	"DisabledException":           "the key is disabled; enable it in AWS KMS",
	"KMSInvalidStateException":    "the key is disabled or scheduled for deletion; restore it in AWS KMS",
	"InvalidKeyUsageException":    "the key must be a symmetric one for encryption",
	"IncorrectKeyException":       "another key wrapped it",
	"InvalidCiphertextException":  "the file was changed, or another key or account wrapped it: restore the file from its backup",
	"UnrecognizedClientException": "the access key id is not known in this account",
	"InvalidClientTokenId":        "the access key id is not known in this account",
	"InvalidSignatureException":   "the secret access key does not fit the access key id, or the clock of this machine is wrong",
	"SignatureDoesNotMatch":       "the secret access key does not fit the access key id, or the clock of this machine is wrong",
	"ExpiredTokenException":       "the session token has ended",
}

// classify gives the SDK's errors a kind, by code. Messages of the service stay inside.
func classify(ctx context.Context, err error, doing string) error {
	var f *fault.Error
	var api smithy.APIError
	switch {
	case ctx.Err() != nil:
		kind := fault.Canceled
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			kind = fault.Timeout
		}
		return fault.Wrap(kind, ctx.Err(), "AWS KMS was not waited for any longer while %s", doing)
	case errors.As(err, &f):
		return f
	case !errors.As(err, &api):
		return fault.Wrap(fault.Unavailable, quiet{err}, "AWS KMS gave no answer that can be read while %s", doing)
	}
	if hint := refusals[api.ErrorCode()]; hint != "" {
		return fault.Wrap(fault.Denied, quiet{err}, "AWS KMS refuses %s", doing).WithCode(api.ErrorCode()).WithHint("%s", hint)
	}
	return fault.Wrap(fault.Unavailable, quiet{err}, "AWS KMS cannot answer %s now", doing).WithCode(api.ErrorCode())
}

// quiet keeps the SDK's error reachable and its text, which quotes the service, out of ours.
type quiet struct{ err error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.err }
