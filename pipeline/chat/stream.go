package chat

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

const streamPath = "haystack.dataclasses.streaming_chunk."

// StreamingChunk is haystack.dataclasses.streaming_chunk.StreamingChunk. Only one of Content, ToolCalls, ToolCallResult
// and Reasoning may be set.
type StreamingChunk struct {
	Content        string
	Meta           *value.Dict // nil is {}
	ComponentInfo  *ComponentInfo
	Index          *int
	ToolCalls      []*ToolCallDelta
	ToolCallResult *ToolCallResult
	Start          bool
	FinishReason   string // "stop", "length", "tool_calls", "content_filter", "tool_call_results"; "" is None
	Reasoning      *ReasoningContent
}

// ToolCallDelta is a piece of a tool call.
type ToolCallDelta struct {
	Index     int
	ToolName  *string
	Arguments *string // JSON text, or a piece of it
	ID        *string
	Extra     *value.Dict
}

// ComponentInfo names the component that streams.
type ComponentInfo struct {
	Type string
	Name *string
}

// Kind returns value.KindObject.
func (*StreamingChunk) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*ToolCallDelta) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*ComponentInfo) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of StreamingChunk.
func (*StreamingChunk) Class() string { return streamPath + "StreamingChunk" }

// Class returns the Python path of ToolCallDelta.
func (*ToolCallDelta) Class() string { return streamPath + "ToolCallDelta" }

// Class returns the Python path of ComponentInfo.
func (*ComponentInfo) Class() string { return streamPath + "ComponentInfo" }

// Check reports whether the chunk holds at most one kind of content, with an index where Haystack demands one.
func (c *StreamingChunk) Check() error {
	set := 0
	for _, on := range []bool{c.Content != "", len(c.ToolCalls) > 0, c.ToolCallResult != nil, c.Reasoning != nil} {
		if on {
			set++
		}
	}
	if set > 1 {
		return fault.New(fault.Invalid, "Only one of `content`, `tool_call`, `tool_call_result` or `reasoning` may be set in a "+
			"StreamingChunk. Got content: '%s', tool_call: '%s', tool_call_result: '%s', reasoning: '%s'.", c.Content,
			value.Repr(c.toolCalls(false)), value.Repr(object(c.ToolCallResult)), value.Repr(object(c.Reasoning))).WithCode("ValueError")
	}
	if c.Index == nil && (len(c.ToolCalls) > 0 || c.ToolCallResult != nil || c.Reasoning != nil) {
		return fault.New(fault.Invalid, "If `tool_call`, `tool_call_result` or `reasoning` is set, `index` must also be set.").
			WithCode("ValueError")
	}
	return nil
}

func (c *StreamingChunk) toolCalls(dicts bool) value.Value {
	if len(c.ToolCalls) == 0 {
		return value.None
	}
	out := &value.List{Items: make([]value.Value, len(c.ToolCalls))}
	for i, tc := range c.ToolCalls {
		if out.Items[i] = tc; dicts {
			out.Items[i] = tc.ToDict()
		}
	}
	return out
}

// object returns a data class, or None for a nil pointer.
func object[T any, P interface {
	*T
	value.Object
}](p P) value.Value {
	if p == nil {
		return value.None
	}
	return p
}

func objectDict[T any, P interface {
	*T
	value.Object
}](p P) value.Value {
	if p == nil {
		return value.None
	}
	return p.ToDict()
}

// ToDict returns every field, unset ones as None.
func (c *StreamingChunk) ToDict() *value.Dict {
	return value.NewDict("content", value.Str(c.Content), "meta", orEmpty(c.Meta), "component_info", objectDict(c.ComponentInfo),
		"index", value.OptIntValue(c.Index), "tool_calls", c.toolCalls(true), "tool_call_result", objectDict(c.ToolCallResult),
		"start", value.Bool(c.Start), "finish_reason", c.finish(), "reasoning", objectDict(c.Reasoning))
}

func (c *StreamingChunk) finish() value.Value {
	if c.FinishReason == "" {
		return value.None
	}
	return value.Str(c.FinishReason)
}

func (c *StreamingChunk) pairs() []any {
	return []any{"content", value.Str(c.Content), "meta", orEmpty(c.Meta), "component_info", object(c.ComponentInfo),
		"index", value.OptIntValue(c.Index), "tool_calls", c.toolCalls(false), "tool_call_result", object(c.ToolCallResult),
		"start", value.Bool(c.Start), "finish_reason", c.finish(), "reasoning", object(c.Reasoning)}
}

