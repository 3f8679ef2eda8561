package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Proof shows that one entry is under a checkpoint. It holds nothing of any other entry but hashes.
type Proof struct {
	Entry      Line   `json:"entry"`
	Prev       []byte `json:"prev"` // the hash of the entry before; empty for the first of its chain
	Path       Path   `json:"path"` // from the entry to the root of its chain
	Chain      Link   `json:"chain"`
	Checkpoint string `json:"checkpoint"`
}

// Prove returns the proof that an entry of the caller's tenant is under the newest checkpoint of its log. It fails with a
// Conflict if the next checkpoint is yet to come: entries wait 10 seconds at most.
func (s *Service) Prove(ctx context.Context, entryID string) (Proof, error) {
	caller, p, err := s.enter(ctx, "audit.prove", Query{})
	if err != nil {
		return Proof{}, err
	}
	p.Note(Detail{"entry", entryID})
	var proof Proof
	err = s.st.View(ctx, func(tx driver.Tx) (err error) {
		proof, err = prove(ctx, tx, caller.App, Query{}.owner(caller), entryID)
		return err
	})
	return proof, p.EndErr(ctx, err)
}

func prove(ctx context.Context, tx driver.Tx, app, tenant, entryID string) (Proof, error) {
	row, err := tx.AuditEntry(ctx, app, tenant, entryID)
	if errors.Is(err, driver.ErrNotFound) {
		return Proof{}, fault.New(fault.NotFound, "no such audit entry").WithCode("AuditEntryNotFound")
	}
	if err != nil {
		return Proof{}, err
	}
	cp, err := tx.AuditCheckpointEverywhere(ctx, row.Log(), row.Epoch, 0)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return Proof{}, err
	}
	out := Proof{Entry: newLine(row), Checkpoint: cp.Note}
	trees, err := tx.AuditTreesEverywhere(ctx, row.Log(), row.Epoch, cp.Number)
	if err != nil {
		return Proof{}, err
	}
	links, err := makeLinks(trees, func(c driver.Chain) bool { return c == row.Chain })
	if err != nil {
		return Proof{}, err
	}
	if len(links) == 0 || links[0].Size < row.Seq {
		return Proof{}, fault.New(fault.Conflict, "this entry is not under a checkpoint yet").WithHint("ask again in a few seconds")
	}
	out.Chain = links[0]
	out.Prev, out.Path, err = entryPath(ctx, tx, row.Chain, row.Seq, links[0].Size)
	return out, err
}

// entryPath reads the hashes of a chain once.
func entryPath(ctx context.Context, tx driver.Tx, c driver.Chain, seq, size int64) (prev []byte, path Path, err error) {
	p := merkle.Inclusion(seq-1, size)
	err = tx.ScanAuditHashes(ctx, c, 0, size, func(n int64, hash, _ []byte) error {
		if n == seq-1 {
			prev = bytes.Clone(hash)
		}
		p.Add(merkle.Leaf(hash))
		return nil
	})
	path, ok := p.Proof()
	if err == nil && !ok {
		err = broken("entries of this chain are missing")
	}
	return prev, path, err
}

// VerifyInclusion makes sure that a proof holds: that one of the keys signed its checkpoint, that the checkpoint signed the
// state of the chain, and that the entry, down to its last byte, is in that chain. held, unless it is the zero Checkpoint,
// is the checkpoint the reader trusts: the proof must be for that one.
func VerifyInclusion(p Proof, held Checkpoint, keys PublicKeys) error {
	bad := func(format string, args ...any) error {
		return fault.Wrap(fault.Failed, base.ErrAuditBroken, "the proof does not hold: "+format, args...).WithCode("AuditBroken")
	}
	cp, err := keys.Check(p.Checkpoint)
	if err != nil {
		return err
	}
	if held.Number != 0 {
		if held, err = keys.Check(held.Text); err != nil {
			return err
		}
		if held.body() != cp.body() {
			return bad("it is for checkpoint %d of %s, not for checkpoint %d of %s", cp.Number, cp.Origin(), held.Number, held.Origin())
		}
	}
	row := p.Entry.row()
	hash, _ := entryHash(nil, none(p.Prev), &row)
	switch {
	case p.Entry.Damaged || !hmac.Equal(hash, row.Hash):
		return bad("the entry was changed")
	case row.Chain != p.Chain.chain():
		return bad("the entry is of another chain")
	case !merkle.CheckInclusion(p.Path, p.Chain.Size, p.Chain.Root, row.Seq-1, merkle.Leaf(hash)):
		return bad("the entry is not in the chain")
	case !p.Chain.holds(cp):
		return bad("the chain is not under the checkpoint")
	}
	return nil
}

// none makes the hash before a first entry what it was when it was written.
func none(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Checkpoints returns the newest checkpoint of every log that has entries of the caller's tenant, for the caller to keep.
func (s *Service) Checkpoints(ctx context.Context) ([]Checkpoint, error) {
	caller, p, err := s.enter(ctx, "audit.checkpoint", Query{})
	if err != nil {
		return nil, err
	}
	var out []Checkpoint
	err = s.st.View(ctx, func(tx driver.Tx) error {
		seals, err := seals(ctx, tx, caller.App, Query{}.owner(caller), false, nil)
		for _, seal := range seals {
			c, err := ParseCheckpoint(seal.Checkpoint)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return err
	})
	return out, p.EndErr(ctx, err)
}

// seals returns the newest checkpoint of each log that has chains of a tenant, or of an app, with the states of those chains
// and the proof that it continues the checkpoint that the reader holds.
func seals(ctx context.Context, tx driver.Tx, app, tenant string, every bool, since []Checkpoint) ([]Seal, error) {
	logs, err := tx.AuditLogsEverywhere(ctx)
	if err != nil {
		return nil, err
	}
	held := newest(since)
	var out []Seal
	for _, row := range logs {
		trees, err := tx.AuditTreesEverywhere(ctx, row.Node, row.Epoch, row.Number)
		if err != nil {
			return nil, err
		}
		links, err := makeLinks(trees, func(c driver.Chain) bool { return c.App == app && (every || c.Tenant == tenant) })
		if err != nil {
			return nil, err
		}
		if len(links) == 0 {
			continue
		}
		seal := Seal{Checkpoint: row.Note, Chains: links, Every: every && len(links) == len(trees)}
		if h, ok := held[origin(row.Node, row.Epoch)]; ok && h.Number < row.Number {
			if seal.Continues, err = continues(ctx, tx, row, h.Number); err != nil {
				return nil, err
			}
		}
		out = append(out, seal)
	}
	return out, nil
}

// continues proves that the newest checkpoint of a log continues an earlier one.
func continues(ctx context.Context, tx driver.Tx, row driver.AuditCheckpointRow, from int64) (*Continues, error) {
	p := merkle.Consistency(from, row.Number)
	err := tx.ScanAuditCheckpointsEverywhere(ctx, row.Node, row.Epoch, 0, func(r driver.AuditCheckpointRow) error {
		c, err := ParseCheckpoint(r.Note)
		p.Add(c.leaf())
		return err
	})
	path, ok := p.Proof()
	if err == nil && !ok {
		err = broken("checkpoints are missing")
	}
	return &Continues{From: from, To: row.Number, Proof: path}, err
}
