// Package secret keeps a tenant's secrets: named, versioned, encrypted, with the destinations that may receive them.
//
// With a tenant in scope, a name means that tenant's entry, else an entry that the operator shared with the whole app on
// purpose ([Service.SetShared]). Another tenant's secret is "not found", in the same words as one that does not exist.
// Without a tenant only the Shared calls work, and they are the operator's.
//
// Names match [A-Za-z_][A-Za-z0-9_.-]{0,127}: every name an environment variable usually has, and dots and dashes inside.
// Values have 1 byte to 64 KiB ([WithMaxSize]). Version numbers rise by one and are never used twice, also not after
// deletion or destruction. A version is
//
//	pending --Promote--> current --Set, Promote--> superseded --too many--> removed
//	   |                    |                          |
//	   |                    `----------Delete----------+--> deleted --Undelete--> current or superseded
//	   |                                                      |
//	   `--Discard-------------------------------------> destroyed  (by Destroy from anywhere)
//
// Of each secret 10 versions are kept ([WithMaxVersions], [WithKeepVersions]). Metadata and destinations stay with a secret
// when a new version says nothing about them, and so does a lifetime ([WithLifetime]); a moment of expiry does not in
// [Service.Set], because a new value must not be born expired, and does in [Service.Stage], because a rotation must not
// lengthen what an owner limited. Changing the destinations takes setting the value again: otherwise who may not read a
// secret could still have it sent to himself.
//
// Nobody who can write to the database gains by it. A value opens only at its own place; which versions there are, what
// became of each and which is served is under the mark of the secret's head; and a ledger of its own notes at which revision
// each head was last written, so that a head that is taken away, or put back as it was, is vault.ErrTampered. What that does
// not show is all rows of a tenant put back together to one earlier moment. A process that has seen a later one notices; so
// does whoever compares the revision that each write's audit entry names, and whose end is kept outside the database
// ([Service.Check]).
//
// Each method asks the gate and begins its audit entry in one call on its first line, and ends the entry before a value
// leaves; for writes the end is in the same transaction. The exceptions are said where they are: what rotation and the
// server's own maintenance call. Encryption is keyring's, the record audit's, the rows the store's.
package secret
