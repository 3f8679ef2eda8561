// Package driver is what a store of the vault wing must be able to do: transactions, and a few methods per noun in which
// app and tenant are arguments. Nothing here reads identity from a context, and no method exists that could forget the
// tenant; the few that cross tenants say so in their name.
//
// The rows here are what is written down: ciphertext, key ids, hashes. No plaintext of a secret ever reaches a driver. What
// the rows mean is for the rooms that own them: secret, keyring, audit, flag, config and override. The implementations are
// memory, sqlite and postgres next door; all run the suite in storetest.
package driver
