package pyyaml

// What ends a value that may be left out.
var (
	endsItem       = kinds(tokBlockEntry, tokBlockEnd)
	endsIndentless = kinds(tokBlockEntry, tokKey, tokValue, tokBlockEnd)
	endsBlock      = kinds(tokKey, tokValue, tokBlockEnd)
	endsFlowKey    = kinds(tokValue, tokFlowEntry, tokFlowMappingEnd)
	endsFlowValue  = kinds(tokFlowEntry, tokFlowMappingEnd)
	endsPairKey    = kinds(tokValue, tokFlowEntry, tokFlowSequenceEnd)
	endsPairValue  = kinds(tokFlowEntry, tokFlowSequenceEnd)
)

// sees reports whether the next token is of the given kind.
func (c *composer) sees(kind tokenKind) (token, bool, error) {
	t, err := c.next()
	return t, err == nil && t.kind == kind, err
}

// nodeOrEmpty reads a node, or null where the next token already ends it.
func (c *composer) nodeOrEmpty(at mark, block, indentless bool, ends kindSet) (*node, error) {
	t, err := c.next()
	if err != nil {
		return nil, err
	}
	if ends.has(t.kind) {
		return c.empty(at)
	}
	return c.node(block, indentless)
}

func (c *composer) blockSequence() error {
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
		item, err := c.nodeOrEmpty(t.end, true, false, endsItem)
		if err != nil {
			return err
		}
		c.items = append(c.items, item)
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
func (c *composer) indentlessSequence() error {
	for {
		t, entry, err := c.sees(tokBlockEntry)
		if err != nil || !entry {
			return err
		}
		c.drop()
		item, err := c.nodeOrEmpty(t.end, true, false, endsIndentless)
		if err != nil {
			return err
		}
		c.items = append(c.items, item)
	}
}

func (c *composer) blockMapping() error {
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
		key, err := c.nodeOrEmpty(t.end, true, true, endsBlock)
		if err != nil {
			return err
		}
		value, err := c.mappingValue(true, endsBlock)
		if err != nil {
			return err
		}
		c.pairs = append(c.pairs, pair{key, value})
	}
}

// mappingValue reads ": value", or null where there is no ":".
func (c *composer) mappingValue(block bool, ends kindSet) (*node, error) {
	t, colon, err := c.sees(tokValue)
	if err != nil {
		return nil, err
	}
	if !colon {
		return c.empty(t.start)
	}
	c.drop()
	return c.nodeOrEmpty(t.end, block, block, ends)
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

func (c *composer) flowSequence() error {
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
		c.items = append(c.items, item)
	}
}

// singlePair reads "key: value" inside a flow list: a mapping of one.
func (c *composer) singlePair(t token) (*node, error) {
	n := c.make(Mapping, tagMap, t.start)
	if err := c.count(1, t.start); err != nil {
		return nil, err
	}
	return n, c.collection(n, formSinglePair)
}

func (c *composer) onlyPair() error {
	t, err := c.next()
	if err != nil {
		return err
	}
	c.drop()
	key, err := c.nodeOrEmpty(t.end, false, false, endsPairKey)
	if err != nil {
		return err
	}
	value, err := c.mappingValue(false, endsPairValue)
	c.pairs = append(c.pairs, pair{key, value})
	return err
}

func (c *composer) flowMapping() error {
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
		c.pairs = append(c.pairs, p)
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
	if p.key, err = c.nodeOrEmpty(t.end, false, false, endsFlowKey); err != nil {
		return p, err
	}
	p.value, err = c.mappingValue(false, endsFlowValue)
	return p, err
}
