package audit

import (
	"bytes"
	"context"
	"fmt"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Problem is the first thing wrong with a chain.
type Problem struct {
	App    string `json:"app"`
	Tenant string `json:"tenant"`
	Node   string `json:"node"`
	Epoch  int64  `json:"epoch"`
	Seq    int64  `json:"seq"`          // the entry it is about; 0 when it is about the whole chain
	ID     string `json:"id,omitempty"` // that entry's id, where there is one
	// File is set when nothing is wrong but with a file beside the database, or with its place: [HeadFile] or [CheckpointFile].
	File string `json:"file,omitempty"`
	What string `json:"what"`
}

// The files beside the database.
const (
	HeadFile       = "head file"
	CheckpointFile = "checkpoint file"
)

// String names the chain and the entry.
func (p Problem) String() string {
	if p.App == "" {
		return fmt.Sprintf("node %s, epoch %d: %s", Display(p.Node), p.Epoch, p.What)
	}
	return fmt.Sprintf("app %s, tenant %s, node %s, epoch %d: %s", Display(p.App), Display(p.Tenant), Display(p.Node), p.Epoch, p.What)
}

// Report is what a verification found.
type Report struct {
	Chains     int       `json:"chains"`
	Entries    int64     `json:"entries"`
	Unfinished int64     `json:"unfinished"` // first entries without a second: under way, or cut short by a crash
	Ahead      int64     `json:"ahead"`      // entries the head file does not know yet; legal after a crash
	Carried    int64     `json:"carried"`    // entries that only the head file has yet; legal after a crash, the server adds them when it starts
	Signed     int64     `json:"signed"`     // entries under a checkpoint
	Problems   []Problem `json:"problems"`
}

// OK reports whether nothing is wrong.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Err returns nil, or a fault that names the first problem.
func (r Report) Err() error {
	if r.OK() {
		return nil
	}
	more := ""
	if n := len(r.Problems) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fault.Wrap(fault.Failed, base.ErrAuditBroken,
		"the audit record was changed: %s%s", r.Problems[0], more).WithCode("AuditBroken")
}

// Verify checks every chain of the store, and names the first bad entry of each: one that was changed, moved, put in or
// taken out, an end that was cut off, a chain that is gone. heads must have been read with [ReadHeads] before the call, so
// that a server may go on writing meanwhile; nil leaves out what only the head file shows. m must be the MAC that the
// entries were written with. The error is about the work of verifying; what was found is in the report.
//
// What is held are the checkpoints known outside the store: those of the checkpoint file, a copy that somebody kept. With
// them it also finds that store and head file were put back together, and a head file that was emptied.
func Verify(ctx context.Context, st driver.Store, heads *HeadSet, m func(data []byte) []byte, held ...Held) (Report, error) {
	var v verifier
	v.mac, v.heads, v.trees = m, heads, map[driver.Chain]driver.AuditTreeRow{}
	err := st.View(ctx, func(tx driver.Tx) error {
		for _, h := range held {
			if err := v.logs(ctx, tx, h); err != nil {
				return err
			}
		}
		chains, err := tx.AuditChainsEverywhere(ctx)
		if err != nil {
			return err
		}
		for _, c := range chains {
			v.newest = max(v.newest, c.Epoch)
		}
		for _, c := range chains {
			if err := v.chain(ctx, tx, c); err != nil {
				return err
			}
		}
		v.lostChains(chains)
		return nil
	})
	if v.report.Problems == nil {
		v.report.Problems = []Problem{}
	}
	return v.report, err
}

type verifier struct {
	mac    mac
	heads  *HeadSet
	trees  map[driver.Chain]driver.AuditTreeRow // as the newest checkpoints have them
	newest int64                                // epoch
	report Report
}

func (v *verifier) problem(c driver.Chain, seq int64, id, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{App: c.App, Tenant: c.Tenant, Node: c.Node, Epoch: c.Epoch, Seq: seq,
		ID: clean(id, 64), What: fmt.Sprintf(format, args...)})
}

// headFile is problem for what only the head file is to blame for.
func (v *verifier) headFile(c driver.Chain, seq int64, format string, args ...any) {
	v.problem(c, seq, "", "the head file "+format, args...)
	v.report.Problems[len(v.report.Problems)-1].File = HeadFile
}

