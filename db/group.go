package db

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/haywardhq/hayward/fault"
)

// job is one Update waiting for the writer.
type job struct {
	ctx      context.Context
	fn       func(*Tx) error
	err      error
	panicked any
	stack    []byte
	done     chan struct{}
}

// writeLoop is the one writer. It takes what waits, commits it together, then lets all of it return.
func (d *DB) writeLoop() {
	d.loopID.Store(goroutineID())
	defer func() {
		select {
		case <-d.closing:
			close(d.done)
		default: // a job ended this goroutine (runtime.Goexit); the others must not wait for nobody
			go d.writeLoop()
		}
	}()
	for {
		select {
		case <-d.closing:
			return
		case j := <-d.jobs:
			d.commitGroup(d.gather(j))
		}
	}
}

func (d *DB) gather(first *job) []*job {
	group := []*job{first}
	for len(group) < d.maxGroup {
		select {
		case j := <-d.jobs:
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
	err := errAbandoned
	defer func() {
		if err != nil {
			_ = d.statement("ROLLBACK") // it may be over already
			failAll(group, fault.Wrap(fault.KindOf(Classify(err)), err, "the write was not stored"))
		}
		for _, j := range group {
			close(j.done)
		}
	}()
	err = d.commit(group)
}

func (d *DB) commit(group []*job) error {
	if err := d.statement("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	var after after
	for _, j := range group {
		if err := d.runOne(j, &after); err != nil {
			return err
		}
	}
	if err := d.statement("COMMIT"); err != nil {
		return err
	}
	after.run()
	return nil
}

// statement runs one without a context: the transaction belongs to the whole group, and an interrupted write would roll
// all of it back (https://www.sqlite.org/c3ref/interrupt.html).
func (d *DB) statement(query string) error {
	_, err := d.writer.exec(context.Background(), query)
	return err
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
	if err := d.statement("SAVEPOINT job"); err != nil {
		return err
	}
	tx := &Tx{d: d, s: d.writer, now: d.Now(), after: after, job: j}
	j.err = j.call(tx)
	if tx.broken != nil {
		return tx.broken
	}
	if j.err == nil && j.panicked == nil {
		return d.statement("RELEASE job")
	}
	after.forget(j)
	if err := d.statement("ROLLBACK TO job"); err != nil {
		return err
	}
	return d.statement("RELEASE job")
}

func (j *job) call(tx *Tx) error {
	defer func() {
		if p := recover(); p != nil {
			j.panicked, j.stack = p, debug.Stack()
		}
	}()
	return j.fn(tx)
}
