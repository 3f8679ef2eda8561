// Package secret keeps a tenant's secrets: named, versioned, encrypted, with the destinations that may receive them.
//
// With a tenant in scope, a name means that tenant's entry, else an entry that the operator shared with the whole app on
// purpose ([Service.SetShared]). Another tenant's secret is "not found", in the same words as one that does not exist.
// Without a tenant only the Shared calls work, and they are the operator's.
//
// Names match [A-Za-z_][A-Za-z0-9_.-]{0,127}: every name an environment variable usually has, and dots and dashes inside.
// Values have 1 byte to 64 KiB ([WithMaxSize]). Version numbers rise by one and are never used twice, also not after
// deletion. Metadata and destinations stay with a secret when a new version says nothing about them; an expiry does not,
// because a new value must not be born expired. Changing the destinations takes setting the value again: otherwise who may
// not read a secret could still have it sent to himself.
//
// Each method asks the gate and begins its audit entry in one call on its first line, and ends the entry before a value
// leaves; for writes the end is in the same transaction. Encryption is keyring's, the record audit's, the rows the store's.
package secret
