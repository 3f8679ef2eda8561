package memory

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/haywardhq/hayward/pipeline/document"
)

// Index holds the documents of one key, in the order they were written, with their postings and BM25 statistics.
type Index struct {
	key     Key
	journal Journal

	writing sync.Mutex // one write at a time, from its plan to its application
	nextSeq int64

	mu    sync.RWMutex // guards what follows; held for reading only to pick up slice headers and numbers
	slots []*slot      // append-only between compactions
	vocab map[string]*term
	byID  map[string]*slot
	stats stats
	gen   uint64 // grows with every write
	bytes atomic.Int64
	okapi atomic.Pointer[mean]
}

// stats are the numbers BM25 needs.
type stats struct {
	texts  int // documents whose content is not None
	avgLen float64
}

// add and remove keep the average as Haystack does, drift included.
func (s stats) add(length int) stats {
	s.texts++
	s.avgLen = (float64(length) + float64(s.avgLen*float64(s.texts-1))) / float64(s.texts)
	return s
}

func (s stats) remove(length int) stats {
	s.texts--
	if s.texts == 0 {
		return stats{}
	}
	s.avgLen = (float64(s.avgLen*float64(s.texts+1)) - float64(length)) / float64(s.texts)
	return s
}

// slot is the place of one document. It never moves while somebody may look at it.
type slot struct {
	doc    *document.Document
	length int      // tokens; -1 without a text
	terms  []*term  // distinct
	counts []uint32 // of terms
	at     int      // index in slots
	seq    int64
	regex  string
	died   atomic.Uint64 // the generation that removed it; 0 while it lives
}

func (s *slot) alive(gen uint64) bool { d := s.died.Load(); return d == 0 || d > gen }

// term is a word and where it stands.
type term struct {
	text  string
	docs  int // living documents that have it
	posts []posting
}

type posting struct {
	at    uint32 // slot
	count uint32
}

// snapshot is what a reader works on.
type snapshot struct {
	slots []*slot
	gen   uint64
	stats stats
}

func newIndex(key Key, j Journal) *Index {
	return &Index{key: key, journal: j, nextSeq: 1, vocab: map[string]*term{}, byID: map[string]*slot{}}
}

func (ix *Index) snapshot() snapshot {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return snapshot{ix.slots, ix.gen, ix.stats}
}

// all calls fn for the living documents, in order, until it returns false.
func (s snapshot) all(fn func(*slot) bool) {
	for _, sl := range s.slots {
		if sl.alive(s.gen) && !fn(sl) {
			return
		}
	}
}

// load fills an empty index from its journal.
func (ix *Index) load(ctx context.Context) error {
	tokenizers := map[string]tokenizer{}
	state, err := ix.journal.Load(ctx, ix.key, func(r Record) error {
		tok, ok := tokenizers[r.Tokenizer]
		if !ok {
			var err error
			if tok, err = newTokenizer(r.Tokenizer); err != nil {
				return err
			}
			tokenizers[r.Tokenizer] = tok
		}
		sl, words, err := newSlot(r.Document, tok)
		if err != nil {
			return err
		}
		sl.seq = r.Seq
		ix.insert(sl, words)
		return nil
	})
	if err != nil {
		return err
	}
	ix.stats.avgLen = state.AvgDocLen
	ix.nextSeq = max(1, state.NextSeq)
	return nil
}

// newSlot cuts a document's text; the words are interned when the slot is inserted.
func newSlot(doc *document.Document, tok tokenizer) (*slot, []string, error) {
	sl := &slot{doc: doc, length: -1, regex: tok.name}
	if doc.Content == nil {
		return sl, nil, nil
	}
	words, err := tok.tokens(*doc.Content)
	sl.length = len(words)
	return sl, words, err
}

// insert appends a slot. The caller holds mu, or is alone.
func (ix *Index) insert(sl *slot, words []string) {
	sl.at = len(ix.slots)
	ix.slots = append(ix.slots, sl)
	ix.byID[sl.doc.ID] = sl
	if sl.length >= 0 {
		ix.stats.texts++
	}
	counts := make(map[*term]uint32, len(words))
	for _, w := range words {
		t := ix.vocab[w]
		if t == nil {
			t = &term{text: w}
			ix.vocab[w] = t
		}
		if counts[t] == 0 {
			sl.terms = append(sl.terms, t)
		}
		counts[t]++
	}
	sl.counts = make([]uint32, len(sl.terms))
	for i, t := range sl.terms {
		sl.counts[i] = counts[t]
		t.docs++
		t.posts = append(t.posts, posting{uint32(sl.at), counts[t]})
	}
	ix.bytes.Add(weight(sl))
}

// remove marks a slot dead from the coming generation on. The caller holds mu.
func (ix *Index) remove(sl *slot, gen uint64) {
	sl.died.Store(gen)
	delete(ix.byID, sl.doc.ID)
	if sl.length >= 0 {
		ix.stats.texts--
	}
	for _, t := range sl.terms {
		if t.docs--; t.docs == 0 {
			delete(ix.vocab, t.text)
		}
	}
	ix.bytes.Add(-weight(sl))
}

// compact rebuilds slots and postings when most of them are dead. Snapshots keep what they have. The caller holds mu.
func (ix *Index) compact() {
	if dead := len(ix.slots) - len(ix.byID); dead < 1024 || dead < len(ix.byID) {
		return
	}
	old := ix.slots
	ix.slots = make([]*slot, 0, len(ix.byID))
	ix.vocab = make(map[string]*term, len(ix.vocab))
	for _, sl := range old {
		if sl.died.Load() == 0 {
			ix.move(sl)
		}
	}
}

// move appends a copy of a slot whose postings are made anew.
func (ix *Index) move(old *slot) {
	sl := &slot{doc: old.doc, length: old.length, seq: old.seq, regex: old.regex, counts: old.counts, at: len(ix.slots)}
	sl.terms = make([]*term, len(old.terms))
	for i, t := range old.terms {
		fresh := ix.vocab[t.text]
		if fresh == nil {
			fresh = &term{text: t.text}
			ix.vocab[t.text] = fresh
		}
		fresh.docs++
		fresh.posts = append(fresh.posts, posting{uint32(sl.at), sl.counts[i]})
		sl.terms[i] = fresh
	}
	ix.slots = append(ix.slots, sl)
	ix.byID[sl.doc.ID] = sl
}

// weight estimates the bytes a document takes in memory.
func weight(sl *slot) int64 {
	n := int64(600 + 16*len(sl.terms) + 8*len(sl.doc.Embedding))
	if sl.doc.Content != nil {
		n += int64(len(*sl.doc.Content))
	}
	if sl.doc.Blob != nil {
		n += int64(len(sl.doc.Blob.Data))
	}
	return n
}
