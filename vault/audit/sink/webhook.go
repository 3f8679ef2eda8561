package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/hooksign"
)

// WebhookOptions configures [NewWebhook]. URL, Client and Key are needed.
type WebhookOptions struct {
	URL         string
	Client      *egress.Client
	Key         sealed.Value        // both sides know it: whsec_ and base64, or at least 24 bytes as they are
	Credentials []egress.Credential // sent with each request, for the URL's origin alone
}

// Webhook posts batches as JSON: {"entries": [...], "checkpoint": "..."}. Each is signed as Standard Webhooks says
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), as the requests of
// vault/rotation/webhook are:
//
//	webhook-id: audit_7f83b165...            of the body: the same when the same entries come again
//	webhook-timestamp: 1767225600            seconds since 1970, of this attempt
//	webhook-signature: v1,K5oZf...           base64 of HMAC-SHA256 over "id.timestamp.body"
//
// Hayward-Batch names the last entry: the same entries may come twice, also in other batches. Any answer but 2xx is a failure,
// a redirect too: it is not followed.
type Webhook struct {
	o   WebhookOptions
	key hooksign.Key
	now func() time.Time
}

// NewWebhook returns a webhook sink, or what is wrong with the key.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	if o.Key.IsZero() {
		return nil, fault.New(fault.Invalid, "the key that signs the requests of an audit webhook is missing").
			WithHint("without it anybody who knows the address could write into the copy")
	}
	key, err := hooksign.ParseKey(o.Key)
	if err != nil {
		return nil, err
	}
	return &Webhook{o: o, key: key, now: time.Now}, nil
}

type webhookBody struct {
	Entries    []audit.Line `json:"entries"`
	Checkpoint string       `json:"checkpoint,omitempty"`
}

// Send implements [Target].
func (s *Webhook) Send(ctx context.Context, b Batch) error {
	if b.Entries == nil {
		b.Entries = []audit.Line{}
	}
	body, err := json.Marshal(webhookBody(b))
	if err != nil {
		return fault.Wrap(fault.Internal, err, "audit entries could not be encoded")
	}
	header := http.Header{}
	sum := sha256.Sum256(body)
	id, at := "audit_"+hex.EncodeToString(sum[:16]), strconv.FormatInt(s.now().Unix(), 10)
	header.Set(hooksign.HeaderID, id)
	header.Set(hooksign.HeaderTimestamp, at)
	header.Set(hooksign.HeaderSignature, s.key.Sign(id, at, body))
	if n := len(b.Entries); n > 0 {
		header.Set("Hayward-Batch", b.Entries[n-1].ID.String())
	}
	_, err = post(ctx, s.o.Client, s.o.URL, body, header, s.o.Credentials)
	return err
}

// Close implements [Target].
func (s *Webhook) Close() error { return nil }

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// post sends JSON and wants a 2xx.
func post(ctx context.Context, c *egress.Client, url string, body []byte, header http.Header, creds []egress.Credential) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the address of the audit sink is not a URL")
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "hayward")
	resp, err := c.DoOnce(req, creds...)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode/100 == 3:
		return nil, fault.New(fault.Failed, "the audit sink answered with a redirect (%d), which is not followed", resp.StatusCode)
	case resp.StatusCode/100 != 2:
		return nil, fault.New(fault.Unavailable, "the audit sink answered %d", resp.StatusCode)
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, err, "the audit sink's answer broke off")
	}
	return answer, nil
}
