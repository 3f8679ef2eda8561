package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// maxLine bounds a line of an export; an entry has at most 256 details of 1 KiB.
const maxLine = 4 << 20

// VerifyExport checks a whole export ([Service.Export]) with nothing but checkpoints that were kept elsewhere and the public
// keys they are signed with: no store, no key of the server. It finds entries that were changed, taken out, put in, moved or
// cut off, and a chain whose end somebody with the database wrote anew, up to the newest checkpoint in the export. That
// checkpoint may not be older than the one that is held: then everything was put back to an earlier moment, or the export is
// from before. Entries beyond it are checked against each other only, and counted in Report.Entries and not in Report.Signed.
//
// The error is about the reading; what was found is in the report.
func VerifyExport(r io.Reader, held []Checkpoint, keys PublicKeys) (Report, error) {
	v := offline{keys: keys, held: newest(held), heldAll: held, chains: map[driver.Chain]*exportChain{}, report: Report{Problems: []Problem{}}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		if n++; len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := v.line(lines.Bytes()); err != nil {
			return v.report, fault.Wrap(fault.Invalid, err, "line %d of the export cannot be read", n).At(fault.Where{Position: fault.Position{Line: n}})
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return v.report, fault.New(fault.Invalid, "line %d of the export is longer than %d bytes", n+1, maxLine)
	} else if err != nil {
		return v.report, fault.Wrap(fault.Unavailable, err, "the export could not be read")
	}
	v.finish()
	return v.report, nil
}

// offline is a verification without a store.
type offline struct {
	keys    PublicKeys
	held    map[string]Checkpoint // by origin
	heldAll []Checkpoint
	chains  map[driver.Chain]*exportChain
	seals   []Seal
	report  Report
}

// exportChain is a chain as it goes by. The roots on its way are not known before the end of the export, so that a root is
// kept for each size at which a checkpoint could have been made: all of them, 32 bytes each.
type exportChain struct {
	walk  walker
	roots []merkle.Hash
	tree  merkle.Tree
	open  map[string]bool
	bad   bool
	began time.Time
}

// newChain is how long before a checkpoint a chain may have begun that is not in it: its first entry was on its way to the
// disk when the checkpoint was made.
const newChain = time.Minute

// line reads an entry or a seal; what is neither, and a field that is in neither, is an error.
func (v *offline) line(b []byte) error {
	var is struct {
		Checkpoint string `json:"checkpoint"`
	}
	if err := json.Unmarshal(b, &is); err != nil {
		return fault.New(fault.Invalid, "it is not a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if is.Checkpoint != "" {
		var s Seal
		if err := dec.Decode(&s); err != nil {
			return fault.New(fault.Invalid, "it is not the end of an export: %s", clean(err.Error(), maxText))
		}
		v.seals = append(v.seals, s)
		return nil
	}
	var l Line
	if err := dec.Decode(&l); err != nil {
		return fault.New(fault.Invalid, "it is not an audit entry: %s", clean(err.Error(), maxText))
	}
	v.entry(l)
	return nil
}

func (v *offline) problem(c driver.Chain, seq int64, id, format string, args ...any) {
	p := problemOf(c, fmt.Sprintf(format, args...))
	p.Seq, p.ID = seq, clean(id, 64)
	v.report.Problems = append(v.report.Problems, p)
}

func (v *offline) entry(l Line) {
	row := l.row()
	v.report.Entries++
	c := v.chains[row.Chain]
	if c == nil {
		c = &exportChain{walk: walker{unkeyed: true}, open: map[string]bool{}, began: l.CreatedAt}
		v.chains[row.Chain] = c
		v.report.Chains++
	}
	if c.bad {
		return
	}
	expected := c.walk.seq + 1
	what := c.walk.next(&row)
	if what == "" && l.Damaged {
		what = fmt.Sprintf("entry %d (%s) was changed", row.Seq, clean(row.ID, 64))
	}
	if what != "" {
		c.bad = true
		v.problem(row.Chain, min(expected, row.Seq), row.ID, "%s", what)
		return
	}
	c.tree.Add(merkle.Leaf(row.Hash))
	c.roots = append(c.roots, c.tree.Root())
	pair(c.open, &row)
}

// finish compares what went by with what was signed.
func (v *offline) finish() {
	sealed := map[driver.Chain]bool{}
	logs := map[string]Checkpoint{}
	for _, s := range v.seals {
		cp, err := v.keys.Check(s.Checkpoint)
		if err != nil {
			v.logProblem(cp, "the export ends with a checkpoint that is not signed by a key that is trusted here")
			continue
		}
		logs[cp.Origin()] = cp
		v.anchor(cp, s)
		for _, l := range s.Chains {
			sealed[l.chain()] = true
			v.link(cp, l)
		}
		v.every(cp, s)
	}
	for origin, h := range v.held {
		if logs[origin].Number == 0 {
			v.logProblem(h, "checkpoint %d is held, and the export has none of this log", h.Number)
		}
	}
	for c, have := range v.chains {
		v.report.Unfinished += int64(len(have.open))
		// A chain that is just beginning has no state yet.
		if cp := logs[origin(c.Log(), c.Epoch)]; !sealed[c] && !have.bad && (cp.Number == 0 || have.began.Before(cp.At.Add(-newChain))) {
			v.problem(c, 0, "", "no checkpoint in the export has this chain")
		}
	}
	if v.report.Entries == 0 && v.report.OK() {
		v.logProblem(Checkpoint{}, "the export holds no entry")
	}
	sortProblems(v.report.Problems)
}

func (v *offline) logProblem(c Checkpoint, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{Node: c.Node, Epoch: c.Epoch, What: fmt.Sprintf(format, args...)})
}

// anchor compares the checkpoint of the export with the one that is held.
func (v *offline) anchor(cp Checkpoint, s Seal) {
	h, have := v.held[cp.Origin()]
	if !have {
		v.logProblem(cp, "no checkpoint of this log is held: that the export is not older than it should be cannot be known")
		return
	}
	if checked, err := v.keys.Check(h.Text); err != nil {
		v.logProblem(cp, "checkpoint %d that is held is not signed by a key that is trusted here", h.Number)
		return
	} else if h = checked; h.Number == cp.Number && h.body() != cp.body() {
		v.logProblem(cp, "checkpoint %d in the export is not the one that is held", cp.Number)
	}
	if h.Number > cp.Number {
		v.logProblem(cp, "the export ends at checkpoint %d, and checkpoint %d is held: entries are missing at its end, or it was made before",
			cp.Number, h.Number)
	}
	if s.Continues == nil {
		return
	}
	for _, older := range v.heldAll {
		if older.Origin() == cp.Origin() && older.Number == s.Continues.From {
			if err := CheckContinues(older, cp, *s.Continues, v.keys); err != nil {
				v.logProblem(cp, "%s", err)
			}
		}
	}
}

// link compares one chain with the state that was signed.
func (v *offline) link(cp Checkpoint, l Link) {
	c, have := l.chain(), v.chains[l.chain()]
	switch {
	case !l.holds(cp):
		v.problem(c, 0, "", "the state of this chain is not under checkpoint %d", cp.Number)
	case have == nil:
		v.problem(c, 1, "", "the whole chain is missing: checkpoint %d has %d entries", cp.Number, l.Size)
	case have.bad:
	case have.tree.Size < l.Size:
		v.problem(c, have.tree.Size+1, "", "entries %d to %d are missing at the end: checkpoint %d has %d", have.tree.Size+1, l.Size, cp.Number, l.Size)
	case l.Size < 1 || have.roots[l.Size-1] != l.Root:
		v.problem(c, 0, "", "entries 1 to %d are not those that checkpoint %d signed: the chain was written anew", l.Size, cp.Number)
	default:
		v.report.Signed += l.Size
	}
}

// every makes sure that an export of all chains has all of them.
func (v *offline) every(cp Checkpoint, s Seal) {
	if s.Every && int64(len(s.Chains)) != cp.Chains {
		v.logProblem(cp, "checkpoint %d has %d chains, the export names %d", cp.Number, cp.Chains, len(s.Chains))
	}
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
}
