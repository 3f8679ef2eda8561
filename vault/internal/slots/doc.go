// Package slots is a cache of a fixed size for values that belong to an app, a tenant and a name. Reading takes no lock and
// allocates nothing; a value has four places it may lie in, and evicts another when all are taken; a change of a name drops
// what is kept of it for every tenant at once. It knows no noun.
package slots
