package pipeline

import (
	"cmp"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// consume takes a node's inputs out of its sockets into in (_consume_component_inputs, _add_missing_input_defaults). What
// other components sent is used up; what the user sent stays for the next visit, except on greedy sockets, where it would
// trigger the node for ever.
func (s *state) consume(nd *node, in component.In) error {
	for local := range in {
		i := nd.first + int32(local)
		info, sl := &s.g.slots[i], &s.slots[i]
		v, err := s.take(info, sl)
		if err != nil {
			return err
		}
		if v == nil {
			v = info.def
			if sl.lazy && info.variadic == component.Single && v != nil {
				v = value.NewList(v)
			}
		}
		in[local] = v
		s.touch(i)
	}
	return nil
}

func (s *state) take(info *slotInfo, sl *slot) (v value.Value, err error) {
	if sl.lazy {
		return s.takeLazy(info, sl)
	}
	if sl.from == fromUser || sl.from == fromSender {
		v = sl.val
	}
	greedy := info.variadic == component.Greedy
	if greedy && v != nil {
		v = value.NewList(v)
	}
	if sl.from != fromUser || greedy {
		sl.val, sl.from = nil, fromNobody
	}
	return v, nil
}

func (s *state) takeLazy(info *slotInfo, sl *slot) (v value.Value, err error) {
	if len(sl.items) > 0 {
		if s.keyed {
			slices.SortStableFunc(sl.items, func(a, b item) int { return cmp.Compare(a.seq, b.seq) })
		}
		if info.flatten || info.variadic == component.Single {
			v, err = flatten(sl.items)
		} else {
			items := make([]value.Value, len(sl.items))
			for k := range sl.items {
				items[k] = sl.items[k].val
			}
			v = &value.List{Items: items}
		}
	}
	s.keepUser(sl)
	if sl.ran > 0 {
		for b := info.firstBit; b < info.firstBit+info.expected; b++ {
			s.ran[b>>6] &^= 1 << (b & 63)
			s.sent[b>>6] &^= 1 << (b & 63)
		}
		sl.ran, sl.sent = 0, 0
	}
	return v, err
}

// keepUser drops what components sent.
func (s *state) keepUser(sl *slot) {
	kept := sl.items[:0]
	for _, it := range sl.items {
		if it.seq == 0 {
			kept = append(kept, it)
		}
	}
	clear(sl.items[len(kept):])
	sl.items = kept
}

// flatten joins what several senders sent to a list socket, as itertools.chain does: any iterable goes.
func flatten(items []item) (value.Value, error) {
	out := &value.List{}
	for _, it := range items {
		switch v := it.val.(type) {
		case *value.List:
			out.Items = append(out.Items, v.Items...)
		case value.Tuple:
			out.Items = append(out.Items, v...)
		case *value.Set:
			out.Items = append(out.Items, v.Items()...)
		case *value.Dict:
			for k := range v.All() {
				out.Items = append(out.Items, k)
			}
		case value.Str:
			for _, r := range string(v) {
				out.Items = append(out.Items, value.Str(string(r)))
			}
		default:
			return nil, fault.New(fault.Failed, "'%s' object is not iterable", value.TypeName(it.val)).WithCode(CodeTypeError)
		}
	}
	return out, nil
}
