package db

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	sqlitedriver "modernc.org/sqlite"

	"github.com/haywardhq/hayward/fault"
)

// Classify turns a driver's error into a fault. It returns nil for nil, and errors that are faults already unchanged.
func Classify(err error) error {
	var f *fault.Error
	var lite *sqlitedriver.Error
	var server *pgconn.PgError
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return err
	case errors.As(err, &server): // before the context's: it says what the server has done
		return classifySQLState(err, server.Code)
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Canceled, err, "the caller went away")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the database took too long")
	case errors.As(err, &lite):
		return classifySQLite(err, lite.Code())
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return fault.Wrap(fault.Unavailable, err, "the database is closed")
	case isConnectError(err), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isClosed(err):
		return fault.Wrap(fault.Unavailable, err, "the connection to the database broke").WithHint("try again")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}

func isConnectError(err error) bool {
	var e *pgconn.ConnectError
	return errors.As(err, &e)
}

// isClosed reports whether the library refused a connection that it has closed already.
func isClosed(err error) bool {
	return pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed)
}

// SQLite's primary result codes (https://www.sqlite.org/rescode.html).
const (
	codeBusy, codeLocked                   = 5, 6
	codeNoMemory, codeReadOnly             = 7, 8
	codeInterrupted, codeIO, codeCorrupt   = 9, 10, 11
	codeFull, codeCantOpen, codeConstraint = 13, 14, 19
	codeNotADatabase                       = 26
)

func classifySQLite(err error, code int) error {
	switch code & 0xff {
	case codeConstraint:
		return fault.Wrap(fault.Conflict, err, "it exists already or refers to something that does not")
	case codeBusy, codeLocked:
		return fault.Wrap(fault.Unavailable, err, "the database is locked by another process")
	case codeFull:
		return fault.Wrap(fault.Unavailable, err, "the disk is full")
	case codeReadOnly, codeCantOpen, codeIO:
		return fault.Wrap(fault.Unavailable, err, "the database file cannot be read or written")
	case codeCorrupt, codeNotADatabase:
		return fault.Wrap(fault.Internal, err, "the database file is damaged or not a database")
	case codeInterrupted:
		return fault.Wrap(fault.Canceled, err, "the statement was interrupted")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}

// PostgreSQL's error codes (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeFeature       = "0A000" // among others: a compiled statement whose result would have other columns now
	codeNoStatement   = "26000"
	codeEncoding      = "22021"
	codeReadOnlyTx    = "25006"
	codeIdleTooLong   = "25P03"
	codeNoLock        = "55P03"
	codeQueryCanceled = "57014"
	codeDiskFull      = "53100"
	codeNotAllowed    = "42501"
)

func classifySQLState(err error, code string) error {
	switch code {
	case codeFeature, codeNoStatement:
		return fault.Wrap(fault.Unavailable, err, "the tables changed under a compiled statement").WithHint("try again")
	case codeEncoding:
		return fault.Wrap(fault.Invalid, err, "a text is not valid UTF-8")
	case codeReadOnlyTx:
		return fault.Wrap(fault.Unavailable, err, "the database can only be read here")
	case codeIdleTooLong:
		return fault.Wrap(fault.Unavailable, err, "a transaction was open too long and was ended").WithHint("try again")
	case codeNoLock:
		return fault.Wrap(fault.Unavailable, err, "the database is locked by another process").WithHint("try again")
	case codeQueryCanceled:
		return fault.Wrap(fault.Canceled, err, "the statement was interrupted")
	case codeDiskFull:
		return fault.Wrap(fault.Unavailable, err, "the disk is full")
	case codeNotAllowed:
		return fault.Wrap(fault.Internal, err, "the database's role may not do that").
			WithHint("the role must own the tables; grant it what the server's log names")
	}
	switch class := code[:min(2, len(code))]; class {
	case "23":
		return fault.Wrap(fault.Conflict, err, "it exists already or refers to something that does not")
	case "54":
		return fault.Wrap(fault.Invalid, err, "a value is too long for the database")
	case "08", "53", "57", "58":
		return fault.Wrap(fault.Unavailable, err, "the database server does not serve now").WithHint("try again")
	case "28", "3D":
		return fault.Wrap(fault.Unavailable, err, "the database server does not let this program in").
			WithHint("check database, user and password")
	case "40":
		return fault.Wrap(fault.Unavailable, err, "the database gave the transaction up").WithHint("try again")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}
