// Package document is Haystack's Document, ByteStream, SparseEmbedding and answer data classes: their fields, ids and
// JSON, byte for byte as Python makes them (haystack/dataclasses, 3.4.0).
//
// It stores nothing and converts no files; it knows values and chat messages (an answer may hold the messages it came
// from). Everything is read-only once made: share it, and make changed copies with the With methods.
package document
