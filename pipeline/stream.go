package pipeline

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// cleanup is how long an abandoned stream waits for its run to end (haystack/core/pipeline/pipeline.py, stream).
const cleanup = time.Second

// Stream is a run that is listened to while it works. It begins with the first use of Events or Result. It belongs to one
// goroutine.
type Stream struct {
	run   func(ctx context.Context, emit func(StreamEvent) error) (*Result, error)
	ctx   context.Context
	state atomic.Uint32
	res   *Result
	err   error
}

// What a stream's state says.
const (
	streamNew uint32 = iota
	streamOpen
	streamDone
	streamAbandoned
)

// Stream returns a handle on a run that passes chunks on while models answer, from all components that stream, or from
// those that an option [StreamFrom] names. Nothing happens, and nothing has to be closed, before it is used.
func (p *Plan) Stream(ctx context.Context, inputs *value.Dict, opts ...Option) *Stream {
	return &Stream{ctx: ctx, run: func(ctx context.Context, emit func(StreamEvent) error) (*Result, error) {
		listen := func(c *config) { c.stream = emit }
		return p.Run(ctx, inputs, append(opts[:len(opts):len(opts)], listen)...)
	}}
}

// StreamFrom names the components whose chunks [Plan.Stream] passes on.
func StreamFrom(components ...string) Option { return func(c *config) { c.streamFrom = components } }

// Events runs the plan and yields its chunks in order. The run waits while the loop's body works. Leaving the loop early
// abandons the run: its context is canceled, and it gets a second to end. A second use yields nothing.
func (s *Stream) Events() iter.Seq[StreamEvent] {
	return func(yield func(StreamEvent) bool) {
		if !s.state.CompareAndSwap(streamNew, streamOpen) {
			return
		}
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		chunks, over := make(chan StreamEvent), make(chan struct{})
		var res *Result
		var err error
		go func() {
			defer close(over)
			res, err = s.run(ctx, func(ev StreamEvent) error {
				select {
				case chunks <- ev:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}()
		finished := false
		defer func() { // also when the loop's body panics
			if !finished {
				s.abandon(cancel, over)
			}
		}()
		for {
			select {
			case ev := <-chunks:
				if !yield(ev) {
					return
				}
			case <-over:
				finished = true
				s.res, s.err = res, err
				s.state.Store(streamDone)
				return
			}
		}
	}
}

func (s *Stream) abandon(cancel context.CancelFunc, over <-chan struct{}) {
	cancel()
	s.state.Store(streamAbandoned)
	wait := time.NewTimer(cleanup)
	defer wait.Stop()
	select {
	case <-over:
	case <-wait.C:
	}
}

// Result returns what the run gave, as [Plan.Run] does. A stream that was not listened to runs now. Before the end of a
// loop over Events it is a Conflict, after leaving the loop early it is Canceled; the result is empty then.
func (s *Stream) Result() (*Result, error) {
	for range s.Events() { // unless it has begun
	}
	switch s.state.Load() {
	case streamDone:
		return s.res, s.err
	case streamAbandoned:
		return emptyResult(), fault.New(fault.Canceled, "the stream was abandoned before the run ended")
	}
	return emptyResult(), fault.New(fault.Conflict, "the run is still streaming").WithHint("read the result after the loop over its events")
}

func emptyResult() *Result { return &Result{Outputs: &value.Dict{}} }
