// Package pyre is Python's re module: the same patterns, the same matches, the same template strings. A pattern is parsed
// as Python's own parser does (Lib/re/_parser.py, 3.11), so that what Python refuses is refused with Python's sentence,
// and is then run by a backtracking engine that knows look-around, back references, conditionals and atomic groups.
//
// Backtracking can take for ever, so every call has a time limit: [DefaultTimeout] unless [Compile] was told otherwise,
// and never beyond the deadline of its context. Positions are code points, as in Python, with byte offsets beside them.
//
// What differs: case-insensitive matching follows the engine's folding, which agrees with Python's for all but a handful
// of letters; the LOCALE flag and patterns of bytes do not exist.
package pyre
