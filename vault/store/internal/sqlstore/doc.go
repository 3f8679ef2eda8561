// Package sqlstore keeps the vault's rows in a SQL database (the package db), whichever kind it is. The SQL is the subset
// that SQLite and PostgreSQL share; db translates what differs. The documented faces are sqlite and postgres, one floor up.
//
// A write that returned nil is on disk. [Store.In] joins a transaction of the same database that somebody else began, so
// that a room with tables of its own can write them and the end of an audit entry in one step. What the rows mean is for
// the rooms secret, keyring, audit and so on; the same methods over maps are in memory.
package sqlstore
