package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Held is what is known about the record outside its store.
type Held struct {
	Keys        PublicKeys   // that checkpoints may be signed with
	Checkpoints []Checkpoint // of the checkpoint file, and whatever else somebody kept
	Path        string       // of the checkpoint file, for people; empty: there is none to look at
	Missing     bool         // that file does not exist
}

// ReadHeld reads a checkpoint file for [Verify].
func ReadHeld(path string, keys PublicKeys) (Held, error) {
	list, _, err := ReadJournal(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Held{Keys: keys, Path: path, Missing: true}, nil
	}
	return Held{Keys: keys, Checkpoints: list, Path: path}, err
}

func (v *verifier) logProblem(node string, epoch int64, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{Node: node, Epoch: epoch, What: fmt.Sprintf(format, args...)})
}

// logs checks the checkpoints of the store against each other, against the trees they signed and against those held, and
// remembers the trees for the walk through the chains.
func (v *verifier) logs(ctx context.Context, tx driver.Tx, h Held) error {
	rows, err := tx.AuditLogsEverywhere(ctx)
	if err != nil {
		return err
	}
	held := map[string]map[int64]Checkpoint{}
	for _, c := range h.Checkpoints {
		if _, err := h.Keys.open(c.Text); err != nil {
			v.logProblem(c.Node, c.Epoch, "checkpoint %d that is held is not signed by a key that is trusted here", c.Number)
			continue
		}
		if held[c.Origin()] == nil {
			held[c.Origin()] = map[int64]Checkpoint{}
		}
		held[c.Origin()][c.Number] = c
	}
	for _, row := range rows {
		if err := v.log(ctx, tx, h, row, held[origin(row.Node, row.Epoch)]); err != nil {
			return err
		}
		delete(held, origin(row.Node, row.Epoch))
	}
	for _, name := range slices.Sorted(maps.Keys(held)) {
		c := held[name][slices.Max(slices.Collect(maps.Keys(held[name])))]
		v.logProblem(c.Node, c.Epoch, "checkpoint %d is held, and the store has none: an older database was put in its place", c.Number)
	}
	return nil
}

// log checks one log, of which row is the newest checkpoint.
func (v *verifier) log(ctx context.Context, tx driver.Tx, h Held, row driver.AuditCheckpointRow, held map[int64]Checkpoint) error {
	last, err := h.Keys.Check(row.Note)
	if err != nil || last.Origin() != origin(row.Node, row.Epoch) || last.Number != row.Number {
		v.logProblem(row.Node, row.Epoch, "checkpoint %d in the store is not one that was signed for this log", row.Number)
		return nil
	}
	if h.Missing && last.Number > 1 {
		v.logProblem(row.Node, row.Epoch, "the checkpoint file %s is missing", h.Path)
		v.report.Problems[len(v.report.Problems)-1].File = CheckpointFile
	}
	var tree merkle.Tree
	what := ""
	err = tx.ScanAuditCheckpointsEverywhere(ctx, row.Node, row.Epoch, 0, func(r driver.AuditCheckpointRow) error {
		if what == "" {
			what = follows(&tree, r, held)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n := range held {
		if n > last.Number && what == "" {
			what = fmt.Sprintf("checkpoint %d is held, the store knows only %d: an older database was put in its place",
				slices.Max(slices.Collect(maps.Keys(held))), last.Number)
		}
	}
	if what != "" {
		v.logProblem(row.Node, row.Epoch, "%s", what)
		return nil
	}
	return v.signedTrees(ctx, tx, last)
}

// follows returns what is wrong with the next checkpoint of a log, or "".
func follows(tree *merkle.Tree, r driver.AuditCheckpointRow, held map[int64]Checkpoint) string {
	c, err := ParseCheckpoint(r.Note)
	switch {
	case r.Number != tree.Size+1:
		return fmt.Sprintf("checkpoints %d to %d are missing", tree.Size+1, r.Number-1)
	case err != nil || c.Number != r.Number || c.Origin() != origin(r.Node, r.Epoch):
		return fmt.Sprintf("checkpoint %d was changed", r.Number)
	}
	tree.Add(c.leaf())
	if tree.Root() != c.Root {
		return fmt.Sprintf("checkpoint %d does not continue the one before", r.Number)
	}
	if have, ok := held[r.Number]; ok && have.body() != c.body() {
		return fmt.Sprintf("checkpoint %d in the store is not the one that is held", r.Number)
	}
	return ""
}

// signedTrees makes sure that the trees in the store are those a checkpoint signed.
func (v *verifier) signedTrees(ctx context.Context, tx driver.Tx, cp Checkpoint) error {
	trees, err := tx.AuditTreesEverywhere(ctx, cp.Node, cp.Epoch, cp.Number)
	if err != nil {
		return err
	}
	if stateRoot(trees) != cp.Snapshot || int64(len(trees)) != cp.Chains {
		v.logProblem(cp.Node, cp.Epoch, "the trees of the chains are not those that checkpoint %d signed", cp.Number)
		return nil
	}
	for _, t := range trees {
		v.trees[t.Chain] = t
	}
	return nil
}

// stateRoot is the root over states as they are stored, ordered by chain.
func stateRoot(trees []driver.AuditTreeRow) merkle.Hash { return merkle.Root(stateLeaves(trees)) }

func stateLeaves(trees []driver.AuditTreeRow) []merkle.Hash {
	out := make([]merkle.Hash, len(trees))
	for i, t := range trees {
		var root merkle.Hash
		copy(root[:], t.Root)
		out[i] = stateLeaf(t.Chain, t.Size, root)
	}
	return out
}
