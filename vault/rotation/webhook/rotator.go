package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/internal/hooksign"
	"github.com/haywardhq/hayward/vault/rotation"
)

// Kind is the name under which policies ask for this rotator.
const Kind = "webhook"

// Rotator is the rotator. It is safe for concurrent use.
type Rotator struct {
	client *egress.Client
	now    func() time.Time
}

// New returns a rotator that sends through c, which decides which addresses may be reached.
func New(c *egress.Client) *Rotator { return &Rotator{c, time.Now} }

// CheckParams refuses parameters that do not fit, see [Params].
func (r *Rotator) CheckParams(raw json.RawMessage) error {
	_, _, err := r.params(raw)
	return err
}

// message is the body of a step.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	App             string `json:"app"`
	Tenant          string `json:"tenant"`
	Secret          string `json:"secret"`
	Token           string `json:"token"`
	Attempt         int    `json:"attempt"`
	Version         int64  `json:"version,omitempty"`
	CurrentVersion  int64  `json:"current_version,omitempty"`
	PreviousVersion int64  `json:"previous_version,omitempty"`
	Value           string `json:"value,omitempty"`
	Encoding        string `json:"encoding,omitempty"`
}

// Create makes the next value, here or at the receiver.
func (r *Rotator) Create(ctx context.Context, s rotation.Step) (sealed.Value, error) {
	p, _, err := r.params(s.Params)
	if err != nil {
		return sealed.Value{}, err
	}
	if !p.Create {
		return p.value()
	}
	answer, err := r.send(ctx, s, stepCreate)
	if err != nil {
		return sealed.Value{}, err
	}
	var made struct {
		Value    string `json:"value"`
		Encoding string `json:"encoding"`
	}
	value := []byte(nil)
	if err = json.Unmarshal(answer, &made); err == nil {
		switch made.Encoding {
		case "":
			value = []byte(made.Value)
		case "base64":
			value, err = base64.StdEncoding.DecodeString(made.Value)
		default:
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil || len(value) == 0 {
		return sealed.Value{}, fault.New(fault.Failed, "the webhook did not answer with a value").WithCode("WebhookAnswer").
			WithHint(`it answers {"value": "..."}`)
	}
	return sealed.New(value), nil
}

// Set has the receiver accept the pending value.
func (r *Rotator) Set(ctx context.Context, s rotation.Step) error { return r.step(ctx, s, stepSet) }

// Test has the receiver try the value of this run.
func (r *Rotator) Test(ctx context.Context, s rotation.Step) error { return r.step(ctx, s, stepTest) }

// Retire has the receiver forget the former value.
func (r *Rotator) Retire(ctx context.Context, s rotation.Step) error {
	return r.step(ctx, s, stepRetire)
}

func (r *Rotator) step(ctx context.Context, s rotation.Step, step string) error {
	p, _, err := r.params(s.Params)
	if err != nil || !p.sends(step) {
		return err
	}
	_, err = r.send(ctx, s, step)
	return err
}

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 128 << 10

// send makes one signed request and returns the answer's body.
func (r *Rotator) send(ctx context.Context, s rotation.Step, step string) ([]byte, error) {
	p, dest, err := r.params(s.Params)
	if err != nil {
		return nil, err
	}
	body, err := r.body(s, step, dest)
	if err != nil {
		return nil, err
	}
	defer clear(body)
	id, at := s.Token+"."+step, strconv.FormatInt(r.now().Unix(), 10)
	signature, err := sign(ctx, s, p.SigningKey, id, at, body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the URL of the webhook cannot be used").At(fault.Where{Field: "url"})
	}
	req.GetBody = nil // nothing sends it a second time
	for k, v := range map[string]string{"Content-Type": "application/json", "User-Agent": "hayward", "webhook-id": id, "webhook-timestamp": at,
		"Idempotency-Key": `"` + id + `"`} {
		req.Header.Set(k, v)
	}
	// A request with a credential is never redirected: the body is one, too.
	resp, err := r.client.Do(req, egress.Credential{Header: "webhook-signature", Value: signature.For(dest)})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode/100 == 3:
		return nil, fault.New(fault.Failed, "the webhook answered with a redirect, which is not followed").WithCode("WebhookRefused")
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return nil, fault.New(fault.Unavailable, "the webhook answered with the status %d", resp.StatusCode).WithCode("WebhookRefused")
	case resp.StatusCode/100 != 2:
		return nil, fault.New(fault.Failed, "the webhook answered with the status %d", resp.StatusCode).WithCode("WebhookRefused")
	case err != nil:
		return nil, fault.New(fault.Unavailable, "the answer of the webhook broke off").WithCode("WebhookAnswer")
	case len(answer) > maxAnswer:
		return nil, fault.New(fault.TooLarge, "the answer of the webhook has more than %d bytes", maxAnswer).WithCode("WebhookAnswer")
	}
	return answer, nil
}

// body writes a step down. The value is opened for the origin of the URL, or not at all.
func (r *Rotator) body(s rotation.Step, step string, dest sealed.Destination) ([]byte, error) {
	m := message{"rotation." + step, r.now().UTC().Truncate(time.Second), data{App: s.App, Tenant: s.Tenant, Secret: s.SecretKey, Token: s.Token,
		Attempt: s.Attempt, Version: s.PendingVersion, CurrentVersion: s.CurrentVersion, PreviousVersion: s.PreviousVersion}}
	if step == stepSet {
		value, err := reveal.For(s.Pending, dest)
		if err != nil {
			return nil, err
		}
		defer clear(value)
		if m.Data.Value = string(value); !utf8.Valid(value) {
			m.Data.Value, m.Data.Encoding = base64.StdEncoding.EncodeToString(value), "base64"
		}
	}
	return json.Marshal(m)
}

// sign returns the signature header's value.
func sign(ctx context.Context, s rotation.Step, keyName, id, at string, body []byte) (sealed.Value, error) {
	v, err := s.Secret(ctx, keyName)
	if err != nil {
		return sealed.Value{}, err
	}
	key, err := hooksign.ParseKey(v)
	if err != nil {
		return sealed.Value{}, err
	}
	return sealed.NewString(key.Sign(id, at, body)), nil
}
