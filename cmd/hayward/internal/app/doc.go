// Package app puts a server together: the database, the three wings, the host that joins them, and the doors. It is the
// one visible list of what depends on what; the commands serve and demo start it, and tests start it on port 0.
package app
