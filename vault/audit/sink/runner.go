package sink

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
)

// Batch is what a target gets at once: entries of one chain in their order, and the newest checkpoint if there is a new one.
type Batch struct {
	Entries    []audit.Line
	Checkpoint string // the signed text, or empty
}

// Target is where a sink sends to. One goroutine calls it.
type Target interface {
	// Send returns once the other side has the batch; after an error the same entries come again.
	Send(ctx context.Context, b Batch) error
	Close() error
}

// Options configures a [Runner]. The zero value of each field is usable.
type Options struct {
	Feed     audit.FeedOptions
	Batch    int           // most entries at once; default 500
	MaxLag   int64         // entries it may be behind before the alarm; default 100,000
	MaxDelay time.Duration // how long an entry may wait before the alarm; default 5 min
	Timeout  time.Duration // of one batch; default 30 s
	Retry    time.Duration // the first pause after a failure, doubled each time; default 1 s
	MaxRetry time.Duration // the longest pause; default 1 min
	Log      *slog.Logger
	Alarm    func(Status) // is told when the alarm begins and when it ends; it must not wait
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.MaxDelay, 5*time.Minute)
	def(&o.Timeout, 30*time.Second)
	def(&o.Retry, time.Second)
	def(&o.MaxRetry, time.Minute)
	if o.Batch <= 0 {
		o.Batch = 500
	}
	if o.MaxLag <= 0 {
		o.MaxLag = 100_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Status is how a sink is doing. Of what is said about an error nothing comes from the other side but a number.
type Status struct {
	Name         string    `json:"name"`
	Delivered    int64     `json:"delivered"`              // entries since the start, repetitions included
	Position     *Position `json:"position,omitempty"`     // the newest entry that was delivered since the start; nil for none
	Lag          int64     `json:"lag"`                    // entries not delivered yet
	Since        time.Time `json:"since,omitzero"`         // when the oldest of them came; zero when there is none
	LastOK       time.Time `json:"last_ok,omitzero"`       // when it last was up to date, or took something
	Failures     int64     `json:"failures"`               // in a row
	FailingSince time.Time `json:"failing_since,omitzero"` // when the first of those was; zero when there is none
	ErrorKind    string    `json:"error_kind,omitempty"`   // of the last of those, one of package fault's
	Error        string    `json:"error,omitempty"`
	Alarm        bool      `json:"alarm"` // it is further behind than it may be
}

// Position is where a sink is in the record.
type Position struct {
	Entry  string    `json:"entry"` // its id
	App    string    `json:"app,omitempty"`
	Tenant string    `json:"tenant,omitempty"` // id
	Epoch  int64     `json:"epoch"`
	Seq    int64     `json:"seq"` // in its chain
	Time   time.Time `json:"time"`
}

func positionOf(l audit.Line) *Position {
	return &Position{Entry: l.ID.String(), App: l.AppID, Tenant: l.TenantID, Epoch: l.Epoch, Seq: l.Seq, Time: l.CreatedAt}
}

// Runner feeds one target. It is safe for concurrent use.
type Runner struct {
	name   string
	target Target
	feed   *audit.Feed
	o      Options
	wake   chan struct{}

	mu         sync.Mutex
	status     Status
	checkpoint string
}

// New returns a runner that copies l's entries to target, under a name that its place is kept by.
func New(l *audit.Logger, name string, target Target, o Options) *Runner {
	return &Runner{name: name, target: target, feed: l.Feed(name, o.Feed), o: o.withDefaults(), wake: make(chan struct{}, 1), status: Status{Name: name}}
}

// Checkpoint offers a checkpoint, for audit.CheckpointOptions.Publish. Of several that wait only the newest is sent.
func (r *Runner) Checkpoint(_ context.Context, cp audit.Checkpoint) {
	r.mu.Lock()
	r.checkpoint = cp.Text
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Status returns how it is doing.
func (r *Runner) Status() Status {
	lag, since := r.feed.Lag()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.Lag, s.Since = lag, since
	return s
}

// Run copies until ctx is over, then notes where it stands and closes the target.
func (r *Runner) Run(ctx context.Context) {
	defer r.end(ctx)
	pause := r.o.Retry
	for ctx.Err() == nil {
		more, err := r.step(ctx)
		r.note(ctx, err)
		switch {
		case err != nil:
			sleep(ctx, pause/2+rand.N(pause))
			pause = min(2*pause, r.o.MaxRetry)
		case more:
			pause = r.o.Retry
		default:
			pause = r.o.Retry
			r.wait(ctx)
		}
	}
}

func (r *Runner) end(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Timeout)
	defer cancel()
	if err := r.feed.Close(last); err != nil {
		r.o.Log.WarnContext(last, "an audit sink could not note where it stands; it will repeat some entries", "sink", r.name, "error", err)
	}
	if err := r.target.Close(); err != nil {
		r.o.Log.WarnContext(last, "an audit sink could not be closed", "sink", r.name, "error", err)
	}
}

// wait is for more entries, or a checkpoint; and once a second the alarm is looked at.
func (r *Runner) wait(ctx context.Context) {
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-r.wake:
			cancel()
		case <-both.Done():
		}
	}()
	r.feed.Wait(both, time.Second)
	cancel()
	<-done
}

// step sends one batch.
func (r *Runner) step(ctx context.Context) (more bool, err error) {
	lines, err := r.feed.Next(ctx, r.o.Batch)
	if err != nil {
		return false, err
	}
	r.mu.Lock()
	cp := r.checkpoint
	r.mu.Unlock()
	if len(lines) == 0 && cp == "" {
		return false, nil
	}
	sending, cancel := context.WithTimeout(ctx, r.o.Timeout)
	defer cancel()
	if err := r.target.Send(sending, Batch{Entries: lines, Checkpoint: cp}); err != nil {
		return false, err
	}
	r.mu.Lock()
	r.status.Delivered += int64(len(lines))
	if len(lines) > 0 {
		r.status.Position = positionOf(lines[len(lines)-1])
	}
	if r.checkpoint == cp {
		r.checkpoint = ""
	}
	r.mu.Unlock()
	return true, r.feed.Delivered(ctx, lines)
}

// note keeps the status, and sounds the alarm or ends it.
func (r *Runner) note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	lag, since := r.feed.Lag()
	late := lag > r.o.MaxLag || lag > 0 && time.Since(since) > r.o.MaxDelay
	r.mu.Lock()
	was := r.status
	if err != nil {
		if r.status.Failures++; r.status.Failures == 1 {
			r.status.FailingSince = time.Now()
		}
		r.status.ErrorKind, r.status.Error = fault.KindOf(err).String(), audit.Display(fault.From(err).Error())
	} else {
		r.status.Failures, r.status.FailingSince, r.status.ErrorKind, r.status.Error, r.status.LastOK = 0, time.Time{}, "", "", time.Now()
	}
	r.status.Alarm = late
	now := r.status
	r.mu.Unlock()
	if now.Failures == 1 {
		r.o.Log.WarnContext(ctx, "an audit sink does not take entries; they are kept and sent again", "sink", r.name, "error", err)
	}
	if now.Alarm == was.Alarm {
		return
	}
	if now.Alarm {
		r.o.Log.ErrorContext(ctx, "an audit sink is too far behind", "sink", r.name, "entries", lag, "since", since, "error", now.Error)
	} else {
		r.o.Log.InfoContext(ctx, "an audit sink has caught up", "sink", r.name)
	}
	if r.o.Alarm != nil {
		now.Lag, now.Since = lag, since
		r.o.Alarm(now)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
