// Package dbtest opens throwaway databases for tests: SQLite files in a temporary directory, and databases of their own on a
// PostgreSQL server that the first test of a process starts. Nothing outside tests imports it.
package dbtest
