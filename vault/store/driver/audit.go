package driver

import (
	"cmp"
	"context"
	"strings"
)

// Chain names one chain of audit entries. Each node writes its own chain per tenant, and starts anew with each epoch.
type Chain struct {
	App, Tenant, Node string
	Epoch             int64
}

// Compare orders chains by their fields.
func (c Chain) Compare(o Chain) int {
	return cmp.Or(cmp.Compare(c.App, o.App), cmp.Compare(c.Tenant, o.Tenant), cmp.Compare(c.Node, o.Node), cmp.Compare(c.Epoch, o.Epoch))
}

// Log names the log that a chain belongs to: its node, without the suffix of a chain that was begun beside another.
func (c Chain) Log() string {
	node, _, _ := strings.Cut(c.Node, "~")
	return node
}

// AuditRow is one audit entry as it is stored. Every column but Hash and MAC is part of what Hash covers.
type AuditRow struct {
	Chain
	Seq       int64 // 1, 2, 3 ... within the chain
	ID        string
	Ref       string // the entry this one completes; empty for a first entry
	At        int64  // microseconds since 1970
	User      string
	IP        string
	RequestID string
	Action    string
	Resource  string
	Name      string
	Outcome   string
	Details   string // JSON array of [key, value] pairs
	Sealed    string // personal fields under the tenant's key; empty: User, IP, Name and Details are in clear
	Hash      []byte
	MAC       []byte
}

// AuditFilter selects audit entries; empty fields select everything. Times are in microseconds since 1970.
type AuditFilter struct {
	From, To    int64 // From <= At < To; To 0 means no end
	User        string
	Users       []string // with User: or one of these, which stand for the same person
	Action      string   // an action, or a prefix ending in "." or "*"
	Resource    string
	Name        string
	Names       []string // with Name: or one of these, which stand for the same thing
	Outcome     string
	RequestID   string
	BeforeAt    int64  // with BeforeID: only entries that sort before (At, ID); 0 starts at the newest
	BeforeID    string //
	Limit       int    // most entries returned
	OldestFirst bool   // ascending order; BeforeAt and BeforeID then mean "after"
}

// ActionPrefix returns what an action must begin with, if the filter's Action asks for that: "secret.*" and "secret." do.
func (f AuditFilter) ActionPrefix() (string, bool) {
	if p, ok := strings.CutSuffix(f.Action, "*"); ok {
		return p, true
	}
	return f.Action, strings.HasSuffix(f.Action, ".")
}

// AuditTreeRow is the Merkle tree over the entries of one chain, as a checkpoint signed it.
type AuditTreeRow struct {
	Chain
	Number int64  // the checkpoint
	Size   int64  // how many entries
	Root   []byte // of the tree over their hashes
	Edges  []byte // what is needed to let the tree grow; only the newest state of a chain keeps it
}

// AuditCheckpointRow is a signed checkpoint of one node's log.
type AuditCheckpointRow struct {
	Node   string
	Epoch  int64
	Number int64 // 1, 2, 3 ... within (Node, Epoch)
	At     int64
	Note   string // the signed text
	Edges  []byte // what is needed to let the log's tree grow; only the newest checkpoint keeps it
}

// AuditKeyRow is the key of a tenant's audit entries, encrypted under the tenant's own key.
type AuditKeyRow struct {
	App, Tenant, ID  string
	KeyID, Algorithm string
	Ciphertext       []byte
	Primary          bool // new entries are blinded under it
	CreatedAt        int64
}

// AuditGlassRow is a break-glass that an operator opened for a tenant.
type AuditGlassRow struct {
	App, Tenant, ID string
	Reason          string
	OpenedBy        string
	OpenedAt, Until int64
	ClosedAt        int64 // 0: not closed by hand
	MAC             []byte
}

