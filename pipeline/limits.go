package pipeline

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Limits bounds one plan and one run of it. A zero field takes its default; there is no "unlimited".
type Limits struct {
	Components  int   // in one pipeline; default 1,000
	Connections int   // in one pipeline; default 10,000
	Steps       int   // component runs in one run, over all components; default 100,000
	InputBytes  int64 // text and bytes in a run's inputs; default 64 MiB
	InputValues int   // values in a run's inputs, nested ones counted; default 1,000,000
	OutputBytes int64 // text and bytes in a run's outputs; default 256 MiB
	Depth       int   // nesting of inputs and outputs; default 64
}

// The defaults of [Limits].
const (
	DefaultComponents  = 1_000
	DefaultConnections = 10_000
	DefaultSteps       = 100_000
	DefaultInputBytes  = 64 << 20
	DefaultInputValues = 1_000_000
	DefaultOutputBytes = 256 << 20
	DefaultDepth       = 64
)

// withDefaults fills in what is zero or negative.
func (l Limits) withDefaults() Limits {
	l.Components = orDefault(l.Components, DefaultComponents)
	l.Connections = orDefault(l.Connections, DefaultConnections)
	l.Steps = orDefault(l.Steps, DefaultSteps)
	l.InputBytes = orDefault(l.InputBytes, DefaultInputBytes)
	l.InputValues = orDefault(l.InputValues, DefaultInputValues)
	l.OutputBytes = orDefault(l.OutputBytes, DefaultOutputBytes)
	l.Depth = orDefault(l.Depth, DefaultDepth)
	return l
}

func orDefault[T int | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// measure walks a value and stops at the first limit it hits.
type measure struct {
	what   string
	bytes  int64
	values int
	depth  int
}

func (m *measure) add(v value.Value, level int) error {
	if level > m.depth {
		return fault.New(fault.TooLarge, "the run's %s are nested too deeply", m.what).WithHint("the limit is set by the host")
	}
	m.values--
	switch v := any(v).(type) {
	case value.Str:
		m.bytes -= int64(len(v))
	case value.Bytes:
		m.bytes -= int64(len(v))
	case *value.List:
		return m.all(v.Items, level)
	case value.Tuple:
		return m.all(v, level)
	case *value.Dict:
		for i := range v.Len() {
			k, x := v.At(i)
			if s, ok := k.(value.Str); ok {
				m.values--
				m.bytes -= int64(len(s))
			} else if err := m.add(k, level); err != nil {
				return err
			}
			if err := m.add(x, level+1); err != nil {
				return err
			}
		}
	case *value.Set:
		return m.all(v.Items(), level)
	case *document.Document:
		if v.Content != nil {
			m.bytes -= int64(len(*v.Content))
		}
		if v.Blob != nil {
			m.bytes -= int64(len(v.Blob.Data))
		}
		m.bytes -= int64(8 * len(v.Embedding))
	case *document.ByteStream:
		m.bytes -= int64(len(v.Data))
	}
	if m.bytes < 0 || m.values < 0 {
		return fault.New(fault.TooLarge, "the run's %s are too large", m.what).WithHint("the limit is set by the host")
	}
	return nil
}

func (m *measure) all(items []value.Value, level int) error {
	for _, it := range items {
		if err := m.add(it, level+1); err != nil {
			return err
		}
	}
	return nil
}
