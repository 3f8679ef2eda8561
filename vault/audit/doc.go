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
// outside the database, see [Heads]: appended and synced before the answer, once for all who wait. The line carries the group's
// entries, which is their durable copy: the database commits them at the same time and does not wait for the disk. After a crash
// the database may be a few entries ahead of the file, or behind it by the last line, which says so; after a loss of power by
// more. The file carries all of those; the next start puts exactly them back, and records it. Any other end that is missing was
// cut off.
//
// What neither shows is the database and the head file put back together to the same earlier moment, and the MAC is for those
// alone who have the server's key. So every 1,000 entries or 10 seconds a [Checkpointer] signs what all chains of a node are:
// a [Checkpoint] is a few lines of text, kept in the store and in a file of its own ([Journal]), to be copied elsewhere. With
// one of them and the public key, [VerifyExport] checks an export without any server, and [VerifyInclusion] one entry; a
// tenant does it with its own entries alone, and sees nothing of the others' but hashes.
//
// Personal fields can be kept under the tenant's key ([WithBlinder]): destroying it blinds them and breaks no chain.
//
// [Verify] finds the first bad entry of every chain. Who may read the record is the [Gate]'s business, which each service
// of the vault calls on its first line; secret and keyring live next door. sink below copies entries to other systems.
package audit
