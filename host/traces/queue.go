package traces

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/haywardhq/hayward/fault"
)

// QueueOptions configures [NewQueue]. The zero value of each field is its default.
type QueueOptions struct {
	Size    int           // spans that wait; default 4096
	Bytes   int64         // of text in them; default 64 MiB, and content makes spans of up to 64 KiB a tag
	Batch   int           // most spans of one request; default 256
	Every   time.Duration // how long a span waits for others; default 2 s
	Retries int           // of a batch that may be sent again; default 2
	Retry   time.Duration // the pause before one, doubled for the next; default 500 ms
	Log     *slog.Logger  // default: nowhere
	Dropped func(n int)   // is told of spans that were lost; it must not wait
}

func (o QueueOptions) withDefaults() QueueOptions {
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&o.Size, 4096)
	def(&o.Batch, 256)
	if o.Bytes <= 0 {
		o.Bytes = 64 << 20
	}
	if o.Every <= 0 {
		o.Every = 2 * time.Second
	}
	if o.Retries <= 0 {
		o.Retries = 2
	}
	if o.Retry <= 0 {
		o.Retry = 500 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Queue is a span processor: spans that end wait in a bounded queue for a goroutine that sends them. A full queue loses the
// newest, which is counted and logged at most once a minute; nobody ever waits for it. Make one with NewQueue, end it with
// Shutdown.
type Queue struct {
	o       QueueOptions
	to      sdktrace.SpanExporter
	in      chan sdktrace.ReadOnlySpan
	bytes   atomic.Int64
	lost    atomic.Int64
	flushes chan chan struct{}
	stop    chan struct{}
	once    sync.Once
	done    chan struct{}
	ctx     context.Context // of requests; ends when Shutdown's time is up
	cancel  context.CancelFunc
}

// NewQueue returns a queue before an exporter.
func NewQueue(to sdktrace.SpanExporter, o QueueOptions) *Queue {
	o = o.withDefaults()
	q := &Queue{o: o, to: to, in: make(chan sdktrace.ReadOnlySpan, o.Size), flushes: make(chan chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	go q.run()
	return q
}

// Lost returns how many spans were lost so far.
func (q *Queue) Lost() int64 { return q.lost.Load() }

// OnStart implements sdktrace.SpanProcessor.
func (q *Queue) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor. It never waits.
func (q *Queue) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	n := size(s)
	select {
	case <-q.stop:
		q.lose(1)
		return
	default:
	}
	if q.bytes.Add(n) > q.o.Bytes {
		q.bytes.Add(-n)
		q.lose(1)
		return
	}
	select {
	case q.in <- s:
	default:
		q.bytes.Add(-n)
		q.lose(1)
	}
}

// size is about how much a span holds.
func size(s sdktrace.ReadOnlySpan) (n int64) {
	for _, kv := range s.Attributes() {
		n += int64(len(kv.Key)) + 16
		if kv.Value.Type().String() == "STRING" {
			n += int64(len(kv.Value.AsString()))
		}
	}
	return n
}

func (q *Queue) lose(n int) {
	q.lost.Add(int64(n))
	if q.o.Dropped != nil {
		q.o.Dropped(n)
	}
}

// run sends what waits, a batch at a time.
func (q *Queue) run() {
	defer close(q.done)
	tick := time.NewTicker(q.o.Every)
	defer tick.Stop()
	report := time.NewTicker(time.Minute)
	defer report.Stop()
	var told int64
	var batch []sdktrace.ReadOnlySpan
	send := func() {
		q.send(batch)
		batch = nil
		if told == 0 { // the first loss is told at once
			told = q.tell(told)
		}
	}
	for {
		select {
		case s := <-q.in:
			if batch = append(batch, s); len(batch) >= q.o.Batch {
				send()
			}
		case <-tick.C:
			send()
		case <-report.C:
			told = q.tell(told)
		case flushed := <-q.flushes:
			batch = q.drain(batch)
			send()
			close(flushed)
		case <-q.stop:
			batch = q.drain(batch)
			send()
			q.tell(told)
			return
		}
	}
}

// drain sends full batches of what waits now and returns the rest.
func (q *Queue) drain(batch []sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	for range len(q.in) {
		if batch = append(batch, <-q.in); len(batch) >= q.o.Batch {
			q.send(batch)
			batch = nil
		}
	}
	return batch
}

func (q *Queue) tell(told int64) int64 {
	lost := q.lost.Load()
	if lost > told {
		q.o.Log.Warn("spans were lost: the trace collector is away, too slow or refuses them", "spans", lost-told, "since_start", lost)
	}
	return lost
}

// send sends a batch, again if it may help; then it is lost.
func (q *Queue) send(batch []sdktrace.ReadOnlySpan) {
	if len(batch) == 0 {
		return
	}
	var n int64
	for _, s := range batch {
		n += size(s)
	}
	defer q.bytes.Add(-n)
	pause := q.o.Retry
	for attempt := 0; ; attempt++ {
		err := q.to.ExportSpans(q.ctx, batch)
		if err == nil {
			return
		}
		again := fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout)
		if attempt >= q.o.Retries || !again || q.ctx.Err() != nil {
			q.o.Log.Debug("a batch of spans was not taken", "error", err)
			q.lose(len(batch))
			return
		}
		select {
		case <-q.ctx.Done():
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// ForceFlush implements sdktrace.SpanProcessor: it returns once what has ended by now was sent or lost.
func (q *Queue) ForceFlush(ctx context.Context) error {
	flushed := make(chan struct{})
	select {
	case q.flushes <- flushed:
	case <-q.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-flushed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Shutdown implements sdktrace.SpanProcessor: what waits is sent, until ctx ends; what is left then is lost.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.once.Do(func() { close(q.stop) })
	defer q.cancel()
	select {
	case <-q.done:
	case <-ctx.Done():
		q.cancel()
		<-q.done
	}
	return q.to.Shutdown(ctx)
}
