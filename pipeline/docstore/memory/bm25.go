package memory

import (
	"math"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/filter"
	"github.com/haywardhq/hayward/pipeline/document"
)

// bm25Scale is the divisor of scaled BM25 scores.
const bm25Scale = 8

// found is a term of the query as a snapshot holds it.
type found struct {
	docs  int
	posts []posting
}

// lookup takes a snapshot together with the postings of the query's terms, each term once, in the order of the query.
func (ix *Index) lookup(words []string) (snapshot, []found) {
	seen := make(map[string]bool, len(words))
	terms := make([]found, 0, len(words))
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for _, w := range words {
		if seen[w] {
			continue
		}
		seen[w] = true
		if t := ix.vocab[w]; t != nil {
			terms = append(terms, found{t.docs, t.posts})
		}
	}
	return snapshot{ix.slots, ix.gen, ix.stats}, terms
}

func (s *Store) bm25(ix *Index, q docstore.BM25Query) ([]*document.Document, error) {
	if q.Query == "" {
		return nil, fault.New(fault.Invalid, "Query should be a non-empty string").WithCode("ValueError")
	}
	if q.Filters.Len() > 0 {
		if _, ok := q.Filters.Get("operator"); !ok {
			return nil, invalidFilters()
		}
	}
	words, err := s.params.tokenizer.tokens(q.Query)
	if err != nil {
		return nil, err
	}
	snap, terms := ix.lookup(words)
	acc := accumulators.Get().(*accumulator)
	defer acc.release()
	acc.grow(len(snap.slots))
	if snap.stats.avgLen != 0 {
		s.params.score(ix, snap, terms, acc)
	}
	keep, err := candidates(snap, acc, filter.Compile(q.Filters, s.params.strict), s.params.algorithm == Okapi)
	if err != nil {
		return nil, err
	}
	return s.scored(snap, best(acc.scores, keep, q.TopK), acc.scores, q.ScaleScore), nil
}

func invalidFilters() error {
	return fault.New(fault.Invalid,
		"Invalid filter syntax. See https://docs.haystack.deepset.ai/docs/metadata-filtering for details.").WithCode("ValueError")
}

// candidates returns the slots that may be in the answer: Okapi ranks every text, the others drop what scores nothing.
// A filter that can fail is asked about every text, because in Haystack one such document fails the query.
func candidates(snap snapshot, acc *accumulator, f *filter.Filter, everyText bool) ([]uint32, error) {
	if !everyText && f.Total() {
		keep := acc.keep[:0]
		for _, at := range acc.touched {
			if acc.scores[at] > 0 {
				if ok, _ := f.Matches(snap.slots[at].doc); ok {
					keep = append(keep, at)
				}
			}
		}
		acc.keep = keep
		return keep, nil
	}
	keep := acc.keep[:0]
	var failed error
	snap.all(func(sl *slot) bool {
		if sl.length < 0 {
			return true
		}
		ok, err := f.Matches(sl.doc)
		if failed = err; err == nil && ok && (everyText || acc.scores[sl.at] > 0) {
			keep = append(keep, uint32(sl.at))
		}
		return err == nil
	})
	acc.keep = keep
	return keep, failed
}

// score adds up, term by term, in the order Haystack adds.
func (p *params) score(ix *Index, snap snapshot, terms []found, acc *accumulator) {
	weight := p.weights(ix, snap)
	for _, t := range terms {
		idf := weight(t.docs)
		for _, post := range t.posts {
			sl := snap.at(post.at)
			if sl == nil || !sl.alive(snap.gen) {
				continue
			}
			acc.add(post.at, float64(idf*p.frequency(float64(post.count), float64(sl.length), snap.stats.avgLen)))
		}
	}
}

// at returns a slot that the snapshot can see.
func (s snapshot) at(i uint32) *slot {
	if int(i) >= len(s.slots) {
		return nil
	}
	return s.slots[i]
}

