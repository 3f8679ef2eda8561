// Package db is the ground floor of everything that is kept: it opens a database, runs transactions and migrations, and
// holds the lock of a data directory. It knows no noun; the tables belong to the rooms that bring their migrations
// ([Schema]).
//
// The embedded default is SQLite in WAL mode with synchronous=FULL: one writer, many readers. Writers are committed in
// groups: [DB.Update] hands its function to the one writer, which runs all functions that wait in one transaction, each
// under its own savepoint, commits once, and only then lets them return. A returned nil means durable.
//
// Rules of the house for SQL here: "?" placeholders, times as int64 microseconds ([Tx.Now]), every key begins with
// (app, tenant), no reliance on the order of RETURNING or on implicit casts, so that the same statements serve a second
// engine. Errors come out as faults: a broken constraint is a Conflict, a full disk or a lock is Unavailable.
package db
