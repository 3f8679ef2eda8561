// Package apptest starts a whole server for tests: on port 0, in a temporary directory, with cheap password hashes.
// Nothing outside tests imports it.
package apptest
