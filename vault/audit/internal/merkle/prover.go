package merkle

import "golang.org/x/mod/sumdb/tlog"

// Prover makes a proof while the leaves of a tree go by, in order, from the first to the last.
type Prover struct {
	spans []*span // in the order of the proof
	next  int64
	size  int64
}

// span is a subtree [from, to) whose root is part of the proof.
type span struct {
	from, to int64
	tree     Tree
}

// Inclusion makes a proof that the leaf n (from 0) is in the tree of a size: PATH of RFC 6962, section 2.1.1.
func Inclusion(n, size int64) *Prover {
	p := &Prover{size: size}
	p.path(n, 0, size)
	return p
}

// Consistency makes a proof that the tree of a size begins with the leaves of the tree of the size old: PROOF of RFC 6962,
// section 2.1.2. The empty tree needs none.
func Consistency(old, size int64) *Prover {
	p := &Prover{size: size}
	if old > 0 {
		p.sub(old, 0, size, true)
	}
	return p
}

func (p *Prover) path(n, from, to int64) {
	if to-from <= 1 {
		return
	}
	mid := from + split(to-from)
	if n < mid {
		p.path(n, from, mid)
		p.add(mid, to)
	} else {
		p.path(n, mid, to)
		p.add(from, mid)
	}
}

func (p *Prover) sub(old, from, to int64, whole bool) {
	if old == to {
		if !whole {
			p.add(from, to)
		}
		return
	}
	mid := from + split(to-from)
	if old <= mid {
		p.sub(old, from, mid, whole)
		p.add(mid, to)
	} else {
		p.sub(old, mid, to, false)
		p.add(from, mid)
	}
}

func (p *Prover) add(from, to int64) { p.spans = append(p.spans, &span{from: from, to: to}) }

// split is the largest power of two below n.
func split(n int64) int64 {
	k := int64(1)
	for k<<1 < n {
		k <<= 1
	}
	return k
}

// Add takes the next leaf.
func (p *Prover) Add(leaf Hash) {
	for _, s := range p.spans {
		if s.from <= p.next && p.next < s.to {
			s.tree.Add(leaf)
			break
		}
	}
	p.next++
}

// Proof returns the proof. It reports false unless exactly the leaves of the tree went by.
func (p *Prover) Proof() ([]Hash, bool) {
	if p.next != p.size {
		return nil, false
	}
	out := make([]Hash, len(p.spans))
	for i, s := range p.spans {
		out[i] = s.tree.Root()
	}
	return out, true
}

// CheckInclusion reports whether proof shows that leaf is number n (from 0) in the tree of a size with a root.
func CheckInclusion(proof []Hash, size int64, root Hash, n int64, leaf Hash) bool {
	return 0 <= n && n < size && tlog.CheckRecord(proof, size, root, n, leaf) == nil
}

// CheckConsistency reports whether proof shows that the tree of a size continues the tree of the size old.
func CheckConsistency(proof []Hash, size int64, root Hash, old int64, oldRoot Hash) bool {
	switch {
	case old < 0 || old > size:
		return false
	case old == 0:
		var none Tree
		return len(proof) == 0 && oldRoot == none.Root()
	}
	return tlog.CheckTree(proof, size, root, old, oldRoot) == nil
}
