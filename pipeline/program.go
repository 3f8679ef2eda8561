package pipeline

import (
	"slices"
	"sort"
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// program is a compiled graph: everything a run needs, by index. Nodes are numbered by name, because that is the order in
// which Haystack fills its queue; all input sockets of all nodes are numbered through ("slots").
type program struct {
	nodes    []node
	index    map[string]int32
	inserted []int32            // nodes in the order they were added
	byRank   []int32            // nodes in the order that decides between waiting ones
	flat     map[string][]int32 // open socket name -> slots, in the order the nodes were added
	named    map[string]bool    // every socket name, connected or not
	checks   []int32            // slots whose user input must be there, or must not be, in insertion order
	slots    []slotInfo
	senders  int // senders of all slots together, for the bits that say who has run
	words    int // 64-bit words of a set of nodes
	maxRuns  int32
	free     bool // without loops and greedy sockets
	limits   Limits
	start    []tally // each node's counters before any input
	pool     sync.Pool

	tagsOnce sync.Once // tags of spans, by node; most plans are never traced
	tags     [][]attribute.KeyValue
}

type node struct {
	name      string
	typ       string
	class     string
	place     component.Place // of a first visit
	component component.Component
	spec      *component.Spec
	first     int32 // its first slot
	edges     []edge
	consumed  []bool // by output: has a connection
	key       value.Key
	outputs   []value.Key // by output
	rank      int32       // in byRank
	connected bool        // some input has a sender
	open      bool        // some output has no receiver
	streams   bool        // takes a streaming callback
}

// slotInfo is what never changes about an input socket.
type slotInfo struct {
	name      string
	typ       *pytype.Type
	node      int32
	local     int32 // number within the node
	variadic  component.Variadic
	flags     uint8 // before any input
	flatten   bool  // lists from several senders are joined, not nested
	listLike  bool  // may become lazily variadic when the user sends to it as well
	mandatory bool  // has no default
	expected  int32 // distinct senders
	firstBit  int32
	def       value.Value // what the component gets when nothing was sent; a list for a variadic socket
	rawDef    value.Value // the default as it is declared
	sender    string      // the first sender's name, for errors
}

// edge is a connection as its sender sees it.
type edge struct {
	out     int32
	slot    int32
	bit     int32 // the sender's bit at the receiving slot
	convert pytype.Conversion
}

// compile freezes the graph.
func compile(p *Pipeline) *program {
	g := &program{index: make(map[string]int32, len(p.nodes)), maxRuns: int32(min(max(p.MaxRunsPerComponent, 0), 1<<30)), limits: p.Limits.withDefaults()}
	names := p.names()
	sort.Strings(names)
	for i, name := range names {
		g.index[name] = int32(i)
	}
	g.words = (len(names) + 63) / 64
	g.nodes = make([]node, len(names))
	sockets := 0
	for _, n := range p.nodes {
		sockets += len(n.inputs)
	}
	g.slots, g.inserted = make([]slotInfo, 0, sockets), make([]int32, 0, len(names))
	g.flat, g.named = make(map[string][]int32, sockets), make(map[string]bool, sockets)
	for _, n := range p.nodes {
		g.inserted = append(g.inserted, g.index[n.name])
	}
	for i, name := range names {
		g.addSlots(int32(i), p.byName[name])
	}
	for _, n := range p.nodes {
		g.addEdges(n)
	}
	g.rank(p, names)
	g.describe()
	g.countStart()
	return g
}

func (g *program) addSlots(i int32, n *gnode) {
	nd := &g.nodes[i]
	*nd = node{name: n.name, typ: n.typ, class: className(n.typ), place: component.Place{Component: n.name, Type: n.typ, Visit: 1}, component: n.child.Component, spec: n.child.Spec,
		first: int32(len(g.slots)), consumed: make([]bool, len(n.outputs)), key: value.NewKey(n.name), outputs: make([]value.Key, len(n.outputs))}
	for k, out := range n.outputs {
		nd.outputs[k] = value.NewKey(out.Name)
	}
	for local, in := range n.inputs {
		s := slotInfo{name: in.Name, typ: in.Type, node: i, local: int32(local), variadic: in.Variadic, flatten: in.flatten,
			listLike: in.Type.ListLike(), mandatory: in.Default == nil, firstBit: int32(g.senders), rawDef: in.Default, def: in.Default}
		if in.flatten {
			s.variadic = component.Lazy
		}
		if s.variadic != component.Single && !s.mandatory {
			s.def = value.NewList(in.Default) // also for a flattened one, as _add_missing_input_defaults does
		}
		s.expected = distinct(in.senders)
		g.senders += int(s.expected)
		if len(in.senders) > 0 {
			nd.connected = true
			s.sender = in.senders[0].name
		}
		nd.streams = nd.streams || in.Name == "streaming_callback"
		g.slots = append(g.slots, s)
	}
	for o, out := range n.outputs {
		nd.consumed[o] = len(out.receivers) > 0
		nd.open = nd.open || len(out.receivers) == 0
	}
}

func (g *program) addEdges(n *gnode) {
	nd := &g.nodes[g.index[n.name]]
	for _, adj := range n.out {
		to := &g.nodes[g.index[adj.to.name]]
		for _, e := range adj.edges {
			slot := to.first + int32(e.in)
			nd.edges = append(nd.edges, edge{out: int32(e.out), slot: slot, convert: e.convert,
				bit: g.slots[slot].firstBit + senderNumber(adj.to.inputs[e.in], n)})
		}
	}
}

// senderNumber counts the distinct senders of a socket that were connected before n.
func senderNumber(in *ginput, n *gnode) int32 {
	return distinct(in.senders[:max(slices.Index(in.senders, n), 0)])
}

func distinct(nodes []*gnode) int32 {
	if len(nodes) < 2 {
		return int32(len(nodes))
	}
	seen := make(map[*gnode]bool, len(nodes))
	for _, n := range nodes {
		seen[n] = true
	}
	return int32(len(seen))
}

func (g *program) rank(p *Pipeline, names []string) {
	number := make(map[*gnode]int, len(p.nodes))
	for i, n := range p.nodes {
		number[n] = i
	}
	succ := make([][]int, len(p.nodes))
	for i, n := range p.nodes {
		for _, adj := range n.out {
			succ[i] = append(succ[i], number[adj.to])
		}
	}
	g.free = !slices.ContainsFunc(g.slots, func(s slotInfo) bool { return s.variadic == component.Greedy })
	if _, ok := lexicographical(p.names(), succ); !ok {
		g.free = false
	}
	byInsertion := topological(p.names(), succ)
	place := make([]int, len(names))
	for i, n := range p.nodes {
		place[g.index[n.name]] = byInsertion[i]
	}
	g.byRank = make([]int32, len(names))
	for r, i := range deferOrder(names, place) {
		g.byRank[r] = int32(i)
		g.nodes[i].rank = int32(r)
	}
}

// describe makes the tables that spread and check a run's inputs.
func (g *program) describe() {
	for _, i := range g.inserted {
		first, last := g.nodes[i].first, g.nodes[i].first+int32(len(g.nodes[i].spec.Inputs))
		for s := first; s < last; s++ {
			info := &g.slots[s]
			g.named[info.name] = true
			if info.expected == 0 || info.variadic != component.Single {
				g.flat[info.name] = append(g.flat[info.name], s)
			}
			missing := info.expected == 0 && info.mandatory
			crowded := info.expected > 0 && info.variadic == component.Single && !info.listLike
			if missing || crowded {
				g.checks = append(g.checks, s)
			}
		}
	}
}

// countStart works out what a run starts from, so that it need only be copied.
func (g *program) countStart() {
	g.start = make([]tally, len(g.nodes))
	for s := range g.slots {
		info := &g.slots[s]
		t := &g.start[info.node]
		if info.mandatory {
			t.missing++
		}
		if info.mandatory || info.expected > 0 {
			t.waiting++
		}
		if info.expected > 0 {
			t.pending++
		} else {
			info.flags = flagExecuted
		}
	}
}
