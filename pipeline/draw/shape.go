package draw

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
)

// box is a component as it is drawn.
type box struct {
	name, class string
	optional    []string // open sockets that need no value, and variadic ones: "name (type)"
}

// arrow is a connection. from is -1 for what a run is given, to is -1 for what a run gives.
type arrow struct {
	from, to   int
	label, typ string
	mandatory  bool
}

// shape is what both drawings are made of.
type shape struct {
	boxes  []box
	arrows []arrow
}

// shapeOf reads a plan in Haystack's order: connections as networkx gives them, then inputs, then outputs
// (haystack/core/pipeline/draw.py, _prepare_for_drawing).
func shapeOf(p *pipeline.Plan) shape {
	var s shape
	index := map[string]int{}
	for i, c := range p.Components() {
		index[c.Name] = i
		s.boxes = append(s.boxes, box{name: c.Name, class: c.Type[strings.LastIndex(c.Type, ".")+1:]})
	}
	inputs := map[string]pipeline.InputInfo{}
	var given []arrow
	for _, in := range p.AllInputs() {
		inputs[in.Component+"."+in.Socket] = in
		at := index[in.Component]
		if (in.Default != nil && !in.Connected) || in.Variadic != component.Single {
			s.boxes[at].optional = append(s.boxes[at].optional, in.Socket+" ("+in.Type.Display()+")")
		}
		if in.Mandatory {
			given = append(given, arrow{from: -1, to: at, label: in.Socket, typ: in.Type.Display(), mandatory: true})
		}
	}
	types := map[string]string{}
	var gives []arrow
	for _, o := range p.AllOutputs() {
		types[o.Component+"."+o.Socket] = o.Type.Display()
		if !o.Connected {
			gives = append(gives, arrow{from: index[o.Component], to: -1, label: o.Socket, typ: o.Type.Display(), mandatory: true})
		}
	}
	for _, c := range p.Connections() {
		from, out, _ := strings.Cut(c.Sender, ".")
		to, in, _ := strings.Cut(c.Receiver, ".")
		a := arrow{from: index[from], to: index[to], label: out + " -> " + in, typ: types[c.Sender], mandatory: inputs[c.Receiver].Default == nil}
		if !a.mandatory {
			a.label += " (opt.)"
		}
		s.arrows = append(s.arrows, a)
	}
	s.arrows = append(append(s.arrows, given...), gives...)
	return s
}
