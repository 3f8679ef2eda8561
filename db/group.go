package db

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// job is one Update waiting for the writer.
type job struct {
	ctx      context.Context
	fn       func(*Tx) error
	relaxed  bool // need not be on disk when it returns
	err      error
	panicked any
	stack    []byte
	done     chan struct{}
}

// writeLoop is the writer as long as writes wait. It takes what waits, commits it together, then lets all of it return.
func (d *DB) writeLoop() {
	mine := false
	d.loopID.Store(goroutineID())
	defer func() {
		if mine {
			d.turn.Unlock()
		}
		select {
		case <-d.closing:
			close(d.done)
		default: // a job ended this goroutine (runtime.Goexit); the others must not wait for nobody
			signal(d.wanted)
			go d.writeLoop()
		}
	}()
	for {
		select {
		case <-d.closing:
			return
		case <-d.wanted:
		}
		d.turn.Lock()
		mine = true
		for d.waiting.Load() > 0 {
			select {
			case <-d.closing:
				return
			case <-d.left:
			case j := <-d.jobs:
				d.waiting.Add(-1)
				d.commitGroup(d.gather(j))
			}
		}
		mine = false
		d.turn.Unlock()
	}
}

// alone commits a write in its caller's goroutine if nobody writes: two changes of goroutine take as long as the statements do.
func (d *DB) alone(j *job) bool {
	if !d.turn.TryLock() {
		return false
	}
	d.inTurn(j)
	return true
}

// inTurn commits a write, and ends the turn.
//
//go:noinline
func (d *DB) inTurn(j *job) {
	defer d.turn.Unlock()
	d.inline.Store(true)
	defer d.inline.Store(false)
	d.commitGroup([]*job{j})
}

func (d *DB) gather(first *job) []*job {
	group := []*job{first}
	for len(group) < d.maxGroup {
		select {
		case j := <-d.jobs:
			d.waiting.Add(-1)
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

var errAbandoned = errors.New("a write ended its goroutine")

// commitGroup runs and commits the jobs, and answers each of them whatever happens.
func (d *DB) commitGroup(group []*job) {
	var err error
	done := false
	defer func() {
		if !done {
			err = notStored(errAbandoned)
		}
		if err != nil {
			d.giveUp()
			failAll(group, err)
		}
		for _, j := range group {
			close(j.done)
		}
	}()
	err = d.commit(group)
	done = true
}

// giveUp ends a transaction that failed. A connection that is not whole afterwards is closed; the next group opens another.
func (d *DB) giveUp() {
	if d.writer == nil {
		return
	}
	d.engine.rollback(d.writer)
	d.closeIfBroken()
}

func (d *DB) closeIfBroken() {
	if d.writer != nil && !d.writer.whole() {
		_ = d.writer.close()
		d.writer = nil
	}
}

func (d *DB) commit(group []*job) error {
	id, err := d.begin(!slices.ContainsFunc(group, func(j *job) bool { return !j.relaxed }))
	if err != nil {
		return notStored(err)
	}
	var after after
	if len(group) == 1 {
		if kept, err := d.runAlone(group[0], &after); err != nil || !kept {
			return err
		}
	} else {
		for _, j := range group {
			if err := d.runOne(j, &after); err != nil {
				return notStored(err)
			}
		}
	}
	if err := d.engine.commit(d.writer, after.notes); err != nil {
		if err := d.settle(id, err); err != nil {
			return err
		}
	}
	after.run()
	d.closeIfBroken()
	return nil
}

func notStored(err error) error {
	return fault.Wrap(fault.KindOf(Classify(err)), err, "the write was not stored")
}

// begin starts the group's transaction. A connection that broke while nothing was going on is replaced, once.
func (d *DB) begin(relaxed bool) (id string, err error) {
	for range 2 {
		if d.writer == nil {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			d.writer, err = d.engine.writer(ctx)
			cancel()
			if err != nil {
				d.writer = nil
				return "", Classify(err)
			}
		}
		if id, err = d.engine.begin(d.writer, relaxed); err == nil {
			return id, nil
		}
		if d.closeIfBroken(); d.writer != nil {
			break
		}
	}
	return "", err
}

// patience bounds how long a group waits for a new connection.
const patience = 10 * time.Second

// settle finds out, on another connection, what became of a commit that failed. Its nil means that all is stored.
func (d *DB) settle(id string, cause error) error {
	if d.writer.whole() {
		return notStored(cause) // the server answered, and it was no
	}
	_ = d.writer.close()
	d.writer = nil
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s, err := d.engine.writer(ctx); err == nil {
		d.writer = s
		switch d.engine.settle(s, id) {
		case kept:
			return nil
		case lost:
			return notStored(cause)
		}
	}
	return fault.Wrap(fault.Unavailable, cause, "the connection to the database broke while the write was being committed: it may be stored, or not").
		WithCode("outcome_unknown").WithHint("read what is there before writing again")
}

func failAll(group []*job, err error) {
	for _, j := range group {
		if j.err == nil {
			j.err = err
		}
	}
}

// runOne runs one job under a savepoint, so that its failure leaves no trace and does not touch the others. An error is
// the end of the whole transaction: the engine rolls all of it back when the disk is full or broken.
func (d *DB) runOne(j *job, after *after) error {
	if j.ctx.Err() != nil {
		j.err = notStarted(j.ctx)
		return nil
	}
	if err := d.engine.job(d.writer); err != nil {
		return err
	}
	kept, broken := d.call(j, after)
	switch {
	case broken != nil:
		return broken
	case kept:
		return d.engine.keep(d.writer)
	}
	after.forget(j)
	return d.engine.undo(d.writer)
}

// runAlone runs the one job of a group: the transaction is its savepoint.
func (d *DB) runAlone(j *job, after *after) (kept bool, err error) {
	if j.ctx.Err() != nil {
		j.err = notStarted(j.ctx)
		d.giveUp()
		return false, nil
	}
	kept, broken := d.call(j, after)
	if broken != nil {
		return false, notStored(broken)
	}
	if !kept {
		d.giveUp()
	}
	return kept, nil
}

// call runs a job's function. What broke is the whole transaction.
func (d *DB) call(j *job, after *after) (kept bool, broken error) {
	tx := &Tx{d: d, s: d.writer, now: d.Now(), after: after, job: j}
	j.err = j.call(tx)
	if j.err == nil && j.panicked == nil && tx.failed != nil {
		j.err = fault.Wrap(fault.KindOf(tx.failed), tx.failed, "a statement of this write failed, and so nothing of it is stored")
	}
	return j.err == nil && j.panicked == nil, tx.broken
}

func (j *job) call(tx *Tx) error {
	defer func() {
		if p := recover(); p != nil {
			j.panicked, j.stack = p, debug.Stack()
		}
	}()
	return j.fn(tx)
}
