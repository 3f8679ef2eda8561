// Package db is the ground floor of everything that is kept: it opens a database, runs transactions and migrations, and
// holds the lock of a data directory. It knows no noun; the tables belong to the rooms that bring their migrations
// ([Schema]).
//
// The embedded default is SQLite in WAL mode with synchronous=FULL: one writer, many readers. Writers are committed in
// groups: [DB.Update] hands its function to the one writer, which runs all functions that wait in one transaction, each
// under its own savepoint, commits once, and only then lets them return. A returned nil means durable; [DB.UpdateRelaxed] is
// for rows that have a durable copy elsewhere, and leaves when they reach the disk to the system.
//
// [OpenPostgres] opens a PostgreSQL database that several processes share, and gives it the same meaning: one writer at a
// time over all of them, by a lock that a group takes first. db/internal/pg translates the statements; docs/decisions/0012
// says why it is built so. Messages reach the listeners of every process ([DB.Listen]), and tables that ask for it have
// row-level security as a second fence ([Tx.Fence]).
//
// Rules of the house for SQL here: "?" placeholders, times as int64 microseconds ([Tx.Now]), every key begins with
// (app, tenant), no reliance on the order of RETURNING or on implicit casts, and no statement after one that failed in
// the same write, so that the same statements serve both engines. Errors come out as faults: a broken constraint is a Conflict, a full disk or a lock is Unavailable.
package db
