package flag

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Segment is a named list of conditions that rules of many flags refer to with [InSegment]. It belongs to the app, as flags
// do: what a tenant may decide about a flag is its own value.
type Segment struct {
	base.Entity
	ID          id.ID       `json:"id"`
	Key         string      `json:"key"`
	Description string      `json:"description,omitempty"`
	Conditions  []Condition `json:"conditions"`
	Any         bool        `json:"any,omitempty"` // one condition is enough; otherwise all must hold
	AppID       string      `json:"app_id"`
	Version     int64       `json:"version"` // rises with each write; not an input
}

// SegmentStore is a [Store] that keeps segments. The stores of this wing do.
type SegmentStore interface {
	// DefineFlagSegment creates a segment or changes it.
	DefineFlagSegment(ctx context.Context, s *Segment) error
	// GetFlagSegment returns a segment, or an error that errors.Is vault.ErrFlagNotFound.
	GetFlagSegment(ctx context.Context, key, appID string) (*Segment, error)
	// ListFlagSegments returns an app's segments by key.
	ListFlagSegments(ctx context.Context, appID string, opts ListOpts) ([]*Segment, error)
	// DeleteFlagSegment removes a segment. One that a rule or another segment refers to stays (Conflict).
	DeleteFlagSegment(ctx context.Context, key, appID string) error
}

// InSegment holds for who is in one of the segments.
func InSegment(keys ...string) Condition {
	c := Condition{Op: OpInSegment, Values: make([]any, len(keys))}
	for i, k := range keys {
		c.Values[i] = k
	}
	return c
}

const (
	maxSegments    = 100    // that one condition names
	maxSegmentCost = 10_000 // conditions that one evaluation may have to look at for a segment
)

// segmentSource finds a segment by its key.
type segmentSource func(key string) (*Segment, error)

// storedSegments finds segments inside a transaction.
func storedSegments(ctx context.Context, tx driver.Tx, app string) segmentSource {
	return func(key string) (*Segment, error) {
		row, err := tx.FlagSegment(ctx, app, driver.Shared, key)
		if errors.Is(err, driver.ErrNotFound) {
			return nil, noSegment(key)
		}
		if err != nil {
			return nil, err
		}
		return decodeSegment(row)
	}
}

func noSegment(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrFlagNotFound, "there is no segment %s", audit.Display(key)).WithCode("SegmentNotFound")
}

// compiledSegment is a segment ready to be evaluated, immutable and shared.
type compiledSegment struct {
	key        string
	any        bool
	conditions []compiledCondition
	cost       int // conditions to look at, those of the segments inside included
}

func (c *compiledSegment) holds(s *subject) bool {
	for i := range c.conditions {
		if c.conditions[i].match(s) == c.any {
			return c.any
		}
	}
	return !c.any
}

// segmentCompiler compiles the segments that one flag, or one segment, refers to, each once.
type segmentCompiler struct {
	source segmentSource // nil: there are none
	done   map[string]*compiledSegment
	path   []string // being compiled, to see a circle
}

func newSegmentCompiler(source segmentSource) *segmentCompiler {
	return &segmentCompiler{source: source, done: map[string]*compiledSegment{}}
}

// named compiles the segments that a condition names.
func (sc *segmentCompiler) named(c Condition) ([]*compiledSegment, error) {
	if c.Attribute != "" {
		return nil, fault.New(fault.Invalid, "the operator %s looks at no attribute", string(c.Op)).WithHint("leave the attribute out")
	}
	keys, err := c.strings()
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 || len(keys) > maxSegments {
		return nil, fault.New(fault.Invalid, "the operator %s names 1 to %d segments, not %d", string(c.Op), maxSegments, len(keys))
	}
	out := make([]*compiledSegment, len(keys))
	for i, k := range keys {
		if out[i], err = sc.get(k); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (sc *segmentCompiler) get(key string) (*compiledSegment, error) {
	if c := sc.done[key]; c != nil {
		return c, nil
	}
	if at := slices.Index(sc.path, key); at >= 0 {
		return nil, fault.New(fault.Invalid, "the segments go round in a circle: %s", strings.Join(append(sc.path[at:], key), " refers to ")).
			WithHint("take one of them out")
	}
	if sc.source == nil {
		return nil, fault.New(fault.Unsupported, "this store keeps no segments")
	}
	s, err := sc.source(key)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.New(fault.Invalid, "the segment %s does not exist", audit.Display(key)).WithHint("define that one first")
	}
	if err != nil {
		return nil, err
	}
	return sc.compile(s)
}

func (sc *segmentCompiler) compile(s *Segment) (*compiledSegment, error) {
	if len(sc.path) >= maxDepth {
		return nil, fault.New(fault.Invalid, "the chain of segments is longer than %d", maxDepth)
	}
	sc.path = append(sc.path, s.Key)
	conditions, err := compileConditions(s.Conditions, "conditions", sc)
	sc.path = sc.path[:len(sc.path)-1]
	if err != nil {
		return nil, err
	}
	c := &compiledSegment{key: s.Key, any: s.Any, conditions: conditions}
	for i := range conditions {
		c.cost++
		for _, inner := range conditions[i].segments {
			c.cost += inner.cost
		}
	}
	if c.cost > maxSegmentCost {
		return nil, fault.New(fault.TooLarge, "the segment %s has more than %d conditions, those of the segments inside included", s.Key, maxSegmentCost)
	}
	sc.done[s.Key] = c
	return c, nil
}

// storedSegment is what is written down of a segment.
type storedSegment struct {
	Description string            `json:"description,omitempty"`
	Any         bool              `json:"any,omitempty"`
	Conditions  []storedCondition `json:"conditions"`
}

func encodeSegment(s *Segment) (string, error) {
	var c coder
	return c.text(storedSegment{s.Description, s.Any, c.encodeConditions(s.Conditions)}, "conditions")
}

func decodeSegment(r driver.FlagSegmentRow) (*Segment, error) {
	var stored storedSegment
	if err := strict(r.Definition, &stored); err != nil {
		return nil, unreadable(r.Name, err)
	}
	var c coder
	s := &Segment{Entity: entity(r.CreatedAt, r.UpdatedAt), ID: id.ID(r.ID), Key: r.Name, Description: stored.Description, Any: stored.Any,
		Conditions: c.decodeConditions(stored.Conditions), AppID: r.App, Version: r.Version}
	if c.err != nil {
		return nil, unreadable(r.Name, c.err)
	}
	return s, nil
}
