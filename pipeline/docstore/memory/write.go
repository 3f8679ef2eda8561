package memory

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
)

// plan is a write that has been thought through but not applied.
type plan struct {
	remove  []*slot // stored before
	insert  []entry // to be stored
	stats   stats
	written int
}

type entry struct {
	slot  *slot
	words []string
}

// write stores all of docs or none.
func (ix *Index) write(ctx context.Context, docs []*document.Document, policy docstore.Policy, tok tokenizer) (int, error) {
	entries := make([]entry, len(docs))
	for i, d := range docs {
		if d == nil {
			return 0, fault.New(fault.Invalid, "Please provide a list of Documents.").WithCode("ValueError")
		}
		sl, words, err := newSlot(d, tok) // before the lock: this is the long part
		if err != nil {
			return 0, err
		}
		entries[i] = entry{sl, words}
	}
	ix.writing.Lock()
	defer ix.writing.Unlock()
	p, err := ix.plan(entries, policy)
	if err != nil {
		return 0, err
	}
	return p.written, ix.commit(ctx, p)
}

// plan decides about every document as if those before it were stored already.
func (ix *Index) plan(entries []entry, policy docstore.Policy) (*plan, error) {
	p := &plan{stats: ix.stats, written: len(entries)}
	fresh := map[string]int{} // id -> place in p.insert
	for _, e := range entries {
		id := e.slot.doc.ID
		at, again := fresh[id]
		old := ix.byID[id]
		if again || old != nil {
			switch policy {
			case docstore.PolicySkip:
				p.written--
				continue
			case docstore.PolicyOverwrite:
			default:
				return nil, fault.New(fault.Conflict, "ID '%s' already exists.", id).WithCode("DuplicateDocumentError")
			}
		}
		switch {
		case again:
			p.forget(p.insert[at].slot)
			p.insert[at].slot = nil
		case old != nil:
			p.forget(old)
			p.remove = append(p.remove, old)
		}
		fresh[id] = len(p.insert)
		p.insert = append(p.insert, e)
		if e.slot.length >= 0 {
			p.stats = p.stats.add(e.slot.length)
		}
	}
	return p, nil
}

func (p *plan) forget(sl *slot) {
	if sl.length >= 0 {
		p.stats = p.stats.remove(sl.length)
	}
}

// delete removes the documents with these ids.
func (ix *Index) delete(ctx context.Context, ids []string) error {
	ix.writing.Lock()
	defer ix.writing.Unlock()
	p := &plan{stats: ix.stats}
	seen := map[string]bool{}
	for _, id := range ids {
		if sl := ix.byID[id]; sl != nil && !seen[id] {
			seen[id] = true
			p.forget(sl)
			p.remove = append(p.remove, sl)
		}
	}
	return ix.commit(ctx, p)
}

// commit makes a plan durable, then visible. The caller holds writing.
func (ix *Index) commit(ctx context.Context, p *plan) error {
	change := Change{AvgDocLen: p.stats.avgLen}
	next := ix.nextSeq
	for _, sl := range p.remove {
		change.Delete = append(change.Delete, sl.doc.ID)
	}
	for _, e := range p.insert {
		if e.slot != nil {
			e.slot.seq = next
			change.Put = append(change.Put, Record{Seq: next, Document: e.slot.doc, Tokenizer: e.slot.regex})
			next++
		}
	}
	if len(change.Delete)+len(change.Put) == 0 {
		return nil
	}
	change.NextSeq = next
	if err := ix.journal.Commit(ctx, ix.key, change); err != nil {
		return err
	}
	ix.nextSeq = next
	ix.apply(p)
	return nil
}

func (ix *Index) apply(p *plan) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	gen := ix.gen + 1
	for _, sl := range p.remove {
		ix.remove(sl, gen)
	}
	for _, e := range p.insert {
		if e.slot != nil {
			ix.insert(e.slot, e.words)
		}
	}
	ix.stats = p.stats
	ix.gen = gen
	ix.compact()
}
