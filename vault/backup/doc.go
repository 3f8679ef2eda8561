// Package backup writes all rows of a database into one encrypted file and puts them back into an empty one, of the same
// engine or the other: that is also how a server moves from SQLite to PostgreSQL.
//
// A backup of the data holds no keys: the tables that keyring.KeyTables names are left out, both when it is written and
// when it is restored. Keys are backed up apart (keyring.Ring.Export), and have to be in place before the data can be read.
// So destroying a tenant's keys reaches every backup there is: whatever file is restored under today's keys, nothing of
// that tenant opens.
//
// The file is a line of magic, a line of JSON in clear (when it was made, which schemas at which version, the file's key
// wrapped by the keyring) and the rows, as a stream of chunks under AES-256-GCM. Each chunk is bound to the lines before it,
// to its number and to whether it is the last, so that chunks cannot be changed, moved, taken out or cut off (the STREAM
// construction, as in age). The stream ends with the number of rows and a SHA-256 over all before it.
//
// [Restore] reads the whole file twice: first to see that all of it is what was written, then into one transaction. It goes
// into tables without rows only, and continues the audit record in the epoch after the file's, with an entry that says so.
// The ledger of secrets, their rollback mark, is part of the rows and goes back to the moment of the file with them; only a
// process that runs across a restore remembers more, and must be started again.
//
// What is no row is no part of it: the root key, the audit's files of heads and checkpoints, the settings.
package backup
