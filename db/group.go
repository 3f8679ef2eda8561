package db

import (
	"context"
	"database/sql"

	"github.com/haywardhq/hayward/fault"
)

// job is one Update waiting for the writer.
type job struct {
	ctx      context.Context
	fn       func(*Tx) error
	err      error
	panicked any
	done     chan struct{}
}

// writeLoop is the one writer. It takes what waits, commits it together, then lets all of it return.
func (d *DB) writeLoop() {
	defer close(d.done)
	for {
		select {
		case j := <-d.jobs:
			d.commitGroup(d.gather(j))
		case <-d.closing:
			return
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

func (d *DB) commitGroup(group []*job) {
	defer func() {
		for _, j := range group {
			close(j.done)
		}
	}()
	// The transaction must outlive any one caller's context.
	tx, err := d.writer.BeginTx(context.Background(), nil)
	if err != nil {
		failAll(group, Classify(err))
		return
	}
	after := newAfter()
	for _, j := range group {
		d.runOne(tx, j, after)
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback()
		failAll(group, Classify(err))
		return
	}
	if err := after.run(); err != nil {
		failAll(group, fault.Wrap(fault.Unavailable, err, "the write is stored, but could not be acknowledged"))
	}
}

func failAll(group []*job, err error) {
	for _, j := range group {
		if j.err == nil {
			j.err = err
		}
	}
}

// runOne runs one job under a savepoint, so that its failure leaves no trace and does not touch the others.
func (d *DB) runOne(tx *sql.Tx, j *job, after *after) {
	if err := j.ctx.Err(); err != nil {
		j.err = fault.Wrap(fault.Canceled, context.Cause(j.ctx), "the write was not started")
		return
	}
	if _, err := tx.Exec("SAVEPOINT job"); err != nil {
		j.err = Classify(err)
		return
	}
	mark := after.mark()
	ok := false
	defer func() {
		if p := recover(); p != nil {
			j.panicked = p
		}
		if !ok {
			after.reset(mark)
			_, _ = tx.Exec("ROLLBACK TO job")
		}
		_, _ = tx.Exec("RELEASE job")
	}()
	if err := j.fn(&Tx{tx: tx, now: d.Now(), after: after}); err != nil {
		j.err = err
		return
	}
	ok = true
}

// after collects what must happen between commit and acknowledgement.
type after struct {
	fns  []func() error
	keys []any
}

func newAfter() *after { return &after{} }

func (a *after) mark() int { return len(a.fns) }

func (a *after) reset(n int) { a.fns, a.keys = a.fns[:n], a.keys[:n] }

func (a *after) add(key any, fn func() error) {
	if key != nil {
		for _, k := range a.keys {
			if k == key {
				return
			}
		}
	}
	a.fns, a.keys = append(a.fns, fn), append(a.keys, key)
}

func (a *after) run() error {
	for _, fn := range a.fns {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}
