package merkle

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of a tree.
type Hash = tlog.Hash

// Leaf is the hash of a leaf that holds data.
func Leaf(data []byte) Hash { return tlog.RecordHash(data) }

// Tree is a growing tree, of which only the roots of the largest full subtrees are kept: as many as Size has bits set, the
// largest first. The zero value is the empty tree.
type Tree struct {
	Size  int64
	edges []Hash
}

// Add appends a leaf.
func (t *Tree) Add(leaf Hash) {
	t.edges = append(t.edges, leaf)
	for n := t.Size; n&1 == 1; n >>= 1 {
		last := len(t.edges) - 1
		t.edges[last-1] = tlog.NodeHash(t.edges[last-1], t.edges[last])
		t.edges = t.edges[:last]
	}
	t.Size++
}

// Root returns the tree's root; that of the empty tree is the hash of nothing.
func (t *Tree) Root() Hash {
	if t.Size == 0 {
		return Hash(sha256.Sum256(nil))
	}
	last := len(t.edges) - 1
	root := t.edges[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(t.edges[i], root)
	}
	return root
}

// Clone returns a copy that grows on its own.
func (t *Tree) Clone() Tree { return Tree{t.Size, append([]Hash(nil), t.edges...)} }

// Bytes returns the edges, for [Restore].
func (t *Tree) Bytes() []byte {
	b := make([]byte, 0, len(t.edges)*tlog.HashSize)
	for _, e := range t.edges {
		b = append(b, e[:]...)
	}
	return b
}

// Restore makes a tree of a size from its edges. It reports false if there are not as many as such a tree has. That they are
// the right ones shows in the root.
func Restore(size int64, edges []byte) (Tree, bool) {
	if size < 0 || len(edges) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return Tree{}, false
	}
	t := Tree{Size: size}
	for len(edges) > 0 {
		t.edges = append(t.edges, Hash(edges[:tlog.HashSize]))
		edges = edges[tlog.HashSize:]
	}
	return t, true
}

// Root returns the root over leaves.
func Root(leaves []Hash) Hash {
	var t Tree
	for _, l := range leaves {
		t.Add(l)
	}
	return t.Root()
}
