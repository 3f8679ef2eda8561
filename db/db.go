package db

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// Options configures an open database of either kind. The zero value of each field is usable.
type Options struct {
	Readers  int              // connections for reading, opened when needed; default: number of CPUs, at least 4; over PostgreSQL 16
	MaxGroup int              // most writes committed together; default 256
	Now      func() time.Time // the clock; default time.Now
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	now     func() time.Time
	engine  engine
	writer  *session // of the write loop alone; nil while there is no connection
	readers *readers
	lock    *DirLock // of [OpenDir], or nil

	listeners listeners

	jobs     chan *job
	turn     sync.Mutex    // whoever writes
	waiting  atomic.Int64  // writes that wait for the loop,
	wanted   chan struct{} // which is told of them,
	left     chan struct{} // and of those that were given up
	maxGroup int
	loopID   atomic.Uint64 // the goroutine of the loop
	inline   atomic.Bool   // a caller writes in its own
	closing  chan struct{}
	closed   sync.Once
	done     chan struct{}

	lastWords struct {
		sync.Mutex
		fns []func()
	}
}

// open makes a DB of an engine, which belongs to it from then on, unless open fails.
func open(ctx context.Context, e engine, o Options) (*DB, error) {
	if o.Readers <= 0 {
		o.Readers = max(4, runtime.NumCPU())
	}
	if o.MaxGroup <= 0 {
		o.MaxGroup = 256
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &DB{now: o.Now, engine: e, maxGroup: o.MaxGroup, jobs: make(chan *job), wanted: make(chan struct{}, 1), left: make(chan struct{}, 1),
		closing: make(chan struct{}), done: make(chan struct{})}
	var err error
	if d.writer, err = e.writer(ctx); err != nil {
		return nil, err
	}
	d.readers = &readers{engine: e, slots: make(chan struct{}, o.Readers), closing: d.closing}
	go d.writeLoop()
	return d, nil
}

// Path returns the file of an SQLite database, "" for another.
func (d *DB) Path() string { return d.engine.path() }

// Now returns the database's clock in microseconds since 1970.
func (d *DB) Now() int64 { return d.now().UnixMicro() }

// BeforeClose has fn called when the database is about to close, while it still can be written to; the last one first.
func (d *DB) BeforeClose(fn func()) {
	d.lastWords.Lock()
	defer d.lastWords.Unlock()
	d.lastWords.fns = append(d.lastWords.fns, fn)
}

func (d *DB) sayLastWords() {
	d.lastWords.Lock()
	fns := d.lastWords.fns
	d.lastWords.fns = nil
	d.lastWords.Unlock()
	for _, fn := range slices.Backward(fns) {
		fn()
	}
}

// Close waits for writes under way and closes the database. Later calls fail with Unavailable; reads under way may.
func (d *DB) Close() error {
	var err error
	d.closed.Do(func() {
		d.sayLastWords()
		close(d.closing)
		<-d.done
		d.turn.Lock() // for good
		d.readers.close()
		d.engine.last(d.writer)
		if d.writer != nil {
			err = d.writer.close()
		}
		err = errors.Join(err, d.engine.close())
		if d.lock != nil {
			err = errors.Join(err, d.lock.Unlock())
		}
	})
	return err
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.View(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, "SELECT 1", nil, &one) })
}

// View runs fn in a read transaction: everything it reads is of one moment, that of its first read.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	s, err := d.readers.take(ctx)
	if err != nil {
		return err
	}
	if err := d.engine.beginRead(s); err != nil {
		d.readers.give(s, false)
		return Classify(err)
	}
	defer d.endRead(s)
	return fn(&Tx{d: d, s: s, now: d.Now()})
}

// endRead ends a read's transaction and gives its connection back. Nobody waits for a server to say so.
func (d *DB) endRead(s *session) {
	end := func() { d.readers.give(s, d.engine.endRead(s) == nil) }
	if d.engine.remote() {
		go end()
	} else {
		end()
	}
}

// Update runs fn in the write transaction and returns after its effects are on disk. If fn fails or panics, nothing of
// it is kept. Other callers' functions may be committed together with it; they cannot see each other fail. fn must not
// call Update (that is an error), must not do I/O other than on its Tx, and is not interrupted: when ctx ends, its next
// statement fails.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return d.run(&job{ctx: ctx, fn: fn, done: make(chan struct{})})
}

// UpdateRelaxed is Update for what can be made again from elsewhere: it returns once the write is committed, and does not
// wait for the disk. When the machine (over PostgreSQL also: the server) stops all at once, the last of these writes may be
// gone, the newest first and none by halves. The end of this process alone loses none. An Update that returned makes every
// write before it durable.
func (d *DB) UpdateRelaxed(ctx context.Context, fn func(*Tx) error) error {
	return d.run(&job{ctx: ctx, fn: fn, done: make(chan struct{}), relaxed: true})
}

// StartRelaxed is UpdateRelaxed beside its caller, which has something else to wait for. then is called once, with what
// UpdateRelaxed would return, in another goroutine. Called inside a write it does so at once, with the error.
func (d *DB) StartRelaxed(ctx context.Context, fn func(*Tx) error, then func(error)) {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{}), relaxed: true}
	end := func() {
		if j.panicked != nil { // whose caller is not on this stack
			j.err = fault.New(fault.Internal, "panic in a write: %v\n\n%s", j.panicked, j.stack)
		}
		then(j.err)
	}
	switch {
	case d.turn.TryLock():
		go func() { defer end(); d.inTurn(j) }()
	case d.nested():
		then(errNested())
	default:
		go func() {
			if err := d.enqueue(j); err != nil {
				then(err)
				return
			}
			<-j.done
			end()
		}()
	}
}

// Remote reports whether the database is a server, which can stop while this process goes on.
func (d *DB) Remote() bool { return d.engine.remote() }

func (d *DB) run(j *job) error {
	if !d.alone(j) {
		if err := d.enqueue(j); err != nil {
			return err
		}
		<-j.done // once started, the outcome is waited for: an unknown outcome helps nobody
	}
	if j.panicked != nil {
		panic(fmt.Sprintf("panic in a write: %v\n\n%s", j.panicked, j.stack))
	}
	return j.err
}

func (d *DB) enqueue(j *job) error {
	if d.nested() {
		return errNested()
	}
	d.waiting.Add(1)
	signal(d.wanted)
	select {
	case d.jobs <- j:
		return nil
	case <-j.ctx.Done():
		d.giveUpWaiting()
		return notStarted(j.ctx)
	case <-d.closing:
		d.giveUpWaiting()
		return errClosed()
	}
}

func errNested() error {
	return fault.New(fault.Internal, "a write was started inside another write").
		WithHint("pass the transaction along instead of calling Update again")
}

func (d *DB) giveUpWaiting() {
	d.waiting.Add(-1)
	signal(d.left)
}

// signal leaves a token, if there is none.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func notStarted(ctx context.Context) error {
	kind := fault.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = fault.Timeout
	}
	return fault.Wrap(kind, context.Cause(ctx), "the write was not started")
}