// Audit keeps audit entries and what proves them. Entries are added and read, never changed.
type Audit interface {
	// AppendAudit adds rows of one chain, in order, if the last entry of the chain has the hash prev (nil: there is none).
	// It reports false, having written nothing, if the chain ends otherwise.
	AppendAudit(ctx context.Context, prev []byte, rows []AuditRow) (bool, error)
	// AuditTail returns the last entry of a chain, or [ErrNotFound].
	AuditTail(ctx context.Context, c Chain) (AuditRow, error)
	// ScanAudit calls fn for each entry of a chain whose Seq is above after, in ascending order of Seq.
	ScanAudit(ctx context.Context, c Chain, after int64, fn func(AuditRow) error) error
	// ListAudit returns entries of one tenant of one app, newest first, ordered by (At, ID).
	ListAudit(ctx context.Context, app, tenant string, f AuditFilter) ([]AuditRow, error)
	// ListAuditEveryTenant is ListAudit over all tenants of an app, for the operator.
	ListAuditEveryTenant(ctx context.Context, app string, f AuditFilter) ([]AuditRow, error)
	// AuditChainsEverywhere returns every chain that has an entry, in any app, ordered by its fields, for verification.
	AuditChainsEverywhere(ctx context.Context) ([]Chain, error)

	// AuditChains returns the chains of a tenant that have an entry, ordered by node and epoch.
	AuditChains(ctx context.Context, app, tenant string) ([]Chain, error)
	// ScanAuditHashes calls fn with number, hash and MAC of at most limit entries of a chain whose Seq is above after, in
	// ascending order.
	ScanAuditHashes(ctx context.Context, c Chain, after, limit int64, fn func(seq int64, hash, mac []byte) error) error
	// AuditEntry returns one entry of a tenant by its id, or [ErrNotFound].
	AuditEntry(ctx context.Context, app, tenant, id string) (AuditRow, error)

	// PutAuditTree writes the state of a chain at a checkpoint.
	PutAuditTree(ctx context.Context, row AuditTreeRow) error
	// AuditTree returns the newest state of a chain at or before a checkpoint, or [ErrNotFound].
	AuditTree(ctx context.Context, c Chain, number int64) (AuditTreeRow, error)
	// AuditTreesEverywhere returns the newest state of each chain of one log (its node, or its node with a suffix after
	// "~") at or before a checkpoint, ordered by chain.
	AuditTreesEverywhere(ctx context.Context, node string, epoch, number int64) ([]AuditTreeRow, error)
	// AddAuditCheckpointEverywhere writes a checkpoint. It reports false, having written nothing, unless its number follows
	// the newest one's.
	AddAuditCheckpointEverywhere(ctx context.Context, row AuditCheckpointRow) (bool, error)
	// AuditCheckpointEverywhere returns a checkpoint, the newest for number 0, or [ErrNotFound].
	AuditCheckpointEverywhere(ctx context.Context, node string, epoch, number int64) (AuditCheckpointRow, error)
	// ScanAuditCheckpointsEverywhere calls fn for each checkpoint of a log whose number is above after, in ascending order.
	ScanAuditCheckpointsEverywhere(ctx context.Context, node string, epoch, after int64, fn func(AuditCheckpointRow) error) error
	// AuditLogsEverywhere returns the newest checkpoint of every log, ordered by node and epoch.
	AuditLogsEverywhere(ctx context.Context) ([]AuditCheckpointRow, error)

	// AuditCursor returns how far a sink has got in a chain; 0 means nowhere.
	AuditCursor(ctx context.Context, c Chain, sink string) (int64, error)
	// PutAuditCursor moves a sink's cursor.
	PutAuditCursor(ctx context.Context, c Chain, sink string, seq int64) error

	// AuditKey returns one audit key of a tenant, the primary one for an empty id, or [ErrNotFound].
	AuditKey(ctx context.Context, app, tenant, id string) (AuditKeyRow, error)
	// PutAuditKey writes an audit key. A primary one takes that place from the key that had it.
	PutAuditKey(ctx context.Context, row AuditKeyRow) error
	// ListAuditKeys returns a tenant's audit keys, ordered by id.
	ListAuditKeys(ctx context.Context, app, tenant string) ([]AuditKeyRow, error)
	// ListAuditKeysEveryTenant returns the audit keys of all tenants of an app, ordered by tenant and id.
	ListAuditKeysEveryTenant(ctx context.Context, app string) ([]AuditKeyRow, error)

	// PutAuditGlass writes a break-glass, replacing the one with the same id.
	PutAuditGlass(ctx context.Context, row AuditGlassRow) error
	// ListAuditGlass returns a tenant's break-glasses, newest first, at most limit.
	ListAuditGlass(ctx context.Context, app, tenant string, limit int) ([]AuditGlassRow, error)
}
