package pipeline

import (
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// noOutputMarker is what a socket holds when its sender ran and produced nothing for it, as it stands in snapshots.
type noOutputMarker struct{}

const markerClass = "haystack.core.pipeline.component_checks._NoOutputProduced"

func (noOutputMarker) Kind() value.Kind                { return value.KindObject }
func (noOutputMarker) Class() string                   { return markerClass }
func (noOutputMarker) Attr(string) (value.Value, bool) { return nil, false }
func (noOutputMarker) ToDict() *value.Dict             { return &value.Dict{} }
func (noOutputMarker) Repr() string                    { return "_NoOutputProduced()" }

func noOutput(*value.Dict) (value.Value, error) { return noOutputMarker{}, nil }

func setOf(items []value.Value) (value.Value, error) {
	set, ok := value.NewSet(items...)
	if !ok {
		return nil, unreadable("an element of a set cannot be hashed")
	}
	return set, nil
}

// stops reports whether the run may end in a snapshot or begin with one.
func (c *config) stops() bool { return c.breakAt != nil || c.keepState || c.resume != nil }

// begin prepares a run that may stop or resumes: the second half of [run.spread] for it.
func (r *run) begin(inputs *value.Dict) error {
	at, from := r.c.breakAt, r.c.resume
	if at != nil && from != nil && *at == from.Break {
		return invalid(CodeInvalidSnapshot, "The provided break_point targets the same component and visit count as the break_point of the "+
			"pipeline_snapshot. It would trigger again before the resumed component runs, so the pipeline could not make any progress. "+
			"Provide a break_point with a different component or visit count.")
	}
	if at != nil {
		if _, ok := r.g.index[at.Component]; !ok {
			return didYouMean(invalid(CodeValueError, "break_point '%s' is not a registered component in the pipeline", at.Component),
				at.Component, r.g.names())
		}
	}
	if from == nil {
		if err := r.spread(inputs); err != nil {
			return err
		}
		r.original = r.held(func(i int32) *value.Dict { return r.userInputs(i) })
		return nil
	}
	if inputs.Len() > 0 {
		return invalid(CodeValueError, "a run that resumes takes no inputs: they are in its snapshot")
	}
	return r.restore(from)
}

// held gathers something of every component that has it.
func (r *run) held(of func(i int32) *value.Dict) *value.Dict {
	out := &value.Dict{}
	for i := range r.g.nodes {
		if d := of(int32(i)); d.Len() > 0 {
			out.Set(r.g.nodes[i].name, d)
		}
	}
	return out
}

func (r *run) userInputs(i int32) *value.Dict {
	out := &value.Dict{}
	nd := &r.g.nodes[i]
	for s := nd.first; s < nd.first+int32(len(nd.spec.Inputs)); s++ {
		sl := &r.s.slots[s]
		switch {
		case sl.lazy && len(sl.items) > 0:
			out.Set(r.g.slots[s].name, sl.items[0].val)
		case sl.from == fromUser:
			out.Set(r.g.slots[s].name, sl.val)
		}
	}
	return out
}

// pending is what a component's sockets hold: {socket: [{sender, value}]}.
func (r *run) pending(i int32) *value.Dict {
	out := &value.Dict{}
	nd := &r.g.nodes[i]
	for s := nd.first; s < nd.first+int32(len(nd.spec.Inputs)); s++ {
		list := &value.List{}
		put := func(sender, v value.Value) {
			list.Items = append(list.Items, value.NewDict("sender", sender, "value", v))
		}
		info, sl := &r.g.slots[s], &r.s.slots[s]
		senders := func(bit int32) value.Value { return value.Str(r.g.senderOf(s, bit)) }
		switch {
		case sl.lazy:
			for _, it := range sl.items {
				if it.seq == 0 {
					put(value.None, it.val)
				} else {
					put(senders(int32(it.seq-1)), it.val)
				}
			}
			for b := info.firstBit; b < info.firstBit+info.expected; b++ {
				if hasBit(r.s.ran, b) && !hasBit(r.s.sent, b) {
					put(senders(b), noOutputMarker{})
				}
			}
		case sl.from == fromUser:
			put(value.None, sl.val)
		case sl.from == fromSender:
			put(senders(sl.sent-1), sl.val)
		case sl.from == fromAbsent:
			put(senders(sl.sent-1), noOutputMarker{})
		}
		if len(list.Items) > 0 {
			out.Set(info.name, list)
		}
	}
	return out
}

func hasBit(set []uint64, bit int32) bool { return set[bit>>6]&(1<<(bit&63)) != 0 }

// senderOf names the component behind a sender's bit.
func (g *program) senderOf(slot, bit int32) string {
	for i := range g.nodes {
		for _, e := range g.nodes[i].edges {
			if e.slot == slot && e.bit == bit {
				return g.nodes[i].name
			}
		}
	}
	return ""
}

// pause stops before a visit if the breakpoint is there.
func (r *run) pause(i int32, nd *node) error {
	at := r.c.breakAt
	if at == nil || at.Component != nd.name || at.Visit != int(r.s.tallies[i].visits) {
		return nil
	}
	r.result.Snapshot = r.snapshot(*at, r.held(r.pending))
	return fault.New(fault.Failed, "Breaking at component %s at visit count %d", at.Component, at.Visit).WithCode(CodeBreakpoint).At(nd.where()).
		WithHint("the run goes on from the snapshot in its result")
}

// keepFailed keeps the state before a visit that failed.
func (r *run) keepFailed(i int32, nd *node, before *value.Dict, err error) {
	if f := fault.From(err); r.c.keepState && f.Code == CodeRuntimeError {
		inputs := r.held(r.pending)
		inputs.Set(nd.name, before)
		r.result.Snapshot = r.snapshot(Breakpoint{Component: nd.name, Visit: int(r.s.tallies[i].visits)}, inputs)
	}
}

func (r *run) snapshot(at Breakpoint, inputs *value.Dict) *Snapshot {
	s := &Snapshot{Break: at, Time: r.now(), ordered: r.g.names(), internal: true, visits: &value.Dict{}}
	write := func(what string, d *value.Dict) *value.Dict {
		out, left := envelopeFields(d)
		for _, name := range left {
			s.Left = append(s.Left, what+"."+name)
			r.warn("Failed to serialize the '%s' field of the %s. The field will be omitted from the snapshot.", name, what)
		}
		return out
	}
	s.inputs, s.outputs, s.original = write("inputs", inputs), write("outputs", r.result.Outputs), write("original", r.original)
	for i := range r.g.nodes {
		s.visits.Set(r.g.nodes[i].name, value.Int(r.s.tallies[i].visits))
		if r.include != nil && r.include[i] {
			s.include = append(s.include, r.g.nodes[i].name)
		}
	}
	return s
}

// restore brings a new run to where a snapshot was taken.
func (r *run) restore(s *Snapshot) error {
	if err := r.belongs(s); err != nil {
		return err
	}
	original, err := unwrapDict(s.original, "original_input_data")
	if err != nil {
		return err
	}
	inputs, err := unwrapDict(s.inputs, "inputs")
	if err != nil {
		return err
	}
	outputs, err := unwrapDict(s.outputs, "pipeline_outputs")
	if err != nil {
		return err
	}
	m := measure{what: "inputs", bytes: r.limits.InputBytes, values: r.limits.InputValues, depth: r.limits.Depth + 4}
	if err := m.add(inputs, 0); err != nil {
		return err
	}
	r.original, r.result.Outputs = original, outputs
	r.included(s.include)
	for name, v := range inputs.Strings() {
		if err := r.refill(s, name, v); err != nil {
			return err
		}
	}
	for name, v := range s.visits.Strings() {
		i := r.g.index[name]
		r.s.tallies[i].visits = int32(v.(value.Int))
		r.s.reprioritise(i)
	}
	return nil
}

// refill puts a component's pending inputs back.
func (r *run) refill(s *Snapshot, name string, v value.Value) error {
	i, ok := r.g.index[name]
	sockets, isDict := v.(*value.Dict)
	if !ok || !isDict {
		return foreign("component '%s' in 'inputs' is not part of the current pipeline", name)
	}
	for key, held := range sockets.All() {
		slot := r.g.slotNamed(&r.g.nodes[i], key)
		if slot < 0 {
			return foreign("component '%s' has no input %s", name, value.Repr(key))
		}
		if !s.internal {
			if name == s.Break.Component && r.visited(s, name) {
				return foreign("it is of an older form, which can be resumed on a component's first visit only")
			}
			r.s.setUser(slot, held)
			continue
		}
		entries, ok := held.(*value.List)
		if !ok {
			return foreign("the inputs of component '%s' are not lists of senders and values", name)
		}
		for _, it := range entries.Items {
			if err := r.refillOne(slot, it); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) visited(s *Snapshot, name string) bool {
	n, _ := s.visits.Get(name)
	return n != value.Int(0)
}

func (r *run) refillOne(slot int32, entry value.Value) error {
	info := &r.g.slots[slot]
	d, _ := entry.(*value.Dict)
	v, hasValue := d.Get("value")
	from, hasSender := d.Get("sender")
	if !hasValue || !hasSender {
		return foreign("an input of component '%s' has no sender and value", r.g.nodes[info.node].name)
	}
	if value.IsNone(from) {
		r.s.setUser(slot, v)
		return nil
	}
	sender, _ := from.(value.Str)
	if i, ok := r.g.index[string(sender)]; ok {
		for k := range r.g.nodes[i].edges {
			if e := &r.g.nodes[i].edges[k]; e.slot == slot {
				if _, marker := v.(noOutputMarker); marker {
					v = nil
				}
				r.s.write(e, v)
				return nil
			}
		}
	}
	return foreign("component '%s' does not send to '%s.%s'", sender, r.g.nodes[info.node].name, info.name)
}

// belongs is _validate_pipeline_snapshot_against_pipeline.
func (r *run) belongs(s *Snapshot) error {
	for _, name := range s.ordered {
		if _, ok := r.g.index[name]; !ok {
			return foreign("components {'%s'} in 'ordered_component_names' are not part of the current pipeline.", name)
		}
	}
	for _, name := range r.g.names() {
		if !slices.Contains(s.ordered, name) {
			return foreign("components {'%s'} in the current pipeline are not present in 'ordered_component_names'.", name)
		}
	}
	if _, ok := r.g.index[s.Break.Component]; !ok {
		return foreign("its break_point is at component '%s', which is not part of the current pipeline", s.Break.Component)
	}
	data, _ := s.original.Get("serialized_data")
	if d, ok := data.(*value.Dict); ok {
		for name := range d.Strings() {
			if _, ok := r.g.index[name]; !ok {
				return foreign("components {'%s'} in 'input_data' are not part of the current pipeline.", name)
			}
		}
	}
	return nil
}

func foreign(format string, args ...any) error {
	return invalid(CodeInvalidSnapshot, "Invalid pipeline snapshot: "+format, args...)
}
