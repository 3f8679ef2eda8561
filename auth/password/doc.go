// Package password turns passwords into hashes and checks them, within bounds on memory and time.
//
// New hashes are argon2id in PHC string form. Hashes that were imported are verified too: argon2id with other
// parameters, and bcrypt ($2a$, $2b$, $2y$); [Hasher.Verify] says when one should be replaced. A hash string is hostile
// input here, because imports bring them: parameters are bounded before a byte is allocated.
//
// Each hash takes tens of megabytes and milliseconds on purpose, so a [Hasher] runs few at once, lets some wait, and
// turns the rest away with a time to retry. Who may log in is not decided here; identity next door keeps the strings.
package password
