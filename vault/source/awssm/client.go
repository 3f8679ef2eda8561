package awssm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// newClient is the SDK's client with every setting given.
func newClient(o Options) *secretsmanager.Client {
	cfg := aws.Config{
		Region:      o.Region,
		Credentials: keys{o},
		HTTPClient:  guarded{o.Client, o.MaxResponse},
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) {
				r.MaxAttempts, r.MaxBackoff = o.Attempts, o.MaxBackoff
				r.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(final)}, r.Retryables...)
			})
		},
	}
	return secretsmanager.NewFromConfig(cfg, func(s *secretsmanager.Options) {
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
	return fault.Wrap(fault.Unavailable, err, "the keys for AWS Secrets Manager cannot be read")
}

func open(v sealed.Value) string {
	b := reveal.Inside(v)
	defer clear(b)
	return string(b)
}

// guarded sends the SDK's requests through egress.
type guarded struct {
	c   *egress.Client
	max int64
}

// proof are the headers that let whoever has them act as us for a while.
var proof = []string{"Authorization", "X-Amz-Security-Token"}

// Do moves the signature into credentials for the request's own origin, and leaves out what the SDK takes from the
// environment to tell about this process.
func (g guarded) Do(req *http.Request) (*http.Response, error) {
	dest, err := sealed.FromURL(req.URL)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	if out.Body, err = ownBody(req.Body); err != nil {
		return nil, err
	}
	out.Header.Del("X-Amzn-Trace-Id")
	out.Header.Set("User-Agent", "hayward")
	var creds []egress.Credential
	for _, name := range proof {
		if v := out.Header.Get(name); v != "" {
			out.Header.Del(name)
			creds = append(creds, egress.Credential{Header: name, Value: sealed.NewString(v).For(dest)})
		}
	}
	resp, err := g.c.Do(out, creds...)
	if err != nil {
		return nil, err
	}
	resp.Body = &bounded{resp.Body, g.max}
	return resp, nil
}

// ownBody reads what is to be sent. The SDK closes its body when an answer begins to arrive; a transport that has not yet seen the
// body's end would take that for a failed write, and cut the answer off.
func ownBody(body io.ReadCloser) (io.ReadCloser, error) {
	if body == nil || body == http.NoBody {
		return body, nil
	}
	b, err := io.ReadAll(body)
	return io.NopCloser(bytes.NewReader(b)), err
}

// bounded ends an answer that is too long with an error.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fault.New(fault.TooLarge, "the answer of AWS Secrets Manager is too long")
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// refusals are the codes that say that we may not, whatever we ask.
var refusals = map[string]string{
	"AccessDeniedException":           "the keys' policy must allow secretsmanager:GetSecretValue, and ListSecrets for lists",
	"UnrecognizedClientException":     "the access key id is not known in this account",
	"InvalidClientTokenId":            "the access key id is not known in this account",
	"InvalidSignatureException":       "the secret access key does not fit the access key id, or the clock of this machine is wrong",
	"SignatureDoesNotMatch":           "the secret access key does not fit the access key id, or the clock of this machine is wrong",
	"ExpiredTokenException":           "the session token has ended",
	"RequestExpired":                  "the clock of this machine is wrong",
	"IncompleteSignature":             "the keys hold characters that no keys have",
	"MissingAuthenticationToken":      "the keys are missing",
	"MissingAuthenticationTokenError": "the keys are missing",
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
		return fault.Wrap(kind, ctx.Err(), "AWS Secrets Manager was not waited for any longer while %s", doing)
	case errors.As(err, &f):
		return f
	case !errors.As(err, &api):
		return fault.Wrap(fault.Unavailable, quiet{err}, "AWS Secrets Manager gave no answer that can be read while %s", doing)
	}
	cause := quiet{err}
	switch code := api.ErrorCode(); {
	case refusals[code] != "":
		return fault.Wrap(fault.Denied, cause, "AWS Secrets Manager refuses %s", doing).WithCode(code).WithHint("%s", refusals[code])
	case throttled(code):
		return fault.Wrap(fault.Limited, cause, "AWS Secrets Manager has too much to do for %s", doing).WithCode(code)
	}
	return other(api, cause, doing)
}

func throttled(code string) bool {
	_, is := retry.DefaultThrottleErrorCodes[code]
	return is
}

func other(api smithy.APIError, cause error, doing string) error {
	if api.ErrorFault() == smithy.FaultServer || api.ErrorCode() == "InternalServiceError" || api.ErrorCode() == "InternalFailure" {
		return fault.Wrap(fault.Unavailable, cause, "AWS Secrets Manager cannot answer %s now", doing).WithCode(api.ErrorCode())
	}
	return fault.Wrap(fault.Failed, cause, "AWS Secrets Manager refuses %s as wrong", doing).WithCode(api.ErrorCode())
}

// quiet keeps the SDK's error reachable and its text, which quotes the service, out of ours.
type quiet struct{ err error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.err }