// Attr returns a field.
func (c *StreamingChunk) Attr(name string) (value.Value, bool) { return pick(name, c.pairs()) }

// Repr returns the dataclass repr.
func (c *StreamingChunk) Repr() string { return reprFields("StreamingChunk", c.pairs()...) }

func (t *ToolCallDelta) pairs() []any {
	return []any{"index", value.Int(t.Index), "tool_name", value.OptValue(t.ToolName), "arguments", value.OptValue(t.Arguments),
		"id", value.OptValue(t.ID), "extra", value.DictValue(t.Extra)}
}

// Attr returns a field.
func (t *ToolCallDelta) Attr(name string) (value.Value, bool) { return pick(name, t.pairs()) }

// ToDict returns {index, tool_name, arguments, id, extra}.
func (t *ToolCallDelta) ToDict() *value.Dict { return value.NewDict(t.pairs()...) }

// Repr returns the dataclass repr.
func (t *ToolCallDelta) Repr() string { return reprFields("ToolCallDelta", t.pairs()...) }

func (c *ComponentInfo) pairs() []any {
	return []any{"type", value.Str(c.Type), "name", value.OptValue(c.Name)}
}

// Attr returns type or name.
func (c *ComponentInfo) Attr(name string) (value.Value, bool) { return pick(name, c.pairs()) }

// ToDict returns {type, name}.
func (c *ComponentInfo) ToDict() *value.Dict { return value.NewDict(c.pairs()...) }

// Repr returns the dataclass repr.
func (c *ComponentInfo) Repr() string { return reprFields("ComponentInfo", c.pairs()...) }

func pick(name string, pairs []any) (value.Value, bool) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1].(value.Value), true
		}
	}
	return nil, false
}

// ChunkFromDict reads a chunk; only content is required.
func ChunkFromDict(d *value.Dict) (*StreamingChunk, error) {
	if _, ok := d.Get("content"); !ok {
		return nil, invalid("ValueError", "Missing required field `content` in StreamingChunk deserialization.")
	}
	f := value.ReadFields("StreamingChunk", d, "content", "meta", "component_info", "index", "tool_calls", "tool_call_result",
		"start", "finish_reason", "reasoning")
	c := &StreamingChunk{Content: f.Str("content"), Meta: f.Dict("meta"), Index: f.OptInt("index"), Start: f.Bool("start", false)}
	if reason := f.OptStr("finish_reason"); reason != nil {
		c.FinishReason = *reason
	}
	if info := f.OptDict("component_info"); info.Len() > 0 {
		c.ComponentInfo = readComponentInfo(f, info)
	}
	for _, it := range f.List("tool_calls") {
		c.ToolCalls = append(c.ToolCalls, readDelta(f, it))
	}
	var err error
	if result := f.OptDict("tool_call_result"); result.Len() > 0 {
		c.ToolCallResult, err = ToolCallResultFromDict(result)
		f.Note(err)
	}
	if reasoning := f.OptDict("reasoning"); reasoning.Len() > 0 {
		c.Reasoning, err = ReasoningFromDict(reasoning)
		f.Note(err)
	}
	if f.Err() != nil {
		return nil, f.Err()
	}
	return c, c.Check()
}

func readComponentInfo(f *value.Fields, d *value.Dict) *ComponentInfo {
	g := value.ReadFields("ComponentInfo", d, "type", "name")
	info := &ComponentInfo{Type: g.Str("type"), Name: g.OptStr("name")}
	f.Note(g.Err())
	return info
}

func readDelta(f *value.Fields, v value.Value) *ToolCallDelta {
	d, ok := v.(*value.Dict)
	if !ok {
		f.Fail("TypeError", "a tool call of StreamingChunk must be a mapping, but is %s", value.TypeName(v))
		return nil
	}
	g := value.ReadFields("ToolCallDelta", d, "index", "tool_name", "arguments", "id", "extra")
	out := &ToolCallDelta{Index: g.Int("index"), ToolName: g.OptStr("tool_name"), Arguments: g.OptStr("arguments"), ID: g.OptStr("id"),
		Extra: g.OptDict("extra")}
	f.Note(g.Err())
	return out
}
