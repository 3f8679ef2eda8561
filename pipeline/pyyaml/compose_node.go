package pyyaml

import "strings"

// properties are the anchor and the tag in front of a node.
type properties struct {
	anchor, tag string
	anchored    bool
	tagged      bool
	start       mark
}

func (c *composer) properties() (p properties, err error) {
	var handle string
	var tagAt mark
	for {
		t, err := c.next()
		if err != nil {
			return p, err
		}
		if !p.anchored && !p.tagged {
			p.start = t.start
		}
		switch {
		case t.kind == tokAnchor && !p.anchored:
			p.anchored, p.anchor = true, t.value
		case t.kind == tokTag && !p.tagged:
			p.tagged, handle, p.tag, tagAt = true, t.handle, t.value, t.start
		default:
			return p, c.expand(&p, handle, tagAt)
		}
		c.drop()
	}
}

// expand gives a tag its full name.
func (c *composer) expand(p *properties, handle string, at mark) error {
	if !p.tagged || handle == noHandle {
		return nil
	}
	prefix, ok := c.handles[handle]
	if !ok {
		return failure(ParserError, c.file, at, "The tag handle %s is not defined.", handle)
	}
	p.tag = prefix + p.tag
	return nil
}

// node reads one node. In a block, an indentless sequence may stand where a mapping's value is expected.
func (c *composer) node(block, indentless bool) (*node, error) {
	t, err := c.next()
	if err != nil {
		return nil, err
	}
	if t.kind == tokAlias {
		c.drop()
		return c.alias(t)
	}
	p, err := c.properties()
	if err != nil {
		return nil, err
	}
	if t, err = c.next(); err != nil {
		return nil, err
	}
	n := &node{tag: p.tag, start: p.start, size: 1}
	read, err := c.content(n, t, p, block, indentless)
	if err != nil {
		return nil, err
	}
	if err := c.register(n, p); err != nil {
		return nil, err
	}
	if err := c.count(1, n.start); err != nil || read == nil {
		return n, err
	}
	return n, c.collection(n, read)
}

// register makes the node known under its anchor.
func (c *composer) register(n *node, p properties) error {
	if !p.anchored {
		return nil
	}
	if first, ok := c.anchors[p.anchor]; ok {
		return failure(ComposerError, c.file, p.start, "The anchor &%s is used twice; the first is on line %d.", p.anchor, first.start.line+1)
	}
	c.anchors[p.anchor] = n
	return nil
}

// content decides what sort of node follows; a collection comes back with the function that reads its inside.
func (c *composer) content(n *node, t token, p properties, block, indentless bool) (func(*node) error, error) {
	implicit := !p.tagged || p.tag == "!"
	switch {
	case indentless && t.kind == tokBlockEntry:
		n.setTag(Sequence, implicit, tagSeq)
		return c.indentlessSequence, nil
	case t.kind == tokScalar:
		c.drop()
		n.kind, n.text = Scalar, t.value
		if implicit {
			n.tag = tagStr
			if t.plain && !p.tagged || p.tag == "!" {
				n.tag = resolve(t.value)
			}
		}
		return nil, nil
	case t.kind == tokFlowSequenceStart:
		n.setTag(Sequence, implicit, tagSeq)
		return c.flowSequence, nil
	case t.kind == tokFlowMappingStart:
		n.setTag(Mapping, implicit, tagMap)
		return c.flowMapping, nil
	case block && t.kind == tokBlockSequenceStart:
		n.setTag(Sequence, implicit, tagSeq)
		return c.blockSequence, nil
	case block && t.kind == tokBlockMappingStart:
		n.setTag(Mapping, implicit, tagMap)
		return c.blockMapping, nil
	case p.anchored || p.tagged:
		n.setTag(Scalar, implicit, tagNull)
		return nil, nil
	}
	return nil, c.expected("a value", t)
}

func (n *node) setTag(kind Kind, implicit bool, tag string) {
	n.kind = kind
	if implicit {
		n.tag = tag
	}
}

func (c *composer) expected(what string, t token) error {
	err := failure(ParserError, c.file, t.start, "Here should be %s, not %s.", what, t.kind)
	if strings.HasPrefix(what, "the next") {
		return err.WithHint("Check the indentation of this line and the lines above it.")
	}
	return err
}

// collection reads the inside of a list or mapping and adds up its size.
func (c *composer) collection(n *node, read func(*node) error) error {
	c.depth++
	n.open = true
	if err := c.checkDepth(c.depth, n.start); err != nil {
		return err
	}
	if err := read(n); err != nil {
		return err
	}
	c.depth--
	n.open = false
	inside := n.items
	for _, p := range n.pairs {
		inside = append(inside, p.key, p.value)
	}
	for _, child := range inside {
		n.size = min(n.size+child.size, c.limits.Nodes+1)
		n.height = max(n.height, child.height)
	}
	n.height++
	return nil
}
