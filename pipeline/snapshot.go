package pipeline

import (
	"slices"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// CodeInvalidSnapshot marks a snapshot that does not belong to the pipeline it is to resume.
const CodeInvalidSnapshot = "PipelineInvalidPipelineSnapshotError"

// Breakpoint is a place to stop at (haystack/dataclasses/breakpoints.py).
type Breakpoint struct {
	Component string
	Visit     int // how often the component has run before, from 0
}

// BreakAt stops the run before a component's visit: with a BreakpointException, and the state in [Result].Snapshot. A
// component that does not exist is a ValueError; a breakpoint that is never reached is a warning. Runs that may stop, or
// resume, take one component at a time, also under [WithConcurrency]: what they give is the same.
func BreakAt(at Breakpoint) Option { return func(c *config) { c.breakAt = &at } }

// KeepSnapshot also keeps the state, in [Result].Snapshot, when a component fails: as it was before that visit.
func KeepSnapshot() Option { return func(c *config) { c.keepState = true } }

// Resume goes on where a snapshot was taken. The run's inputs must be empty: they, the outputs so far and the components
// whose outputs were asked for are in the snapshot. Secrets are not: they are asked for again.
func Resume(s *Snapshot) Option { return func(c *config) { c.resume = s } }

// Snapshot is a run's state before one visit of one component. It holds what the caller and the components said: whoever
// stores it guards it as such. It is made by a run or by [SnapshotFromDict].
type Snapshot struct {
	Break    Breakpoint
	Time     time.Time // zero when not known
	Left     []string  // what has no serialised form and is missing: "inputs.component", "outputs.component", "original.component"
	path     value.Value
	inputs   *value.Dict // serialised
	outputs  *value.Dict // serialised
	original *value.Dict // serialised
	visits   *value.Dict
	ordered  []string
	include  []string
	internal bool // inputs name their senders
}

// ToDict writes the snapshot as Haystack's PipelineSnapshot.to_dict does; as JSON it can be resumed there, too.
func (s *Snapshot) ToDict() *value.Dict {
	format, stamp := value.None, value.None
	if s.internal {
		format = value.Str("internal")
	}
	if !s.Time.IsZero() {
		stamp = value.Str(value.DateTime{Time: s.Time.UTC()}.ISO('T'))
	}
	path := s.path
	if path == nil {
		path = value.None
	}
	return value.NewDict(
		"pipeline_state", value.NewDict("inputs", s.inputs, "component_visits", s.visits, "pipeline_outputs", s.outputs, "inputs_format", format),
		"break_point", value.NewDict("component_name", value.Str(s.Break.Component), "visit_count", value.Int(s.Break.Visit), "snapshot_file_path", path),
		"timestamp", stamp,
		"original_input_data", s.original,
		"ordered_component_names", strs(s.ordered),
		"include_outputs_from", strs(s.include))
}

func strs(names []string) *value.List {
	out := &value.List{Items: make([]value.Value, len(names))}
	for i, n := range names {
		out.Items[i] = value.Str(n)
	}
	return out
}

// SnapshotFromDict reads what [Snapshot.ToDict] or Haystack wrote. Unknown keys are errors.
func SnapshotFromDict(d *value.Dict) (*Snapshot, error) {
	if err := onlyKeys(d, "a snapshot", "pipeline_state", "break_point", "timestamp", "original_input_data", "ordered_component_names", "include_outputs_from"); err != nil {
		return nil, err
	}
	s := &Snapshot{}
	state, err := dictAt(d, "pipeline_state")
	if err == nil {
		err = onlyKeys(state, "pipeline_state", "inputs", "component_visits", "pipeline_outputs", "inputs_format")
	}
	if err != nil {
		return nil, err
	}
	if s.inputs, err = dictAt(state, "inputs"); err != nil {
		return nil, err
	}
	if s.outputs, err = dictAt(state, "pipeline_outputs"); err != nil {
		return nil, err
	}
	if s.visits, err = dictAt(state, "component_visits"); err != nil {
		return nil, err
	}
	if s.original, err = dictAt(d, "original_input_data"); err != nil {
		return nil, err
	}
	switch format, _ := state.Get("inputs_format"); {
	case format == value.Str("internal"):
		s.internal = true
	case format != nil && !value.IsNone(format):
		return nil, unreadable("its inputs_format is %s", value.Repr(format))
	}
	if s.ordered, err = namesAt(d, "ordered_component_names"); err != nil {
		return nil, err
	}
	if s.include, err = namesAt(d, "include_outputs_from"); err != nil {
		return nil, err
	}
	if err := s.readBreak(d); err != nil {
		return nil, err
	}
	return s, s.consistent()
}

func (s *Snapshot) readBreak(d *value.Dict) error {
	at, err := dictAt(d, "break_point")
	if err == nil {
		err = onlyKeys(at, "break_point", "component_name", "visit_count", "snapshot_file_path")
	}
	if err != nil {
		return err
	}
	n, _ := at.Get("component_name")
	name, ok := n.(value.Str)
	v, given := at.Get("visit_count")
	visit, isInt := v.(value.Int)
	if !ok || given && (!isInt || visit < 0) {
		return unreadable("its break_point names no component and visit")
	}
	s.Break = Breakpoint{Component: string(name), Visit: int(visit)}
	s.path, _ = at.Get("snapshot_file_path")
	if stamp, _ := d.Get("timestamp"); stamp != nil && !value.IsNone(stamp) {
		text, _ := stamp.(value.Str)
		if s.Time, err = time.Parse("2006-01-02T15:04:05.999999", string(text)); err != nil {
			if s.Time, err = time.Parse(time.RFC3339Nano, string(text)); err != nil {
				return unreadable("its timestamp is no time in ISO form")
			}
		}
	}
	return nil
}

// consistent holds PipelineSnapshot.__post_init__'s rule, and that visits are numbers.
func (s *Snapshot) consistent() error {
	for k, v := range s.visits.All() {
		name, ok := k.(value.Str)
		n, isInt := v.(value.Int)
		if !ok || !isInt || n < 0 || n > 1<<30 || !slices.Contains(s.ordered, string(name)) {
			return invalid(CodeValueError, "Inconsistent state: component_visits has %s: %s, which does not match ordered_component_names",
				value.Repr(k), value.Repr(v))
		}
	}
	for _, name := range s.ordered {
		if _, ok := s.visits.Get(name); !ok {
			return invalid(CodeValueError, "Inconsistent state: ordered_component_names has '%s', and component_visits does not", name)
		}
	}
	return nil
}

func onlyKeys(d *value.Dict, what string, known ...string) error {
	for k := range d.All() {
		if name, ok := k.(value.Str); !ok || !slices.Contains(known, string(name)) {
			return unreadable("%s has an unknown key %s", what, value.Repr(k)).(*fault.Error).At(fault.Where{Field: value.ToStr(k)})
		}
	}
	return nil
}

func dictAt(d *value.Dict, key string) (*value.Dict, error) {
	v, _ := d.Get(key)
	out, ok := v.(*value.Dict)
	if !ok {
		return nil, unreadable("'%s' must be a mapping", key)
	}
	return out, nil
}

func namesAt(d *value.Dict, key string) ([]string, error) {
	v, given := d.Get(key)
	if !given {
		return nil, nil
	}
	list, ok := v.(*value.List)
	if !ok {
		return nil, unreadable("'%s' must be a list of names", key)
	}
	out := make([]string, len(list.Items))
	for i, it := range list.Items {
		name, ok := it.(value.Str)
		if !ok {
			return nil, unreadable("'%s' must be a list of names", key)
		}
		out[i] = string(name)
	}
	return out, nil
}
