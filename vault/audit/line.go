package audit

import (
	"bytes"
	"encoding/json"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Line is an entry as it is exported: what is stored, and what proves it. Personal fields that are kept under the tenant's key
// stand in it as they are stored, because that is what the hash covers; Open has them in clear, as long as that key exists.
type Line struct {
	Entry
	Sealed  string    `json:"sealed,omitempty"`
	Hash    []byte    `json:"hash"`
	MAC     []byte    `json:"mac"`
	Open    *Personal `json:"open,omitempty"`    // not covered by the hash
	Damaged bool      `json:"damaged,omitempty"` // what is stored cannot be what was written
}

// newLine exports a row as it is stored.
func newLine(r driver.AuditRow) Line {
	l := Line{Entry: fromRow(r), Sealed: r.Sealed, Hash: r.Hash, MAC: r.MAC}
	again := l.row()
	l.Damaged = !bytes.Equal(Canonical(nil, &again), Canonical(nil, &r))
	return l
}

// row is the entry as it was stored: every text in an entry that was written here is the same before and after cleaning.
func (l Line) row() driver.AuditRow {
	return driver.AuditRow{
		Chain: driver.Chain{App: l.AppID, Tenant: l.TenantID, Node: l.Node, Epoch: l.Epoch},
		Seq:   l.Seq, ID: l.ID.String(), Ref: l.Ref, At: l.CreatedAt.UnixMicro(), User: l.UserID, IP: l.IP, RequestID: l.RequestID,
		Action: l.Action, Resource: l.Resource, Name: l.Key, Outcome: string(l.Outcome), Details: detailsText(l.Details), Sealed: l.Sealed,
		Hash: l.Hash, MAC: l.MAC,
	}
}

// detailsText is the stored form of details that are clean already.
func detailsText(details []Detail) string {
	if len(details) == 0 {
		return "[]"
	}
	b, err := json.Marshal(details)
	if err != nil {
		panic("audit: pairs of strings do not encode: " + err.Error())
	}
	return string(b)
}

// Link ties the state of a chain to a checkpoint.
type Link struct {
	AppID    string      `json:"app"`
	TenantID string      `json:"tenant"`
	Node     string      `json:"node"`
	Epoch    int64       `json:"epoch"`
	Size     int64       `json:"size"` // how many entries
	Root     merkle.Hash `json:"root"` // of the tree over their hashes
	Index    int64       `json:"index"`
	Path     Path        `json:"path"` // from the chain's state to the checkpoint's root
}

// Path is the hashes of a proof, in base64.
type Path []merkle.Hash

func (l Link) chain() driver.Chain {
	return driver.Chain{App: l.AppID, Tenant: l.TenantID, Node: l.Node, Epoch: l.Epoch}
}

// holds reports whether the link shows that the checkpoint signed this state of the chain.
func (l Link) holds(cp Checkpoint) bool {
	leaf := stateLeaf(l.chain(), l.Size, l.Root)
	return origin(l.chain().Log(), l.Epoch) == cp.Origin() && merkle.CheckInclusion(l.Path, cp.Chains, cp.Snapshot, l.Index, leaf)
}

// Continues shows that a checkpoint continues an earlier one of the same log.
type Continues struct {
	From  int64 `json:"from"`
	To    int64 `json:"to"`
	Proof Path  `json:"proof"`
}

// Seal is the end of a whole export: a checkpoint, the states of the exported chains that it signed, and what ties them
// together.
type Seal struct {
	Checkpoint string     `json:"checkpoint"`
	Chains     []Link     `json:"chains"`
	Every      bool       `json:"every,omitempty"` // these are all chains of the log
	Continues  *Continues `json:"continues,omitempty"`
}

// makeLinks ties the chains that are mine to a checkpoint whose states are trees.
func makeLinks(trees []driver.AuditTreeRow, mine func(driver.Chain) bool) ([]Link, error) {
	leaves := stateLeaves(trees)
	var out []Link
	for i, t := range trees {
		if !mine(t.Chain) {
			continue
		}
		p := merkle.Inclusion(int64(i), int64(len(leaves)))
		for _, leaf := range leaves {
			p.Add(leaf)
		}
		path, ok := p.Proof()
		if !ok || len(t.Root) != len(merkle.Hash{}) {
			return nil, fault.New(fault.Internal, "the proof of a chain could not be made")
		}
		out = append(out, Link{AppID: t.App, TenantID: t.Tenant, Node: t.Node, Epoch: t.Epoch, Size: t.Size, Root: merkle.Hash(t.Root),
			Index: int64(i), Path: path})
	}
	return out, nil
}

// CheckContinues makes sure that newer continues older: both signed by one of the keys, for the same log, and the tree of the
// newer one begins with the tree of the older.
func CheckContinues(older, newer Checkpoint, proof Continues, keys PublicKeys) error {
	for _, c := range [...]*Checkpoint{&older, &newer} {
		checked, err := keys.Check(c.Text)
		if err != nil {
			return err
		}
		*c = checked
	}
	if older.Origin() != newer.Origin() || proof.From != older.Number || proof.To != newer.Number ||
		!merkle.CheckConsistency(proof.Proof, newer.Number, newer.Root, older.Number, older.Root) {
		return fault.New(fault.Failed, "checkpoint %d of %s does not continue checkpoint %d of %s", newer.Number, newer.Origin(),
			older.Number, older.Origin()).WithCode("AuditBroken")
	}
	return nil
}
