package pyyaml

import (
	"slices"

	"github.com/haywardhq/hayward/pipeline/value"
)

// constructor turns nodes into values (yaml/constructor.py, SafeConstructor, and haystack/marshal/yaml.py).
type constructor struct {
	file string
	room []Node // for values to come
}

// make returns a new node at a place. Nodes are made many at a time.
func (c *constructor) make(kind Kind, at mark) *Node {
	if len(c.room) == 0 {
		c.room = make([]Node, 32)
	}
	out := &c.room[0]
	c.room = c.room[1:]
	out.Kind, out.Pos = kind, at.position(c.file)
	return out
}

func (c *constructor) bad(n *node, format string, args ...any) error {
	return failure(ConstructorError, c.file, n.start, format, args...)
}

// construct builds a node once; every alias shares the result.
func (c *constructor) construct(n *node) (*Node, error) {
	if n.built != nil {
		return n.built, nil
	}
	out := c.make(n.kind, n.start)
	var err error
	switch n.tag {
	case tagSeq, tagTuple, tagOmap, tagPairs:
		err = c.sequence(n, out)
	case tagMap, tagSet:
		err = c.mapping(n, out)
	default:
		out.Value, err = c.scalar(n)
	}
	n.built = out
	return out, err
}

var kindNames = [...]string{"a scalar", "a list", "a mapping"}

func (c *constructor) sequence(n *node, out *Node) error {
	if n.kind != Sequence {
		return c.bad(n, "The tag %s needs a list, but this is %s.", shortTag(n.tag), kindNames[n.kind])
	}
	values := make([]value.Value, 0, len(n.items))
	if len(n.items) > 0 {
		out.Items = make([]*Node, 0, len(n.items))
	}
	for _, item := range n.items {
		var built *Node
		var err error
		if n.tag == tagOmap || n.tag == tagPairs {
			built, err = c.onePair(item)
		} else {
			built, err = c.construct(item)
		}
		if err != nil {
			return err
		}
		out.Items = append(out.Items, built)
		values = append(values, built.Value)
	}
	if n.tag == tagTuple {
		out.Value = value.Tuple(values)
	} else {
		out.Value = &value.List{Items: values}
	}
	return nil
}

// onePair builds an entry of !!omap or !!pairs: a mapping of one, which becomes a tuple.
func (c *constructor) onePair(n *node) (*Node, error) {
	if n.kind != Mapping || len(n.pairs) != 1 {
		return nil, c.bad(n, "Every item of !!omap and !!pairs is a mapping with one key.")
	}
	key, err := c.construct(n.pairs[0].key)
	if err != nil {
		return nil, err
	}
	val, err := c.construct(n.pairs[0].value)
	if err != nil {
		return nil, err
	}
	out := c.make(Sequence, n.start)
	out.Items, out.Value = []*Node{key, val}, value.Tuple{key.Value, val.Value}
	return out, nil
}

func (c *constructor) mapping(n *node, out *Node) error {
	if n.kind != Mapping {
		return c.bad(n, "The tag %s needs a mapping, but this is %s.", shortTag(n.tag), kindNames[n.kind])
	}
	if err := c.merge(n); err != nil {
		return err
	}
	dict := &value.Dict{}
	if count := len(n.pairs); count > 0 {
		dict.Grow(count)
		both := make([]*Node, 2*count)
		out.Keys, out.Items = both[:0:count], both[count:count]
	}
	for _, p := range n.pairs {
		key, err := c.construct(p.key)
		if err != nil {
			return err
		}
		if !canBeKey(key.Value) {
			return c.bad(p.key, "A %s cannot be the key of a mapping.", value.TypeName(key.Value))
		}
		val, err := c.construct(p.value)
		if err != nil {
			return err
		}
		dict.SetKey(key.Value, val.Value)
		out.Keys = append(out.Keys, key)
		out.Items = append(out.Items, val)
	}
	out.Value = dict
	if n.tag == tagSet {
		set := &value.Set{}
		for k := range dict.All() {
			set.Add(k)
		}
		out.Value = set
	}
	return nil
}

func canBeKey(v value.Value) bool {
	if _, text := v.(value.Str); text {
		return true
	}
	_, ok := value.HashKey(v)
	return ok
}

// merge resolves the merge keys of a mapping: what they bring comes first, so that its own entries win, and of a list
// of mappings the first wins.
func (c *constructor) merge(n *node) error {
	if n.merged {
		return nil
	}
	n.merged = true
	if !slices.ContainsFunc(n.pairs, func(p pair) bool { return p.key.tag == tagMerge || p.key.tag == tagValue }) {
		return nil
	}
	var brought, own []pair
	for _, p := range n.pairs {
		switch p.key.tag {
		case tagMerge:
			pairs, err := c.mergeSource(p.value)
			if err != nil {
				return err
			}
			brought = append(brought, pairs...)
			continue
		case tagValue:
			p.key.tag = tagStr // "=" is a str where it is a key
		}
		own = append(own, p)
	}
	n.pairs = append(brought, own...)
	return nil
}

func (c *constructor) mergeSource(n *node) ([]pair, error) {
	sources := []*node{n}
	if n.kind == Sequence {
		sources = n.items
	}
	var out []pair
	for i := len(sources) - 1; i >= 0; i-- {
		src := sources[i]
		if src.kind != Mapping {
			return nil, c.bad(src, "The merge key << takes a mapping or a list of mappings, not %s.", kindNames[src.kind])
		}
		if err := c.merge(src); err != nil {
			return nil, err
		}
		out = append(out, src.pairs...)
	}
	return out, nil
}

// scalar builds every other tag.
func (c *constructor) scalar(n *node) (value.Value, error) {
	if n.tag == tagStr && n.kind == Scalar {
		return value.Str(n.text), nil
	}
	build, ok := scalarTags[n.tag]
	if !ok {
		return nil, c.unknownTag(n)
	}
	text, ok := n.scalarText()
	if !ok {
		return nil, c.bad(n, "The tag %s needs a scalar, but this is %s.", shortTag(n.tag), kindNames[n.kind])
	}
	v, problem := build(text)
	if problem != "" {
		return nil, c.bad(n, "%q is not a valid %s: %s.", clip(text), shortTag(n.tag), problem)
	}
	return v, nil
}

// scalarText is the text of a scalar, or of the "=" entry of a mapping.
func (n *node) scalarText() (string, bool) {
	if n.kind == Mapping {
		for _, p := range n.pairs {
			if p.key.tag == tagValue {
				return p.value.scalarText()
			}
		}
	}
	return n.text, n.kind == Scalar
}

func (c *constructor) unknownTag(n *node) error {
	if n.tag == tagValue || n.tag == tagMerge {
		return failure(ConstructorError, c.file, n.start, "The value %s has a meaning of its own in YAML 1.1.", n.text).
			WithHint("Put it in quotes.")
	}
	return failure(ConstructorError, c.file, n.start, "The tag %s is not known.", shortTag(n.tag)).
		WithHint("Remove the tag, or put the value in quotes if it is meant to begin with '!'.")
}

// shortTag is a tag as people write it.
func shortTag(tag string) string {
	if len(tag) > len(tagPrefix) && tag[:len(tagPrefix)] == tagPrefix {
		return "!!" + clip(tag[len(tagPrefix):])
	}
	return clip(tag)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
