// Package document is Haystack's Document, ByteStream, SparseEmbedding and answer data classes: their fields, ids and
// JSON, byte for byte as Python makes them (haystack/dataclasses, 3.4.0).
package document

import "github.com/haywardhq/hayward/pipeline/value"

// Document is haystack.dataclasses.document.Document. It is read-only once made: share it, and make changed copies.
type Document struct {
	ID        string           // sha256 of the contents unless given
	Content   *string          // nil is None
	Blob      *ByteStream      // nil is None
	Meta      *value.Dict      // never nil in a made document
	Score     *float64         // nil is None; not part of the id
	Embedding []float64        // nil is None
	Sparse    *SparseEmbedding // nil is None
}

// ByteStream is haystack.dataclasses.byte_stream.ByteStream.
type ByteStream struct {
	Data     []byte
	Meta     *value.Dict
	MIMEType *string
}

// SparseEmbedding is haystack.dataclasses.sparse_embedding.SparseEmbedding.
type SparseEmbedding struct {
	Indices []int
	Values  []float64
}

// GeneratedAnswer is haystack.dataclasses.answer.GeneratedAnswer.
type GeneratedAnswer struct {
	Data      string
	Query     string
	Documents []*Document
	Meta      *value.Dict
}
