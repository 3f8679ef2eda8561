package pyyaml

import "github.com/haywardhq/hayward/fault"

// node is a node of the document before it becomes a value (yaml/nodes.py). An alias is the node of its anchor.
type node struct {
	tag    string
	text   string  // of a scalar
	items  []*node // of a sequence
	pairs  []pair  // of a mapping; merge keys are resolved in place
	start  mark
	size   int32 // nodes inside, itself included, aliases in full
	height int32 // lists and mappings inside each other, itself included
	kind   Kind
	open   bool
	merged bool
	built  *Node
}

type pair struct{ key, value *node }

// composer reads tokens into a tree, by the grammar of yaml/parser.py and the rules of yaml/composer.py.
type composer struct {
	scanner
	limits  Limits
	handles map[string]string
	anchors map[string]*node
	total   int
	depth   int
	made    int     // nodes of the text, aliases left out
	room    []node  // for nodes to come
	items   []*node // of the lists that are open
	pairs   []pair  // of the mappings that are open
	placed  []pair  // of the mappings that are read, as far as the desk goes
}

// make returns a new node. Nodes are made many at a time.
func (c *composer) make(kind Kind, tag string, at mark) *node {
	if len(c.room) == 0 {
		c.room = make([]node, 32)
	}
	n := &c.room[0]
	c.room = c.room[1:]
	c.made++
	n.kind, n.tag, n.start, n.size = kind, tag, at, 1
	return n
}

var defaultHandles = map[string]string{"!": "!", "!!": tagPrefix}

// compose reads the one document of a stream; nil if there is none.
func (c *composer) compose() (*node, error) {
	t, err := c.next()
	if err != nil {
		return nil, err
	}
	var root *node
	switch t.kind {
	case tokDirective, tokDocumentStart, tokStreamEnd:
		root, err = c.explicitDocument()
	default:
		c.handles = defaultHandles
		root, err = c.node(true, false)
	}
	if err != nil || root == nil {
		return nil, err
	}
	return root, c.onlyDocument(root)
}

// onlyDocument checks that nothing but "..." follows the first document.
func (c *composer) onlyDocument(root *node) error {
	for {
		t, err := c.next()
		if err != nil || t.kind == tokStreamEnd {
			return err
		}
		if t.kind != tokDocumentEnd {
			break
		}
		c.drop()
	}
	start, _, err := c.documentStart()
	if err != nil {
		return err
	}
	return failure(ComposerError, c.file, start, "A second document begins here; a file holds one, and the first begins on line %d.",
		root.start.line+1).WithHint("Remove the line with '---', or put the second document into its own file.")
}

// documentStart reads directives and "---", and returns the place of the latter; false at the end of the stream.
func (c *composer) documentStart() (mark, bool, error) {
	c.handles = map[string]string{}
	version, directives := false, false
	for {
		t, err := c.next()
		switch {
		case err != nil:
			return mark{}, false, err
		case t.kind == tokStreamEnd && !directives:
			return mark{}, false, nil
		case t.kind == tokDocumentStart:
			c.drop()
			for h, prefix := range defaultHandles {
				if _, ok := c.handles[h]; !ok {
					c.handles[h] = prefix
				}
			}
			return t.start, true, nil
		case t.kind != tokDirective:
			return mark{}, false, failure(ParserError, c.file, t.start, "A new document begins with '---', but here stands %s.", t.kind)
		}
		c.drop()
		directives = true
		if err := c.directive(t, &version); err != nil {
			return mark{}, false, err
		}
	}
}

func (c *composer) directive(t token, version *bool) error {
	switch t.value {
	case "YAML":
		if *version || t.more.major != "1" {
			return failure(ParserError, c.file, t.start, "A document has one %%YAML directive, for version 1.1.")
		}
		*version = true
	case "TAG":
		if _, ok := c.handles[t.more.handle]; ok {
			return failure(ParserError, c.file, t.start, "The tag handle %s is defined twice.", t.more.handle)
		}
		c.handles[t.more.handle] = t.more.major
	}
	return nil
}

func (c *composer) explicitDocument() (*node, error) {
	_, ok, err := c.documentStart()
	if err != nil || !ok {
		return nil, err
	}
	t, err := c.next()
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case tokDirective, tokDocumentStart, tokDocumentEnd, tokStreamEnd:
		return c.empty(t.start)
	}
	return c.node(true, false)
}

// count adds nodes to the total.
func (c *composer) count(n int, at mark) error {
	if c.total += n; c.total > c.limits.Nodes {
		return tooLarge(c.file, at, "The document has more than %d values, counting every use of an alias.", c.limits.Nodes)
	}
	return nil
}

func (c *composer) checkDepth(depth int, at mark) error {
	if depth > c.limits.Depth {
		return tooLarge(c.file, at, "Lists and mappings lie more than %d deep in each other here.", c.limits.Depth)
	}
	return nil
}

// empty is the null that stands where nothing is written.
func (c *composer) empty(at mark) (*node, error) {
	return c.make(Scalar, tagNull, at), c.count(1, at)
}

func (c *composer) alias(t token) (*node, error) {
	n, ok := c.anchors[t.value]
	switch {
	case !ok:
		return nil, failure(ComposerError, c.file, t.start, "The alias *%s has no anchor &%s before it.", t.value, t.value).
			WithHint("Put the value in quotes if it is meant to begin with '*'.")
	case n.open:
		err := failure(ComposerError, c.file, t.start, "The alias *%s stands inside its own anchor: a value cannot hold itself.", t.value)
		err.Kind = fault.Unsupported // PyYAML builds it; nothing downstream could walk it
		return nil, err
	}
	if err := c.checkDepth(c.depth+int(n.height), t.start); err != nil {
		return nil, err
	}
	return n, c.count(int(n.size), t.start)
}
