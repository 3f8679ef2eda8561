// Package audit records who did what, so that a change to the record shows.
//
// An action is two entries: Begin is on disk before anything happens, End before a value leaves; for a write, End is part of
// the same transaction ([Pending.EndTx]). If an entry cannot be written, the answer is no. Reads, denials and misses are
// recorded like everything else.
//
// Entries stand in chains, one per (app, tenant, node, epoch), numbered 1, 2, 3. Each entry's hash covers the entry's
// canonical bytes and the hash before it (SHA-256), and a MAC under a key derived from the root key covers the hash: whoever
// can write to the database can neither change an entry nor write the rest of the chain anew. What happens outside every
// tenant goes into the operator's chain (driver.Operator).
//
// A chain alone cannot show that its end is missing. So the head of each chain (number, hash, MAC) is also kept in a file
// outside the database, see [Heads]: appended and synced after the commit and before the answer, once per group of
// writes. After a crash the database may be a few entries ahead of the file; it may never be behind. What this does not
// show: the database and the head file put back together to the same earlier moment. That needs a copy of a head elsewhere.
//
// [Verify] finds the first bad entry of every chain. Who may read the record is the [Gate]'s business, which each service
// of the vault calls on its first line; secret and keyring live next door.
package audit
