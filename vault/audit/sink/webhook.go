package sink

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
)

// WebhookOptions configures [NewWebhook].
type WebhookOptions struct {
	URL    string
	Client *egress.Client
	// Sign returns the HMAC-SHA256 of a message under the key that both sides know. nil signs nothing.
	Sign        func(message []byte) []byte
	Credentials []egress.Credential // sent with each request, for the URL's origin alone
}

// Webhook posts batches as JSON: {"entries": [...], "checkpoint": "..."}.
//
// The header Hayward-Signature is "t=<unix seconds>,v1=<hex>", where v1 is the HMAC-SHA256 of the seconds, a full stop and
// the body. Hayward-Batch names the last entry: the same entries may come twice. Any answer but 2xx is a failure, a redirect
// too: it is not followed.
type Webhook struct {
	o   WebhookOptions
	now func() time.Time
}

// NewWebhook returns a webhook sink.
func NewWebhook(o WebhookOptions) *Webhook { return &Webhook{o: o, now: time.Now} }

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
	if s.o.Sign != nil {
		at := strconv.FormatInt(s.now().Unix(), 10)
		header.Set("Hayward-Signature", "t="+at+",v1="+hex.EncodeToString(s.o.Sign(append([]byte(at+"."), body...))))
	}
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
