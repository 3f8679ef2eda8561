// Package pg is one connection to PostgreSQL as database/sql sees it, speaking the SQL that the rooms of this program write
// for SQLite: it translates their statements ([Translate]) and gives values the types that SQLite gives them. Only db, one
// floor up, uses it; transactions, groups and listeners are there.
//
// Nothing but [Config] says where a connection goes and as whom: no environment variable, service file, password file or
// certificate in a home directory is read.
package pg
