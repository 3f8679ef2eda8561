// Package merkle has the trees of RFC 6962, section 2.1, as the audit record uses them: leaves come in order, one by one, and
// nothing but the right edge of the tree is kept in memory. Proofs are made in one pass over the leaves. What a leaf means is
// for audit, above; the proofs are checked by golang.org/x/mod/sumdb/tlog, which wrote the hashes down first.
package merkle
