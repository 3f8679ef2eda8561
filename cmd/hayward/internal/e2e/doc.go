// Package e2e holds what is promised of the whole server, as tests: tenants do not meet, keys go where they belong and
// nowhere else, the record shows what was done to it, and a killed server loses nothing it acknowledged.
package e2e
