package merkle

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func leaves(n int64) []Hash {
	out := make([]Hash, n)
	for i := range out {
		out[i] = Leaf(fmt.Appendf(nil, "leaf %d", i))
	}
	return out
}

// stored is the other implementation: every hash of the tree, by its index.
type stored []Hash

func (s *stored) ReadHashes(at []int64) ([]Hash, error) {
	out := make([]Hash, len(at))
	for i, n := range at {
		out[i] = (*s)[n]
	}
	return out, nil
}

func (s *stored) add(t testing.TB, n int64, leaf Hash) {
	t.Helper()
	more, err := tlog.StoredHashesForRecordHash(n, leaf, s)
	if err != nil {
		t.Fatal(err)
	}
	*s = append(*s, more...)
}

// TestTreesAreThoseOfTlog compares every size up to 70 with the implementation that keeps all hashes.
func TestTreesAreThoseOfTlog(t *testing.T) {
	var all stored
	var tree Tree
	for n, leaf := range leaves(70) {
		all.add(t, int64(n), leaf)
		tree.Add(leaf)
		size := int64(n) + 1
		want, err := tlog.TreeHash(size, &all)
		if err != nil || tree.Root() != want {
			t.Fatalf("size %d: root %v, want %v, %v", size, tree.Root(), want, err)
		}
		back, ok := Restore(size, tree.Bytes())
		if !ok || back.Root() != want {
			t.Fatalf("size %d does not survive its bytes", size)
		}
		for m := range size {
			checkProofs(t, &all, m, size, want)
		}
	}
}

func checkProofs(t *testing.T, all *stored, m, size int64, root Hash) {
	t.Helper()
	got := run(t, Inclusion(m, size), size)
	want, err := tlog.ProveRecord(size, m, all)
	if err != nil || !slices.Equal(got, want) || !CheckInclusion(got, size, root, m, leaves(size)[m]) {
		t.Fatalf("leaf %d of %d: %v, want %v, %v", m, size, got, want, err)
	}
	if CheckInclusion(got, size, root, m, Leaf([]byte("another"))) {
		t.Fatalf("leaf %d of %d: another leaf passes", m, size)
	}
	if m == 0 {
		return
	}
	got = run(t, Consistency(m, size), size)
	steps, err := tlog.ProveTree(size, m, all)
	if err != nil || !slices.Equal(got, []Hash(steps)) || !CheckConsistency(got, size, root, m, Root(leaves(m))) {
		t.Fatalf("%d to %d: %v, want %v, %v", m, size, got, steps, err)
	}
	if CheckConsistency(got, size, root, m, Root(leaves(m+1))) {
		t.Fatalf("%d to %d: another tree passes", m, size)
	}
}

func run(t testing.TB, p *Prover, size int64) []Hash {
	t.Helper()
	for _, l := range leaves(size) {
		p.Add(l)
	}
	proof, ok := p.Proof()
	if !ok {
		t.Fatal("the proof is not whole")
	}
	return proof
}

func TestEdgesOfProofs(t *testing.T) {
	var empty Tree
	if Root(nil) != empty.Root() {
		t.Error("the empty tree has two roots")
	}
	if !CheckConsistency(nil, 3, Root(leaves(3)), 0, empty.Root()) || CheckConsistency(nil, 3, Root(leaves(3)), 0, Root(leaves(1))) {
		t.Error("everything continues the empty tree, and nothing else of the size 0")
	}
	if !CheckConsistency(nil, 3, Root(leaves(3)), 3, Root(leaves(3))) || CheckConsistency(nil, 3, Root(leaves(3)), 3, Root(leaves(2))) {
		t.Error("a tree continues itself")
	}
	for _, n := range []int64{-1, 3, 4} {
		if CheckInclusion(nil, 3, Root(leaves(3)), n, leaves(1)[0]) || (n != 3 && CheckConsistency(nil, 3, Root(leaves(3)), n, Root(nil))) {
			t.Errorf("%d of 3 passes", n)
		}
	}
	p := Inclusion(0, 3)
	p.Add(leaves(1)[0])
	if _, ok := p.Proof(); ok {
		t.Error("a proof without all leaves")
	}
	for size, b := range map[int64][]byte{-1: nil, 0: make([]byte, 32), 1: nil, 2: make([]byte, 31), 3: make([]byte, 32)} {
		if _, ok := Restore(size, b); ok {
			t.Errorf("a tree of the size %d from %d bytes", size, len(b))
		}
	}
}

func TestProofsOfAnySize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 5000).Draw(t, "size")
		n := rapid.Int64Range(0, size-1).Draw(t, "leaf")
		all := leaves(size)
		in, con := Inclusion(n, size), Consistency(n, size)
		var tree, old Tree
		for i, l := range all {
			in.Add(l)
			con.Add(l)
			if tree.Add(l); int64(i) < n {
				old.Add(l)
			}
		}
		proof, _ := in.Proof()
		steps, _ := con.Proof()
		if !CheckInclusion(proof, size, tree.Root(), n, all[n]) || !CheckConsistency(steps, size, tree.Root(), n, old.Root()) {
			t.Fatal("a proof does not hold")
		}
		clone := tree.Clone()
		tree.Add(all[0])
		if clone.Root() == tree.Root() || bytes.Equal(clone.Bytes(), tree.Bytes()) {
			t.Fatal("a copy grows with the tree")
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	leaf := leaves(1)[0]
	var t Tree
	b.ReportAllocs()
	for b.Loop() {
		t.Add(leaf)
	}
}
