package host

import (
	"slices"
	"sync"

	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
)

// streamer passes a run's chunks on without the run's secrets. A value may be spread over chunks, so that each
// component's text goes through a filter of its own, which may hold back a chunk's end until the next one.
type streamer struct {
	mu      sync.Mutex
	secrets *redact.Set
	out     func(component string, chunk *chat.StreamingChunk) error
	filters map[string]*filter
	order   []string
}

type filter struct {
	text, reasoning *redact.Stream
	last            *chat.StreamingChunk
}

func newStreamer(secrets *redact.Set, out func(string, *chat.StreamingChunk) error) *streamer {
	return &streamer{secrets: secrets, out: out, filters: map[string]*filter{}}
}

func (s *streamer) next(ev pipeline.StreamEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.filters[ev.Component]
	if f == nil {
		f = &filter{text: redact.NewStream(s.secrets), reasoning: redact.NewStream(s.secrets)}
		s.filters[ev.Component] = f
		s.order = append(s.order, ev.Component)
	}
	f.last = ev.Chunk
	chunk := *ev.Chunk
	chunk.Content = f.text.Next(ev.Chunk.Content)
	if ev.Chunk.FinishReason != "" {
		chunk.Content += f.text.Rest()
	}
	s.cleanRest(f, &chunk)
	if chunk.Content == "" && ev.Chunk.Content != "" {
		return nil // all of it is held back
	}
	return s.out(ev.Component, &chunk)
}

// cleanRest redacts what else a chunk may quote: reasoning, which streams like text, and tool calls and meta.
func (s *streamer) cleanRest(f *filter, chunk *chat.StreamingChunk) {
	if r := chunk.Reasoning; r != nil {
		clean := *r
		clean.Text = f.reasoning.Next(r.Text)
		chunk.Reasoning = &clean
	}
	if chunk.Meta != nil {
		chunk.Meta, _ = s.secrets.Value(chunk.Meta).(*value.Dict)
	}
	if len(chunk.ToolCalls) > 0 {
		chunk.ToolCalls = slices.Clone(chunk.ToolCalls)
		for i, call := range chunk.ToolCalls {
			if call.Arguments != nil {
				clean, text := *call, s.secrets.String(*call.Arguments)
				clean.Arguments = &text
				chunk.ToolCalls[i] = &clean
			}
		}
	}
}

// flush sends what was held back, once the run has ended well.
func (s *streamer) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range s.order {
		f := s.filters[name]
		rest := f.text.Rest()
		if rest == "" {
			continue
		}
		chunk := *f.last
		chunk.Content = rest
		if err := s.out(name, &chunk); err != nil {
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
