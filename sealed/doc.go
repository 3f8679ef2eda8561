// Package sealed holds values that cannot be printed.
//
// A [Value] is backed by a function, not by bytes: fmt, slog, encoding/json and a debugger's %v walk memory by
// reflection, also through unexported fields, and cannot call a function. Byte-backed types with String methods leak
// as soon as they sit in an unexported field of another struct; this one does not (see the tests).
//
// What is inside comes out only through the package reveal next door, and only towards a destination: a value carries
// the [Destination]s that may receive it. This package is ground: it imports the standard library and fault. It is not a
// place to keep secrets (vault/secret does that) and not encryption (vault/keyring).
package sealed
