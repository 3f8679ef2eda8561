package pyyaml

import "sync"

// desk is the room in which a document is put together. What lies on it is gone when the document is made, so that the
// next document can use it; longer documents take more room of their own. A desk is wiped before it is left.
type desk struct {
	nodes  [256]node
	tokens [64]token
	keys   [16]simpleKey
	items  [64]*node
	pairs  [64]pair
	placed [256]pair // the entries of mappings that are read
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// sit gives the composer its room.
func (c *composer) sit(d *desk) {
	c.tokens, c.keys = d.tokens[:0], d.keys[:1]
	c.room, c.items, c.pairs, c.placed = d.nodes[:], d.items[:0], d.pairs[:0], d.placed[:0]
}

// leave wipes the desk and hands it on.
func (d *desk) leave(made int) {
	d.wipe(made)
	desks.Put(d)
}

// wipe empties what a document of so many nodes used.
func (d *desk) wipe(made int) {
	clear(d.nodes[:min(made, len(d.nodes))])
	clear(d.tokens[:])
	clear(d.keys[:])
	clear(d.items[:])
	clear(d.pairs[:])
	clear(d.placed[:min(made, len(d.placed))])
}
