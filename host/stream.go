package host

import (
	"maps"
	"slices"
	"sync"

	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
)

// streamer passes a run's chunks on without the run's secrets. A value may be spread over chunks, so that each piece of
// text a component streams goes through a filter of its own, which may hold back a chunk's end until the next one.
type streamer struct {
	mu      sync.Mutex
	secrets *redact.Set
	out     func(component string, chunk *chat.StreamingChunk) error
	filters map[string]*filter
	order   []string
}

// filter is what one component's stream holds back.
type filter struct {
	text, reasoning *redact.Stream
	arguments       map[int]*redact.Stream // of the tool calls, by index
	last            *chat.StreamingChunk
	start           bool // a chunk that was held back as a whole began something
}

func newStreamer(secrets *redact.Set, out func(string, *chat.StreamingChunk) error) *streamer {
	return &streamer{secrets: secrets, out: out, filters: map[string]*filter{}}
}

func (s *streamer) next(ev pipeline.StreamEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.filters[ev.Component]
	if f == nil {
		f = &filter{text: redact.NewStream(s.secrets), reasoning: redact.NewStream(s.secrets), arguments: map[int]*redact.Stream{}}
		s.filters[ev.Component] = f
		s.order = append(s.order, ev.Component)
	}
	chunk, err := s.clean(f, ev.Chunk)
	if err != nil {
		return err
	}
	ended := ev.Chunk.FinishReason != ""
	if ended {
		f.complete(chunk)
	}
	// What was held back goes out before what is of another kind, and before the end.
	if err := s.release(ev.Component, f, func(k kind) bool { return ended || k != kindOf(ev.Chunk) }); err != nil {
		return err
	}
	f.last = ev.Chunk
	chunk.Start = chunk.Start || f.start
	if f.start = false; empty(chunk) && !empty(ev.Chunk) && !ended {
		f.start = chunk.Start
		return nil // all of it is held back
	}
	return s.out(ev.Component, chunk)
}

// kind is which of its fields a chunk uses.
type kind int

const (
	kindNone kind = iota
	kindText
	kindReasoning
	kindArguments
)

func kindOf(c *chat.StreamingChunk) kind {
	switch {
	case c.Content != "":
		return kindText
	case c.Reasoning != nil:
		return kindReasoning
	case len(c.ToolCalls) > 0:
		return kindArguments
	}
	return kindNone
}

// empty reports whether a chunk says nothing but that it is one.
func empty(c *chat.StreamingChunk) bool {
	return c.Content == "" && (c.Reasoning == nil || c.Reasoning.Text == "") && len(c.ToolCalls) == 0 && c.ToolCallResult == nil && c.FinishReason == ""
}

// clean returns the chunk with every word in it redacted: texts that stream through their filters, the others whole.
func (s *streamer) clean(f *filter, in *chat.StreamingChunk) (*chat.StreamingChunk, error) {
	chunk := *in
	chunk.Content = f.text.Next(in.Content)
	if r := in.Reasoning; r != nil {
		chunk.Reasoning = &chat.ReasoningContent{Text: f.reasoning.Next(r.Text), Extra: s.dict(r.Extra)}
	}
	chunk.Meta = s.dict(in.Meta)
	if len(in.ToolCalls) > 0 {
		chunk.ToolCalls = make([]*chat.ToolCallDelta, len(in.ToolCalls))
		for i, call := range in.ToolCalls {
			chunk.ToolCalls[i] = s.call(f, call)
		}
	}
	if in.ToolCallResult != nil && !s.secrets.Empty() {
		result, err := chat.ToolCallResultFromDict(s.dict(in.ToolCallResult.ToDict()))
		if err != nil {
			return nil, err
		}
		chunk.ToolCallResult = result
	}
	return &chunk, nil
}

func (s *streamer) call(f *filter, in *chat.ToolCallDelta) *chat.ToolCallDelta {
	call := *in
	call.ToolName, call.ID, call.Extra = s.text(in.ToolName), s.text(in.ID), s.dict(in.Extra)
	if in.Arguments != nil {
		st := f.arguments[in.Index]
		if st == nil {
			st = redact.NewStream(s.secrets)
			f.arguments[in.Index] = st
		}
		text := st.Next(*in.Arguments)
		call.Arguments = &text
	}
	return &call
}

// complete adds to a last chunk what its own fields hold back.
func (f *filter) complete(chunk *chat.StreamingChunk) {
	switch {
	case chunk.Reasoning != nil:
		chunk.Reasoning.Text += f.reasoning.Rest()
	case len(chunk.ToolCalls) > 0:
		for _, call := range chunk.ToolCalls {
			if st := f.arguments[call.Index]; st != nil && call.Arguments != nil {
				text := *call.Arguments + st.Rest()
				call.Arguments = &text
			}
		}
	case chunk.ToolCallResult == nil:
		chunk.Content += f.text.Rest()
	}
}

func (s *streamer) text(p *string) *string {
	if p == nil {
		return nil
	}
	clean := s.secrets.String(*p)
	return &clean
}

func (s *streamer) dict(d *value.Dict) *value.Dict {
	if d == nil {
		return nil
	}
	clean, _ := s.secrets.Value(d).(*value.Dict)
	return clean
}

// release sends what a component's filters hold back, for the kinds that which chooses.
func (s *streamer) release(name string, f *filter, which func(kind) bool) error {
	var rest []*chat.StreamingChunk
	if text := restOf(f.reasoning, which(kindReasoning)); text != "" {
		rest = append(rest, &chat.StreamingChunk{Reasoning: &chat.ReasoningContent{Text: text, Extra: &value.Dict{}}})
	}
	if text := restOf(f.text, which(kindText)); text != "" {
		rest = append(rest, &chat.StreamingChunk{Content: text})
	}
	for _, index := range slices.Sorted(maps.Keys(f.arguments)) {
		if text := restOf(f.arguments[index], which(kindArguments)); text != "" {
			rest = append(rest, &chat.StreamingChunk{ToolCalls: []*chat.ToolCallDelta{{Index: index, Arguments: &text}}})
		}
	}
	for _, chunk := range rest {
		chunk.Start, f.start = f.start, false
		if f.last != nil {
			chunk.ComponentInfo, chunk.Index = f.last.ComponentInfo, f.last.Index
		}
		if err := s.out(name, chunk); err != nil {
			return err
		}
	}
	return nil
}

func restOf(st *redact.Stream, wanted bool) string {
	if !wanted {
		return ""
	}
	return st.Rest()
}

// flush sends what was held back, once the run has ended well.
func (s *streamer) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.order {
		if err := s.release(name, s.filters[name], func(kind) bool { return true }); err != nil {
			return err
		}
	}
	return nil
}

// discard drops what was held back: after a failure nothing more is said.
func (s *streamer) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filters = map[string]*filter{}
	s.order = nil
}