// chain walks one chain to its end or its first bad entry.
func (v *verifier) chain(ctx context.Context, tx driver.Tx, c driver.Chain) error {
	v.report.Chains++
	w := walker{mac: v.mac}
	head, signed, tree := v.head(c), v.trees[c], merkle.Tree{}
	open := map[string]bool{}
	bad := false
	err := tx.ScanAudit(ctx, c, minSeq, func(r driver.AuditRow) error {
		v.report.Entries++
		if bad {
			return nil
		}
		expected := w.seq + 1
		if what := w.next(&r); what != "" {
			bad = true
			if r.Seq > expected { // it is about entries that are not there
				r.ID = ""
			}
			v.problem(c, min(expected, r.Seq), r.ID, "%s", what)
			return nil
		}
		if r.Seq == head.Seq && !bytes.Equal(r.Hash, head.Hash) {
			bad = true
			v.problem(c, r.Seq, r.ID,
				"entry %d (%s) is not the one the head file knows: the chain was written anew", r.Seq, clean(r.ID, 64))
			return nil
		}
		if tree.Size < signed.Size {
			tree.Add(merkle.Leaf(r.Hash))
			if root := tree.Root(); tree.Size == signed.Size && !bytes.Equal(root[:], signed.Root) {
				bad = true
				v.problem(c, 0, "", "entries 1 to %d are not those that checkpoint %d signed: the chain was written anew", tree.Size, signed.Number)
				return nil
			}
			v.report.Signed++
		}
		pair(open, &r)
		return nil
	})
	v.report.Unfinished += int64(len(open))
	if err != nil || bad {
		return err
	}
	v.end(c, tail{w.seq, w.hash}, head)
	return nil
}

// minSeq is below every number an entry can have, so that forged numbers are seen too.
const minSeq = -1 << 63

func pair(open map[string]bool, r *driver.AuditRow) {
	if r.Outcome == string(Begun) {
		open[r.ID] = true
	}
	delete(open, r.Ref)
}

func (v *verifier) head(c driver.Chain) Head {
	if v.heads == nil {
		return Head{}
	}
	return v.heads.heads[c]
}

// end compares the last good entry with the head file.
func (v *verifier) end(c driver.Chain, end tail, head Head) {
	last := end.seq
	switch signed := v.trees[c]; {
	case last < signed.Size:
		v.problem(c, last+1, "", "entries %d to %d are missing at the end: checkpoint %d has %d", last+1, signed.Size, signed.Number, signed.Size)
	case v.heads == nil, v.heads.Node != "" && v.heads.Node != c.Log():
	case v.heads.Missing:
		v.headFile(c, 0, "%s is missing, so that a cut-off end would not show", v.heads.Path)
	case head.Seq > 0 && !head.authentic(v.mac):
		v.problem(c, head.Seq, "", "its line in the head file %s was not written by this server", v.heads.Path)
	case head.Seq < signed.Size && head.Seq < last:
		v.headFile(c, head.Seq+1, "%s knows %d entries, checkpoint %d has %d: an older head file was put in its place",
			v.heads.Path, head.Seq, signed.Number, signed.Size)
	case head.Seq > last && v.aloft(c, end, head):
		v.report.Carried += head.Seq - last
	case head.Seq > last:
		v.problem(c, last+1, "", "entries %d to %d are missing at the end: the head file knows entry %d%s", last+1, head.Seq, head.Seq, v.carried(c, last, head))
	case last-head.Seq > MaxAhead:
		v.headFile(c, head.Seq+1, "%s is %d entries behind: an older one was put in its place", v.heads.Path, last-head.Seq)
	case last > head.Seq && c.Epoch < v.newest:
		v.headFile(c, head.Seq+1, "%s does not know entries %d to %d of an epoch that is over", v.heads.Path, head.Seq+1, last)
	default:
		v.report.Ahead += last - head.Seq
	}
}

// lostChains finds chains that the head file or a checkpoint knows and the store does not.
func (v *verifier) lostChains(have []driver.Chain) {
	known := make(map[driver.Chain]bool, len(have))
	for _, c := range have {
		known[c] = true
	}
	lost := map[driver.Chain]string{}
	for c, tree := range v.trees {
		if !known[c] {
			lost[c] = fmt.Sprintf("checkpoint %d has %d entries", tree.Number, tree.Size)
		}
	}
	if v.heads != nil {
		for c, head := range v.heads.heads {
			if !known[c] {
				lost[c] = fmt.Sprintf("the head file knows %d entries", head.Seq)
			}
		}
	}
	for _, c := range sortedChains(lost) {
		v.problem(c, 1, "", "the whole chain is missing: %s", lost[c])
	}
}

// carried says that the head file has what is missing, where it does.
func (v *verifier) carried(c driver.Chain, last int64, head Head) string {
	if head.Seq-int64(len(v.heads.redo[c])) > last {
		return ""
	}
	return " and holds them; after a loss of power they are put back when the server starts"
}

// aloft reports whether what is missing at the end of a chain is what a server may have been about to commit.
func (v *verifier) aloft(c driver.Chain, end tail, head Head) bool {
	return head.Seq-end.seq <= int64(v.heads.aloft[c]) && redone(v.mac, end, head, v.heads.redo[c]) != nil
}
