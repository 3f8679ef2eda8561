package api

import (
	"context"
	"io"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/key"
	"github.com/haywardhq/hayward/vault/keyring"
)

// Keys is what the door needs of keys; *host.Keys is one.
type Keys interface {
	ListKeys(ctx context.Context, o host.KeyOwner) ([]key.Key, error)
	RotateKey(ctx context.Context, o host.KeyOwner) (*host.Rotated, error)
	Root(ctx context.Context) (keyring.Progress, error)
	RotateRoot(ctx context.Context) (keyring.Progress, error)
	ShredTenant(ctx context.Context, slug, confirm, reason string) (keyring.Receipt, error)
	Receipts(ctx context.Context, appID, after string, limit int) ([]keyring.Receipt, error)
	PublicKeys(ctx context.Context, purpose string) ([]keyring.PublicKey, error)
	ExportKeys(ctx context.Context) ([]byte, error)
}

// Backups is what the door needs to write backups; *host.Backups is one.
type Backups interface {
	WriteBackup(ctx context.Context, w io.Writer) error
}

func (d *Door) keyRoutes() []router.Route {
	const tag, root = "keys", "/api/v1/keys"
	whose := []router.Param{{Name: "tenant", Doc: "operators: a tenant's slug; a tenant's own when left out"}, {Name: "of", Doc: "operators: shared or operator"}}
	return []router.Route{
		{Method: http.MethodGet, Path: root, Handler: d.listKeys, Action: policy.KeyRead, Tag: tag, Params: whose,
			Summary: "List keys, never their values: a tenant's own, an operator's any", Answers: KeyList{}},
		{Method: http.MethodPost, Path: root + "/rotate", Handler: d.rotateKey, Action: policy.KeyRotate, Tag: tag, Params: whose,
			Summary: "Give a tenant a new key, and encrypt its secrets under it", Answers: host.Rotated{}},
		{Method: http.MethodGet, Path: root + "/root", Handler: d.rootKey, Action: policy.KeyRotateRoot, Tag: tag,
			Summary: "Say which root key is in use, and how far a change of it has come", Answers: keyring.Progress{}},
		{Method: http.MethodPost, Path: root + "/root/rotate", Handler: d.rotateRoot, Action: policy.KeyRotateRoot, Tag: tag,
			Summary: "Change the root key while the server serves", Answers: keyring.Progress{}},
		{Method: http.MethodPost, Path: root + "/shred", Handler: d.shred, Action: policy.KeyShred, Tag: tag,
			Summary: "Destroy every key of a tenant, for ever, and sign a receipt", Accepts: body(ShredBody{}), Answers: keyring.Receipt{}},
		{Method: http.MethodGet, Path: root + "/receipts", Handler: d.receipts, Action: policy.KeyShred, Tag: tag, Params: pageParams,
			Summary: "List the receipts of tenants whose keys were destroyed", Answers: ReceiptList{}},
		{Method: http.MethodGet, Path: root + "/public", Handler: d.publicKeys, Self: true, Tag: tag,
			Summary: "Show the public keys that receipts verify with", Answers: PublicKeyList{}},
		{Method: http.MethodPost, Path: root + "/export", Handler: d.exportKeys, Action: policy.KeyExport, Tag: tag, Stream: true,
			Summary: "Back the keys up, as a file that opens with today's root key only"},
		{Method: http.MethodPost, Path: "/api/v1/backup", Handler: d.writeBackup, Action: policy.BackupWrite, Tag: "backup", Stream: true,
			Summary: "Write an encrypted backup of the data, which holds no keys"},
	}
}

// KeyList lists keys.
type KeyList struct {
	Keys []key.Key `json:"keys"`
}

// ShredBody names the tenant twice, and says why.
type ShredBody struct {
	Tenant  string `json:"tenant"`  // slug
	Confirm string `json:"confirm"` // the slug again
	Reason  string `json:"reason"`
}

// ReceiptList is a page of receipts by tenant.
type ReceiptList struct {
	Receipts []keyring.Receipt `json:"receipts"`
	Next     string            `json:"next,omitempty"`
}

// PublicKeyList lists keys to verify with.
type PublicKeyList struct {
	Keys []keyring.PublicKey `json:"keys"`
}

func keyOwner(r *router.Request) (host.KeyOwner, error) {
	of := r.URL.Query().Get("of")
	err := oneOf(of, "of", "shared", "operator")
	return host.KeyOwner{Tenant: r.URL.Query().Get("tenant"), Shared: of == "shared", Operator: of == "operator"}, err
}

func (d *Door) listKeys(ctx context.Context, r *router.Request) (any, error) {
	o, err := keyOwner(r)
	if err != nil {
		return nil, err
	}
	list, err := d.Keys.ListKeys(ctx, o)
	return answer(KeyList{append([]key.Key{}, list...)}, err)
}

func (d *Door) rotateKey(ctx context.Context, r *router.Request) (any, error) {
	o, err := keyOwner(r)
	if err != nil {
		return nil, err
	}
	return answer(d.Keys.RotateKey(ctx, o))
}

func (d *Door) rootKey(ctx context.Context, _ *router.Request) (any, error) {
	return answer(d.Keys.Root(ctx))
}

func (d *Door) rotateRoot(ctx context.Context, _ *router.Request) (any, error) {
	return answer(d.Keys.RotateRoot(ctx))
}

func (d *Door) shred(ctx context.Context, r *router.Request) (any, error) {
	var b ShredBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	return answer(d.Keys.ShredTenant(ctx, b.Tenant, b.Confirm, b.Reason))
}

func (d *Door) receipts(ctx context.Context, r *router.Request) (any, error) {
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	list, err := d.Keys.Receipts(ctx, "", r.URL.Query().Get("after"), limit)
	if err != nil {
		return nil, err
	}
	out := ReceiptList{Receipts: append([]keyring.Receipt{}, list...)}
	if len(list) == limit {
		out.Next = list[len(list)-1].Tenant
	}
	return out, nil
}

func (d *Door) publicKeys(ctx context.Context, _ *router.Request) (any, error) {
	list, err := d.Keys.PublicKeys(ctx, keyring.ReceiptPurpose)
	return answer(PublicKeyList{append([]keyring.PublicKey{}, list...)}, err)
}

func octets() http.Header { return http.Header{"Content-Type": {"application/octet-stream"}} }

func (d *Door) exportKeys(ctx context.Context, _ *router.Request) (any, error) {
	b, err := d.Keys.ExportKeys(ctx)
	if err != nil {
		return nil, err
	}
	return &router.Response{Header: octets(), Body: b}, nil
}

func (d *Door) writeBackup(ctx context.Context, _ *router.Request) (any, error) {
	return &router.Response{Header: octets(), Write: func(w io.Writer, _ func() error) error { return d.Backups.WriteBackup(ctx, w) }}, nil
}