// weights returns the inverse document frequency of a term that n texts have, n > 0.
func (p *params) weights(ix *Index, snap snapshot) func(n int) float64 {
	total := float64(snap.stats.texts)
	switch p.algorithm {
	case Okapi:
		floor := 0.0
		known := false
		return func(n int) float64 {
			idf := okapiWeight(total, n)
			if idf >= 0 {
				return idf
			}
			if !known {
				floor, known = ix.meanWeight(snap).times(p.epsilon), true
			}
			return floor
		}
	case Plus:
		return func(n int) float64 { return log(1 + (total-float64(n)+0.5)/(float64(n)+0.5)) }
	}
	return func(n int) float64 { return log((total + 1) / (float64(n) + 0.5)) }
}

func okapiWeight(total float64, n int) float64 {
	return log((total - float64(n) + 0.5) / (float64(n) + 0.5))
}

// mean holds what Okapi's mean weight is made of at one generation.
type mean struct {
	gen   uint64
	sum   float64
	terms int
}

// times returns factor times the mean, multiplied before it is divided, as in Haystack.
func (m *mean) times(factor float64) float64 {
	if m.terms == 0 {
		return 0
	}
	return factor * m.sum / float64(m.terms)
}

// meanWeight is the sum of Okapi's weights over the vocabulary, added up in the order in which the living documents
// bring the words: rounding depends on it, and it is Haystack's own order as far as Haystack has one (words of one
// document come out of a set). It is computed once per generation.
func (ix *Index) meanWeight(snap snapshot) *mean {
	if m := ix.okapi.Load(); m != nil && m.gen == snap.gen {
		return m
	}
	m := &mean{gen: snap.gen}
	ix.mu.RLock()
	snap.all(func(sl *slot) bool {
		for _, t := range sl.terms {
			if t.firstIn(snap) == sl.at {
				m.sum += okapiWeight(float64(snap.stats.texts), t.docs)
				m.terms++
			}
		}
		return true
	})
	current := ix.gen == snap.gen
	ix.mu.RUnlock()
	if current {
		ix.okapi.Store(m)
	}
	return m
}

// firstIn returns the first living slot that has the term.
func (t *term) firstIn(snap snapshot) int {
	for _, p := range t.posts {
		if sl := snap.at(p.at); sl != nil && sl.alive(snap.gen) {
			return sl.at
		}
	}
	return -1
}

// frequency is the term frequency part, for a term that stands f > 0 times in a text of the given length. The explicit
// conversions keep the compiler from fusing a product with a sum, which would round differently.
func (p *params) frequency(f, length, avg float64) float64 {
	norm := 1 - p.b + float64(p.b*length)/avg
	switch p.algorithm {
	case L:
		ctd := f / norm
		return float64((1+p.k1)*(ctd+p.delta)) / (p.k1 + ctd + p.delta)
	case Plus:
		return float64(f*(1+p.k1))/(f+float64(p.k1*norm)) + p.delta
	}
	return float64(f*(1+p.k1)) / (f + float64(p.k1*norm))
}

// scored makes the documents of an answer.
func (s *Store) scored(snap snapshot, ranked []uint32, scores []float64, scale bool) []*document.Document {
	out := make([]*document.Document, len(ranked))
	for i, at := range ranked {
		score := scores[at]
		if scale {
			score = expit(score / bm25Scale)
		}
		doc := *snap.slots[at].doc
		doc.Score = &score
		if !s.params.returnEmbedding {
			doc.Embedding = nil
		}
		out[i] = &doc
	}
	return out
}

func expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// accumulator holds one score per slot. They are pooled: a query touches few of them, and only those are cleared.
type accumulator struct {
	scores  []float64
	seen    []bool
	touched []uint32
	keep    []uint32
}

var accumulators = sync.Pool{New: func() any { return new(accumulator) }}

func (a *accumulator) grow(n int) {
	if len(a.scores) < n {
		a.scores, a.seen = make([]float64, n+n/4), make([]bool, n+n/4)
	}
}

func (a *accumulator) add(at uint32, score float64) {
	if !a.seen[at] {
		a.seen[at] = true
		a.touched = append(a.touched, at)
	}
	a.scores[at] += score
}

func (a *accumulator) release() {
	for _, at := range a.touched {
		a.scores[at], a.seen[at] = 0, false
	}
	a.touched, a.keep = a.touched[:0], a.keep[:0]
	accumulators.Put(a)
}
