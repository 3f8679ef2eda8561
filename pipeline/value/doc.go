// Package value is Python's values in Go: what YAML, JSON, templates, metadata and routers pass around, with Python's
// str, repr, equality, ordering, hashing and JSON in one place.
//
// A [Value] is one of a closed set of kinds: [None], [Bool], [Int] (and [BigInt] beyond 64 bits), [Float], [Str], [Bytes],
// *[List], [Tuple], *[Dict] (insertion ordered), *[Set], dates, and [Object]s (data classes such as document.Document,
// which live in their own rooms). 1 and 1.0 are different values that compare equal, as in Python. A nil Value is not
// None: it means "nothing here".
//
// Values that travel between components are read-only by contract: lists and dicts are shared, never copied, and
// whoever wants to change one makes a [DeepCopy] first. The room knows no component, no pipeline and no tenant.
package value
