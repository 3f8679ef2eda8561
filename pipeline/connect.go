package pipeline

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
)

// candidate is one possible connection between two components.
type candidate struct {
	out, in int
	convert pytype.Conversion
}

// end is one side of a connection as it was asked for.
type end struct {
	asked  string // "component.socket" or "component"
	name   string
	socket string // "" when only the component was named
	node   *gnode
}

// parseEnd splits at the first dot: socket names may hold dots, component names may not.
func (p *Pipeline) parseEnd(asked string) end {
	name, socket, _ := strings.Cut(asked, ".")
	return end{asked: asked, name: name, socket: socket, node: p.byName[name]}
}

// Connect connects an output to an input. Each side is "component.socket", or only "component" when there is just one way
// to connect the two. Errors are PipelineConnectError, or ValueError for a component that does not exist; their hint says
// what could have been meant. (haystack/core/pipeline/base.py, connect)
func (p *Pipeline) Connect(sender, receiver string) error {
	if err := p.connect(p.parseEnd(sender), p.parseEnd(receiver)); err != nil {
		if err.Where == (fault.Where{}) {
			err = err.At(fault.Where{Socket: sender + " -> " + receiver})
		}
		return err
	}
	return nil
}

func (p *Pipeline) connect(from, to end) *fault.Error {
	if from.name == to.name {
		return invalid(CodeConnectError, "Connecting a Component to itself is not supported.")
	}
	for _, e := range []end{from, to} {
		if e.node == nil {
			err := invalid(CodeValueError, "Component named %s not found in the pipeline.", e.name)
			return didYouMean(err, e.name, p.names()).At(fault.Where{Component: e.name, Socket: e.asked})
		}
	}
	outs, ins, err := ends(from, to)
	if err != nil {
		return err
	}
	if len(outs) == 1 && len(ins) == 1 {
		c, ok := p.fits(from.node, to.node, outs[0], ins[0])
		if !ok {
			return noConnection(from, to, outs, ins)
		}
		return p.link(from.node, to.node, c)
	}
	possible := p.possible(from.node, to.node, outs, ins)
	if len(possible) == 0 {
		return noConnection(from, to, outs, ins)
	}
	chosen := possible[0]
	if len(possible) > 1 {
		byName := slices.DeleteFunc(slices.Clone(possible), func(c candidate) bool {
			return from.node.outputs[c.out].Name != to.node.inputs[c.in].Name
		})
		if len(byName) != 1 {
			return ambiguous(from, to, outs, ins, possible)
		}
		chosen = byName[0]
	}
	return p.link(from.node, to.node, chosen)
}

