package db

import (
	"context"

	"github.com/haywardhq/hayward/fault"
)

// engine is what differs between the databases. A session belongs to one goroutine at a time.
type engine interface {
	// writer and reader open a connection.
	writer(ctx context.Context) (*session, error)
	reader(ctx context.Context) (*session, error)
	// fresh reports whether a reader's connection that was used before can be used again.
	fresh(ctx context.Context, s *session) bool

	// begin starts the transaction of a group of writes, alone in the database; what it returns identifies it to settle. The
	// commit of a relaxed one does not wait for the disk.
	begin(s *session, relaxed bool) (id string, err error)
	// job, keep and undo stand around each write of a group of several.
	job(s *session) error
	keep(s *session) error
	undo(s *session) error
	// commit makes the group durable, with its messages for other processes. settle finds out what became of a commit
	// whose answer did not come; s is another session.
	commit(s *session, notes []note) error
	settle(s *session, id string) outcome
	rollback(s *session)

	// beginRead and endRead stand around a View.
	beginRead(s *session) error
	endRead(s *session) error

	// fence says whose rows the statements that follow may touch.
	fence(s *session, app, tenant string)
	// execMany runs a statement for each row of arguments.
	execMany(ctx context.Context, s *session, query string, rows [][]any) (int64, error)

	migrate(ctx context.Context, schemas []Schema) error
	migrations(ctx context.Context, s Schema) ([]Migration, error)
	fenced(ctx context.Context, s *session) (string, error)

	// last does what is left to do when the database closes; w may be nil.
	last(w *session)
	close() error
	path() string // of the file, if it is one
	remote() bool // a server that can be waited for
}

// outcome is what became of a commit.
type outcome int

const (
	unknown outcome = iota
	kept
	lost
)

func errClosed() error { return fault.New(fault.Unavailable, "the database is closed") }
