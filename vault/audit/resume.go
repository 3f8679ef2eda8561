package audit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

type noteVerifier = note.Verifier

func sortedChains[V any](m map[driver.Chain]V) []driver.Chain {
	return slices.SortedFunc(maps.Keys(m), driver.Chain.Compare)
}

// load reads where the log stands, makes sure that it is what was signed and not older than what the file knows, and
// returns the chains to look at.
func (c *Checkpointer) load(ctx context.Context) (map[driver.Chain]int64, error) {
	if err := c.l.settle(ctx); err != nil {
		return nil, err
	}
	grown := map[driver.Chain]int64{}
	var missed []Checkpoint
	err := c.l.st.View(ctx, func(tx driver.Tx) error {
		chains, err := c.l.ownChains(ctx, tx)
		if err != nil {
			return err
		}
		for _, ch := range chains {
			grown[ch] = 0
		}
		if err := c.resume(ctx, tx); err != nil {
			return err
		}
		missed, err = c.missed(ctx, tx)
		return err
	})
	if err == nil && len(missed) > 0 {
		err = c.o.Journal.append(missed)
	}
	return grown, err
}

// resume restores the trees that the newest checkpoint signed.
func (c *Checkpointer) resume(ctx context.Context, tx driver.Tx) error {
	c.chains, c.log, c.last = map[driver.Chain]*state{}, merkle.Tree{}, Checkpoint{}
	row, err := tx.AuditCheckpointEverywhere(ctx, c.l.node, c.l.epoch, 0)
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	cp, err := c.keys.Check(row.Note)
	if err != nil {
		return err
	}
	log, ok := merkle.Restore(row.Number, row.Edges)
	if !ok || cp.Origin() != origin(c.l.node, c.l.epoch) || cp.Number != row.Number || log.Root() != cp.Root {
		return brokenLog("its newest checkpoint is not what was signed")
	}
	trees, err := tx.AuditTreesEverywhere(ctx, cp.Node, cp.Epoch, cp.Number)
	if err != nil {
		return err
	}
	chains := map[driver.Chain]*state{}
	for _, r := range trees {
		tree, ok := merkle.Restore(r.Size, r.Edges)
		root := tree.Root()
		if !ok || string(root[:]) != string(r.Root) {
			return brokenLog("the tree of a chain at checkpoint %d is not what was written", r.Number)
		}
		chains[r.Chain] = &state{tree, stateLeaf(r.Chain, r.Size, root)}
	}
	if snapshot(chains) != cp.Snapshot || int64(len(chains)) != cp.Chains {
		return brokenLog("the trees of its chains are not those that checkpoint %d signed", cp.Number)
	}
	c.chains, c.log, c.last = chains, log, cp
	return nil
}

func brokenLog(format string, args ...any) error {
	return broken("in the log of checkpoints, "+format, args...)
}

// missed returns the checkpoints that are stored and not in the file, as a crash between the two leaves them. A file that
// knows more than the store, or something else, shows that the store was put back.
func (c *Checkpointer) missed(ctx context.Context, tx driver.Tx) (out []Checkpoint, err error) {
	if c.o.Journal == nil {
		return nil, nil
	}
	kept, have, missing := c.o.Journal.newest(origin(c.l.node, c.l.epoch))
	switch {
	case missing && c.last.Number > 1:
		return nil, brokenLog("the file %s is missing", c.o.Journal.Path())
	case kept.Number > c.last.Number:
		return nil, brokenLog("the file %s knows number %d, the database only %d: an older database was put in its place", c.o.Journal.Path(),
			kept.Number, c.last.Number)
	}
	same := !have
	err = tx.ScanAuditCheckpointsEverywhere(ctx, c.l.node, c.l.epoch, max(kept.Number-1, 0), func(r driver.AuditCheckpointRow) error {
		cp, err := c.keys.Check(r.Note)
		if err != nil {
			return err
		}
		if have && r.Number == kept.Number {
			same = cp.body() == kept.body()
			return nil
		}
		out = append(out, cp)
		return nil
	})
	if err == nil && !same {
		err = brokenLog("number %d is another one in the file %s", kept.Number, c.o.Journal.Path())
	}
	return out, err
}

// ownChains returns the chains this logger writes in its epoch.
func (l *Logger) ownChains(ctx context.Context, tx driver.Tx) ([]driver.Chain, error) {
	all, err := tx.AuditChainsEverywhere(ctx)
	return slices.DeleteFunc(all, func(c driver.Chain) bool { return c.Epoch != l.epoch || c.Log() != l.node }), err
}

// settle puts back what the database lost, and brings the head file up to what a crash left in the store. A chain that does not
// fit its head is left alone: its next entry is refused, and the verification says why.
func (l *Logger) settle(ctx context.Context) error {
	if l.heads == nil {
		return nil
	}
	if err := l.repairAll(ctx); err != nil {
		return err
	}
	ahead := map[driver.Chain]found{}
	err := l.st.View(ctx, func(tx driver.Tx) error {
		chains, err := l.ownChains(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range chains {
			head, _, _ := l.heads.newest(c)
			end, err := l.stored(ctx, tx, c)
			if err != nil || end.seq < head.Seq {
				continue
			}
			if f, err := l.load(ctx, tx, c); err == nil && len(f.behind) > 0 {
				ahead[c] = f
			} else if err == nil {
				l.heads.whole(c)
			}
		}
		return nil
	})
	if err != nil || len(ahead) == 0 {
		return err
	}
	for c, f := range ahead {
		var carry redo
		for i := range f.behind {
			carry.addRow(&f.behind[i])
		}
		l.heads.stage(newHead(l.mac, c, f.end.seq, f.end.hash), carry)
	}
	return l.flush()
}

// repairAll puts back what chains of this logger lost.
func (l *Logger) repairAll(ctx context.Context) error {
	var short []driver.Chain
	err := l.st.View(ctx, func(tx driver.Tx) error {
		for _, c := range l.heads.chains() {
			if c.Epoch != l.epoch || c.Log() != l.node {
				continue
			}
			end, err := l.stored(ctx, tx, c)
			if head, _, _ := l.heads.newest(c); err == nil && end.seq < head.Seq {
				short = append(short, c)
			}
			if err != nil && !errors.Is(err, base.ErrAuditBroken) {
				return err
			}
		}
		return nil
	})
	for _, c := range short {
		if err := l.repair(ctx, c); err != nil && !errors.Is(err, base.ErrAuditBroken) {
			return err
		}
	}
	return err
}

// problemOf is a problem with a whole chain, or with the entry its text begins with.
func problemOf(c driver.Chain, what string) Problem {
	return Problem{App: c.App, Tenant: c.Tenant, Node: c.Node, Epoch: c.Epoch, What: strings.TrimSpace(what)}
}
