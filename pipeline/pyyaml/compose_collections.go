package pyyaml

import "slices"

// sees reports whether the next token is of one of the given kinds.
func (c *composer) sees(kinds ...tokenKind) (token, bool, error) {
	t, err := c.next()
	return t, err == nil && slices.Contains(kinds, t.kind), err
}

// nodeOrEmpty reads a node, or null where the next token already ends it.
func (c *composer) nodeOrEmpty(at mark, block, indentless bool, ends ...tokenKind) (*node, error) {
	_, ended, err := c.sees(ends...)
	if err != nil {
		return nil, err
	}
	if ended {
		return c.empty(at)
	}
	return c.node(block, indentless)
}

func (c *composer) blockSequence(n *node) error {
	c.drop()
	for {
		t, entry, err := c.sees(tokBlockEntry)
		if err != nil {
			return err
		}
		if !entry {
			return c.closeBlock(t, "the next item of the list, or its end")
		}
		c.drop()
		item, err := c.nodeOrEmpty(t.end, true, false, tokBlockEntry, tokBlockEnd)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
}

func (c *composer) closeBlock(t token, what string) error {
	if t.kind != tokBlockEnd {
		return c.expected(what, t)
	}
	c.drop()
	return nil
}

// indentlessSequence reads the items of a list that stands as deep as the key it belongs to.
func (c *composer) indentlessSequence(n *node) error {
	for {
		t, entry, err := c.sees(tokBlockEntry)
		if err != nil || !entry {
			return err
		}
		c.drop()
		item, err := c.nodeOrEmpty(t.end, true, false, tokBlockEntry, tokKey, tokValue, tokBlockEnd)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
}

func (c *composer) blockMapping(n *node) error {
	c.drop()
	for {
		t, isKey, err := c.sees(tokKey)
		if err != nil {
			return err
		}
		if !isKey {
			if t.kind != tokValue {
				return c.closeBlock(t, "the next key of the mapping, or its end")
			}
			return c.expected("the next key of the mapping, or its end", t)
		}
		c.drop()
		key, err := c.nodeOrEmpty(t.end, true, true, tokKey, tokValue, tokBlockEnd)
		if err != nil {
			return err
		}
		value, err := c.mappingValue(true, tokKey, tokValue, tokBlockEnd)
		if err != nil {
			return err
		}
		n.pairs = append(n.pairs, pair{key, value})
	}
}

// mappingValue reads ": value", or null where there is no ":".
func (c *composer) mappingValue(block bool, ends ...tokenKind) (*node, error) {
	t, colon, err := c.sees(tokValue)
	if err != nil {
		return nil, err
	}
	if !colon {
		return c.empty(t.start)
	}
	c.drop()
	return c.nodeOrEmpty(t.end, block, block, ends...)
}

// flowNext moves to the next entry of a flow collection; false at its end.
func (c *composer) flowNext(first bool, end tokenKind) (token, bool, error) {
	t, ended, err := c.sees(end)
	if err == nil && !ended && !first {
		if t.kind != tokFlowEntry {
			return t, false, c.expected("',' or "+end.String(), t)
		}
		c.drop()
		t, ended, err = c.sees(end)
	}
	if err != nil || !ended {
		return t, err == nil, err
	}
	c.drop()
	return t, false, nil
}

func (c *composer) flowSequence(n *node) error {
	c.drop()
	for first := true; ; first = false {
		t, more, err := c.flowNext(first, tokFlowSequenceEnd)
		if err != nil || !more {
			return err
		}
		var item *node
		if t.kind == tokKey {
			item, err = c.singlePair(t)
		} else {
			item, err = c.node(false, false)
		}
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
}

// singlePair reads "key: value" inside a flow list: a mapping of one.
func (c *composer) singlePair(t token) (*node, error) {
	n := &node{kind: Mapping, tag: tagMap, start: t.start, size: 1}
	if err := c.count(1, t.start); err != nil {
		return nil, err
	}
	return n, c.collection(n, func(n *node) error {
		c.drop()
		key, err := c.nodeOrEmpty(t.end, false, false, tokValue, tokFlowEntry, tokFlowSequenceEnd)
		if err != nil {
			return err
		}
		value, err := c.mappingValue(false, tokFlowEntry, tokFlowSequenceEnd)
		n.pairs = append(n.pairs, pair{key, value})
		return err
	})
}

func (c *composer) flowMapping(n *node) error {
	c.drop()
	for first := true; ; first = false {
		t, more, err := c.flowNext(first, tokFlowMappingEnd)
		if err != nil || !more {
			return err
		}
		p, err := c.flowPair(t)
		if err != nil {
			return err
		}
		n.pairs = append(n.pairs, p)
	}
}

func (c *composer) flowPair(t token) (p pair, err error) {
	if t.kind != tokKey { // a key without a value
		if p.key, err = c.node(false, false); err != nil {
			return p, err
		}
		next, err := c.next()
		if err != nil {
			return p, err
		}
		p.value, err = c.empty(next.start)
		return p, err
	}
	c.drop()
	if p.key, err = c.nodeOrEmpty(t.end, false, false, tokValue, tokFlowEntry, tokFlowMappingEnd); err != nil {
		return p, err
	}
	p.value, err = c.mappingValue(false, tokFlowEntry, tokFlowMappingEnd)
	return p, err
}
