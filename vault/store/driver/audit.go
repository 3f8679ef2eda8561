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
	Hash      []byte
	MAC       []byte
}

// AuditFilter selects audit entries; empty fields select everything. Times are in microseconds since 1970.
type AuditFilter struct {
	From, To    int64 // From <= At < To; To 0 means no end
	User        string
	Action      string // an action, or a prefix ending in "." or "*"
	Resource    string
	Name        string
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

// Audit keeps audit entries. Rows are added and read, never changed.
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
}