// ends returns the sockets that may be meant on each side.
func ends(from, to end) (outs, ins []int, err *fault.Error) {
	if len(from.node.outputs) == 0 {
		return nil, nil, invalid(CodeConnectError, "'%s' does not have any output connections. Please check that the output types of '%s.run' are set, "+
			"for example by using the '@component.output_types' decorator.", from.name, from.name)
	}
	if from.socket != "" {
		i := from.node.output(from.socket)
		if i < 0 {
			err := invalid(CodeConnectError, "'%s' does not exist. Output connections of %s are: %s", from.asked, from.name, listOutputs(from.node))
			return nil, nil, didYouMean(err, from.socket, from.node.outputNames()).At(fault.Where{Component: from.name, Socket: from.asked})
		}
		outs = []int{i}
	} else {
		outs = upTo(len(from.node.outputs))
	}
	if to.socket != "" {
		i := to.node.input(to.socket)
		if i < 0 { // the quote is not closed in the original either
			err := invalid(CodeConnectError, "'%s does not exist. Input connections of %s are: %s", to.asked, to.name, listInputs(to.node))
			return nil, nil, didYouMean(err, to.socket, to.node.inputNames()).At(fault.Where{Component: to.name, Socket: to.asked})
		}
		ins = []int{i}
	} else {
		ins = upTo(len(to.node.inputs))
	}
	return outs, ins, nil
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// possible lists the connections whose types fit. Among several, those that need no conversion win.
func (p *Pipeline) possible(from, to *gnode, outs, ins []int) []candidate {
	var all, strict []candidate
	for _, o := range outs {
		for _, i := range ins {
			c, ok := p.fits(from, to, o, i)
			if !ok {
				continue
			}
			all = append(all, c)
			if c.convert == "" {
				strict = append(strict, c)
			}
		}
	}
	if len(all) > 1 && p.ConnectionTypeValidation && len(strict) > 0 {
		return strict
	}
	return all
}

// fits is the connection of two sockets, if their types allow one.
func (p *Pipeline) fits(from, to *gnode, out, in int) (candidate, bool) {
	c := candidate{out: out, in: in}
	if !p.ConnectionTypeValidation {
		return c, true
	}
	var ok bool
	c.convert, ok = pytype.Compatible(from.outputs[out].Type, to.inputs[in].Type)
	return c, ok
}

// link makes the connection. The very same one again is no error and changes nothing.
func (p *Pipeline) link(from, to *gnode, c candidate) *fault.Error {
	adj := from.adjacent(to)
	if adj != nil && slices.ContainsFunc(adj.edges, func(e gedge) bool { return e.out == c.out && e.in == c.in }) {
		return nil
	}
	if limit := p.Limits.withDefaults().Connections; p.edges >= limit {
		return fault.New(fault.TooLarge, "a pipeline holds at most %d connections", limit)
	}
	in := to.inputs[c.in]
	if len(in.senders) > 0 && in.Variadic == component.Single && !in.flatten {
		if !in.Type.ListLike() {
			return several(CodeConnectError, to.name, in.Name, in.senders[0].name)
		}
		in.flatten = true
	}
	if adj == nil {
		adj = &gadjacent{to: to}
		from.out = append(from.out, adj)
	}
	adj.edges = append(adj.edges, gedge(c))
	from.outputs[c.out].receivers = append(from.outputs[c.out].receivers, to)
	in.senders = append(in.senders, from)
	p.edges++
	return nil
}

func (n *gnode) adjacent(to *gnode) *gadjacent {
	for _, a := range n.out {
		if a.to == to {
			return a
		}
	}
	return nil
}

// several is the error for a socket that cannot take what is offered besides what it has.
func several(code, name, socket, sender string) *fault.Error {
	return invalid(code, "Component '%s' cannot accept multiple inputs to '%s'. It is already connected to component '%s', "+
		"and it can only accept inputs from multiple senders if its type is list, Optional[list], or union of list types.", name, socket, sender).
		WithHint("a joiner (BranchJoiner, DocumentJoiner, ...) in between takes several senders").
		At(fault.Where{Component: name, Socket: name + "." + socket})
}

func noConnection(from, to end, outs, ins []int) *fault.Error {
	status := connectionsStatus(from, to, outs, ins)
	where := fault.Where{Component: to.name, Socket: from.asked + " -> " + to.asked}
	if len(outs) == 1 && len(ins) == 1 {
		out, in := from.node.outputs[outs[0]], to.node.inputs[ins[0]]
		err := invalid(CodeConnectError, "Cannot connect '%s.%s' with '%s.%s': their declared input and output types do not match.\n%s",
			from.name, out.Name, to.name, in.Name, status).At(where)
		return whatFits(err, from.node, to.node, outs[0], ins[0])
	}
	return invalid(CodeConnectError, "Cannot connect '%s' with '%s': no matching connections available.\n%s", from.name, to.name, status).At(where)
}

// whatFits says which other sockets of the two components could have been meant.
func whatFits(err *fault.Error, from, to *gnode, out, in int) *fault.Error {
	var fits []string
	for i, cand := range to.inputs {
		if _, ok := pytype.Compatible(from.outputs[out].Type, cand.Type); ok && i != in {
			fits = append(fits, from.name+"."+from.outputs[out].Name+" -> "+to.name+"."+cand.Name)
		}
	}
	for o, cand := range from.outputs {
		if _, ok := pytype.Compatible(cand.Type, to.inputs[in].Type); ok && o != out {
			fits = append(fits, from.name+"."+cand.Name+" -> "+to.name+"."+to.inputs[in].Name)
		}
	}
	if len(fits) == 0 {
		return err.WithHint("%s sends %s and %s takes %s; no other pair of sockets of these two fits either",
			from.name+"."+from.outputs[out].Name, from.outputs[out].Type.Display(), to.name+"."+to.inputs[in].Name, to.inputs[in].Type.Display())
	}
	return err.WithHint("these would fit: %s", strings.Join(fits[:min(len(fits), 5)], ", "))
}

func ambiguous(from, to end, outs, ins []int, possible []candidate) *fault.Error {
	first := possible[0]
	var pairs []string
	for _, c := range possible[:min(len(possible), 8)] {
		pairs = append(pairs, from.name+"."+from.node.outputs[c.out].Name+" -> "+to.name+"."+to.node.inputs[c.in].Name)
	}
	return invalid(CodeConnectError, "Cannot connect '%s' with '%s': more than one connection is possible between these components. "+
		"Please specify the connection name, like: pipeline.connect('%s.%s', '%s.%s').\n%s", from.name, to.name,
		from.name, from.node.outputs[first.out].Name, to.name, to.node.inputs[first.in].Name, connectionsStatus(from, to, outs, ins)).
		WithHint("one of: %s", strings.Join(pairs, ", ")).
		At(fault.Where{Component: to.name, Socket: from.asked + " -> " + to.asked})
}

// connectionsStatus lists the sockets of both sides for an error (_connections_status).
func connectionsStatus(from, to end, outs, ins []int) string {
	var b strings.Builder
	b.WriteString("'" + from.name + "':\n")
	for i, o := range outs {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(" - " + from.node.outputs[o].Name + ": " + from.node.outputs[o].Type.Display())
	}
	b.WriteString("\n'" + to.name + "':\n")
	for i, idx := range ins {
		if i > 0 {
			b.WriteByte('\n')
		}
		in := to.node.inputs[idx]
		b.WriteString(" - " + in.Name + ": " + in.Type.Display() + " (" + senderStatus(in) + ")")
	}
	return b.String()
}

func senderStatus(in *ginput) string {
	if len(in.senders) == 0 {
		return "available"
	}
	names := make([]string, len(in.senders))
	for i, s := range in.senders {
		names[i] = s.name
	}
	return "sent by " + strings.Join(names, ",")
}

func listOutputs(n *gnode) string {
	parts := make([]string, len(n.outputs))
	for i, o := range n.outputs {
		parts[i] = o.Name + " (type " + o.Type.Display() + ")"
	}
	return strings.Join(parts, ", ")
}

func listInputs(n *gnode) string {
	parts := make([]string, len(n.inputs))
	for i, in := range n.inputs {
		parts[i] = in.Name + " (type " + in.Type.Display() + ")"
	}
	return strings.Join(parts, ", ")
}
