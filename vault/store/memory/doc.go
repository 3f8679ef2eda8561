// Package memory keeps the vault's rows in maps, for tests and for libraries that need no disk. Nothing survives the
// process; everything else is as in sqlite next door: transactions, isolation, ciphertext only.
//
// Keys of the maps are structs, so that no two owners can collide whatever characters their names hold.
package memory
