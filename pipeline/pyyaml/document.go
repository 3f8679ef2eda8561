package pyyaml

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Kind is the sort of a [Node].
type Kind uint8

// The sorts of nodes.
const (
	Scalar Kind = iota
	Sequence
	Mapping
)

// Node is a value with its place in the file.
type Node struct {
	Kind  Kind
	Value value.Value
	Pos   fault.Position // where the value begins
	// Keys and Items belong together in a mapping, in the order of the file, merged entries first; of two equal keys the
	// last one counts. A sequence has Items alone.
	Keys  []*Node
	Items []*Node
}

// Document is one loaded YAML document.
type Document struct {
	// Root is the outermost node; nil if the file holds no document.
	Root *Node
	file string
}

// Value returns the document's value; None for an empty file.
func (d *Document) Value() value.Value {
	if d.Root == nil {
		return value.None
	}
	return d.Root.Value
}

// Pos returns the place of the key or list item that a path of mapping keys (string, or any value.Value) and list
// indexes (int) leads to. Where the path leaves the document, it is the last place on the way: the mapping that lacks
// the key. An empty path is the document's first value.
func (d *Document) Pos(path ...any) fault.Position {
	pos, _ := d.walk(path)
	return pos
}

// ValuePos is [Document.Pos] for the value behind the key.
func (d *Document) ValuePos(path ...any) fault.Position {
	pos, n := d.walk(path)
	if n != nil {
		return n.Pos
	}
	return pos
}

// Node returns the node a path leads to, nil if it leads nowhere.
func (d *Document) Node(path ...any) *Node {
	_, n := d.walk(path)
	return n
}

// walk returns the place of the last step that exists, and the node at the end of the path.
func (d *Document) walk(path []any) (fault.Position, *Node) {
	n := d.Root
	if n == nil {
		return fault.Position{File: d.file, Line: 1, Column: 1}, nil
	}
	pos := n.Pos
	for _, step := range path {
		key, item := n.step(step)
		if item == nil {
			return pos, nil
		}
		n, pos = item, key.Pos
	}
	return pos, n
}

// step returns the key and the value of one entry; a list item is its own key.
func (n *Node) step(step any) (key, item *Node) {
	switch step := step.(type) {
	case int:
		if n.Kind == Sequence {
			if step < 0 || step >= len(n.Items) {
				return nil, nil
			}
			return n.Items[step], n.Items[step]
		}
		return n.entry(value.Int(step))
	case string:
		return n.textEntry(value.Str(step))
	case value.Value:
		return n.entry(step)
	}
	return nil, nil
}

func (n *Node) entry(key value.Value) (*Node, *Node) {
	if text, ok := key.(value.Str); ok {
		return n.textEntry(text)
	}
	want, ok := value.HashKey(key)
	if !ok || n.Kind != Mapping {
		return nil, nil
	}
	for i := len(n.Keys) - 1; i >= 0; i-- {
		if have, _ := value.HashKey(n.Keys[i].Value); have == want {
			return n.Keys[i], n.Items[i]
		}
	}
	return nil, nil
}

// textEntry is [Node.entry] for a str, which equals nothing but a str.
func (n *Node) textEntry(key value.Str) (*Node, *Node) {
	if n.Kind != Mapping {
		return nil, nil
	}
	for i := len(n.Keys) - 1; i >= 0; i-- {
		if have, ok := n.Keys[i].Value.(value.Str); ok && have == key {
			return n.Keys[i], n.Items[i]
		}
	}
	return nil, nil
}

// Entry returns the key node and the value node of a str key of a mapping, nil if there is none.
func (n *Node) Entry(key string) (name, item *Node) { return n.textEntry(value.Str(key)) }

// Get returns the value node of a str key of a mapping, nil if there is none.
func (n *Node) Get(key string) *Node {
	_, item := n.textEntry(value.Str(key))
	return item
}

// Load reads one YAML document. file is its name in error messages. Errors carry line and column and the code
// "YAMLError"; [ClassOf] names the part of PyYAML that refuses the same text.
func Load(src []byte, file string, limits Limits) (*Document, error) {
	limits = limits.orDefault()
	if len(src) > limits.Bytes {
		return nil, tooLarge(file, mark{}, "The file is %d bytes long; at most %d are allowed.", len(src), limits.Bytes)
	}
	r, err := newReader(src, file)
	if err != nil {
		return nil, err
	}
	c := &composer{scanner: scanner{reader: r, indent: -1, keyOK: true}, limits: limits}
	d := desks.Get().(*desk)
	defer func() { d.leave(c.made) }()
	c.sit(d)
	root, err := c.compose()
	if err != nil {
		return nil, err
	}
	doc := &Document{file: file}
	if root != nil {
		doc.Root, err = (&constructor{file: file, room: make([]Node, min(c.made, 1024))}).construct(root)
	}
	if err != nil {
		return nil, err
	}
	return doc, nil
}
