package pyyaml

import (
	"slices"
	"strings"
)

// properties are the anchor and the tag in front of a node.
type properties struct {
	anchor, tag string
	anchored    bool
	tagged      bool
	start       mark
}

// properties reads them. As in PyYAML, the token behind an anchor and a tag is not looked at before the tag's handle is.
func (c *composer) properties() (p properties, err error) {
	var handle string
	var tagAt mark
	for !p.anchored || !p.tagged {
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
			p.tagged, handle, p.tag, tagAt = true, t.more.handle, t.value, t.start
		default:
			return p, c.expand(&p, handle, tagAt)
		}
		c.drop()
	}
	return p, c.expand(&p, handle, tagAt)
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
	p := properties{start: t.start}
	if t.kind == tokAnchor || t.kind == tokTag {
		if p, err = c.properties(); err != nil {
			return nil, err
		}
		if t, err = c.next(); err != nil {
			return nil, err
		}
	}
	n := c.make(Scalar, p.tag, p.start)
	form, err := c.content(n, t, p, block, indentless)
	if err != nil {
		return nil, err
	}
	if err := c.register(n, p); err != nil {
		return nil, err
	}
	if err := c.count(1, n.start); err != nil || form == formScalar {
		return n, err
	}
	return n, c.collection(n, form)
}

// register makes the node known under its anchor.
func (c *composer) register(n *node, p properties) error {
	if !p.anchored {
		return nil
	}
	if first, ok := c.anchors[p.anchor]; ok {
		return failure(ComposerError, c.file, p.start, "The anchor &%s is used twice; the first is on line %d.", p.anchor, first.start.line+1)
	}
	if c.anchors == nil {
		c.anchors = map[string]*node{}
	}
	c.anchors[p.anchor] = n
	return nil
}

// form is how the inside of a node is written.
type form uint8

const (
	formScalar form = iota
	formIndentless
	formFlowSequence
	formFlowMapping
	formBlockSequence
	formBlockMapping
	formSinglePair
)

// content decides what sort of node follows. It reads a scalar; the inside of a collection is still to be read.
func (c *composer) content(n *node, t token, p properties, block, indentless bool) (form, error) {
	implicit := !p.tagged || p.tag == "!"
	switch {
	case t.kind == tokScalar:
		c.drop()
		n.kind, n.text = Scalar, t.value
		if implicit {
			n.tag = tagStr
			if t.plain && !p.tagged || p.tag == "!" {
				n.tag = resolve(t.value)
			}
		}
		return formScalar, nil
	case indentless && t.kind == tokBlockEntry:
		n.setTag(Sequence, implicit, tagSeq)
		return formIndentless, nil
	case t.kind == tokFlowSequenceStart:
		n.setTag(Sequence, implicit, tagSeq)
		return formFlowSequence, nil
	case t.kind == tokFlowMappingStart:
		n.setTag(Mapping, implicit, tagMap)
		return formFlowMapping, nil
	case block && t.kind == tokBlockSequenceStart:
		n.setTag(Sequence, implicit, tagSeq)
		return formBlockSequence, nil
	case block && t.kind == tokBlockMappingStart:
		n.setTag(Mapping, implicit, tagMap)
		return formBlockMapping, nil
	case p.anchored || p.tagged:
		n.setTag(Scalar, implicit, tagNull)
		return formScalar, nil
	}
	return formScalar, c.expected("a value", t)
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
func (c *composer) collection(n *node, f form) error {
	c.depth++
	n.open = true
	if err := c.checkDepth(c.depth, n.start); err != nil {
		return err
	}
	items, pairs := len(c.items), len(c.pairs)
	if err := c.inside(f); err != nil {
		return err
	}
	if inside := c.items[items:]; len(inside) > 0 {
		n.items = slices.Clone(inside)
	}
	if inside := c.pairs[pairs:]; len(inside) > 0 {
		n.pairs = c.place(inside)
	}
	c.items, c.pairs = c.items[:items], c.pairs[:pairs]
	c.depth--
	n.open = false
	for _, child := range n.items {
		c.measure(n, child)
	}
	for _, p := range n.pairs {
		c.measure(n, p.key)
		c.measure(n, p.value)
	}
	n.height++
	return nil
}

// place keeps the entries of a mapping.
func (c *composer) place(entries []pair) []pair {
	begin := len(c.placed)
	if begin+len(entries) > cap(c.placed) {
		return slices.Clone(entries)
	}
	c.placed = append(c.placed, entries...)
	return c.placed[begin:len(c.placed):len(c.placed)]
}

// inside reads the entries of a collection and leaves them in items or pairs.
func (c *composer) inside(f form) error {
	switch f {
	case formIndentless:
		return c.indentlessSequence()
	case formFlowSequence:
		return c.flowSequence()
	case formFlowMapping:
		return c.flowMapping()
	case formBlockSequence:
		return c.blockSequence()
	case formSinglePair:
		return c.onlyPair()
	}
	return c.blockMapping()
}

func (c *composer) measure(n, child *node) {
	n.size = min(n.size+child.size, int32(c.limits.Nodes)+1)
	n.height = max(n.height, child.height)
}
