package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// Key is what may be said of a key.
type Key struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Primary   bool      `json:"primary"` // new values are encrypted under it
	RootID    string    `json:"root_id"`
	Uses      int64     `json:"uses"` // versions of secrets encrypted under it
}

// KeyOwner says whose keys: the zero value is the caller's own tenant, everything else is an operator's.
type KeyOwner struct {
	Tenant string // slug
	Of     string // shared or operator
}

func (o KeyOwner) values() url.Values {
	v := url.Values{}
	for name, text := range map[string]string{"tenant": o.Tenant, "of": o.Of} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return v
}

// KeyRotation is what became of a change of a tenant's key.
type KeyRotation struct {
	ID          string `json:"id"`
	Reencrypted int64  `json:"reencrypted"`
	Remaining   int64  `json:"remaining"`
}

// RootKey says which root key is in use, and how far a change of it has come.
type RootKey struct {
	Phase     string `json:"phase"`
	Epoch     int64  `json:"epoch"`
	RootID    string `json:"root_id"`
	NextID    string `json:"next_id,omitempty"`
	Rewrapped int64  `json:"rewrapped"`
	Total     int64  `json:"total"`
	Advice    string `json:"advice,omitempty"` // what the operator must still do
}

// PublicKey is a key that receipts verify with.
type PublicKey struct {
	ID        string `json:"id"`
	Key       string `json:"key"` // 32 bytes in unpadded base64url
	RetiredAt int64  `json:"retired_at"`
}

const keysPath = "/api/v1/keys"

// Keys lists keys, oldest first.
func (c *Client) Keys(ctx context.Context, o KeyOwner) ([]Key, error) {
	var out struct {
		Keys []Key `json:"keys"`
	}
	return out.Keys, c.Do(ctx, Request{Method: http.MethodGet, Path: keysPath, Query: o.values()}, &out)
}

// RotateKey gives an owner a new key, and encrypts its secrets under it.
func (c *Client) RotateKey(ctx context.Context, o KeyOwner) (KeyRotation, error) {
	var out KeyRotation
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: keysPath + "/rotate", Query: o.values()}, &out)
}

// RootKey says which root key is in use; for operators.
func (c *Client) RootKey(ctx context.Context) (RootKey, error) {
	var out RootKey
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: keysPath + "/root"}, &out)
}

// RotateRootKey changes the root key while the server serves; for operators.
func (c *Client) RotateRootKey(ctx context.Context) (RootKey, error) {
	var out RootKey
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: keysPath + "/root/rotate"}, &out)
}

// ShredTenant destroys every key of a tenant, for ever; for operators. confirm is the slug again. The receipt is as the
// server signed it: the package vault/keyring verifies it.
func (c *Client) ShredTenant(ctx context.Context, slug, confirm, reason string) (json.RawMessage, error) {
	var out json.RawMessage
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: keysPath + "/shred", JSON: map[string]string{"tenant": slug, "confirm": confirm, "reason": reason}}, &out)
}

// Receipts lists the receipts of tenants whose keys were destroyed, as the server signed them; for operators.
func (c *Client) Receipts(ctx context.Context) ([]json.RawMessage, error) {
	out := []json.RawMessage{}
	err := c.pages(ctx, keysPath+"/receipts", nil, func(get func(any) error) (string, error) {
		var page struct {
			Receipts []json.RawMessage `json:"receipts"`
			Next     string            `json:"next"`
		}
		err := get(&page)
		out = append(out, page.Receipts...)
		return page.Next, err
	})
	return out, err
}

// PublicKeys returns the keys that receipts verify with.
func (c *Client) PublicKeys(ctx context.Context) ([]PublicKey, error) {
	var out struct {
		Keys []PublicKey `json:"keys"`
	}
	return out.Keys, c.Do(ctx, Request{Method: http.MethodGet, Path: keysPath + "/public"}, &out)
}

// ExportKeys writes the keys to w, as a file that opens with today's root key only; for operators.
func (c *Client) ExportKeys(ctx context.Context, w io.Writer) error {
	return c.download(ctx, keysPath+"/export", w)
}

// Backup writes an encrypted backup of the data to w; for operators.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	return c.download(ctx, "/api/v1/backup", w)
}

func (c *Client) download(ctx context.Context, path string, w io.Writer) error {
	resp, err := c.Open(ctx, Request{Method: http.MethodPost, Path: path})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the answer of %s broke off", c.base.Host)
	}
	return nil
}
