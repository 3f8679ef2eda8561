package memory

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/document"
)

// Key names the documents of one index of one owner. Index is "index:<name>" for an index named in a pipeline file, and
// "component:<pipeline>/<component>" for one that is not; both sides are opaque to a journal.
type Key struct {
	App, Tenant, Index string
}

// Record is a stored document. Seq orders the documents of a key and is never used twice.
type Record struct {
	Seq       int64
	Document  *document.Document
	Tokenizer string // the regular expression its tokens were cut with; "" is the default
}

// Change is what one write does to a key: first Delete, then Put.
type Change struct {
	Delete    []string // ids
	Put       []Record
	AvgDocLen float64 // after the change: Haystack keeps it incrementally, so it cannot be computed again
	NextSeq   int64   // after the change
}

// State is what a journal knows about a key besides its documents.
type State struct {
	AvgDocLen float64
	NextSeq   int64
}

// Journal keeps the documents of indexes. Commit returns after the change is durable, all of it or none. A key is
// written by one caller at a time.
type Journal interface {
	// Load calls each for every stored document, in order of Seq. A key that was never written gives the zero State.
	Load(ctx context.Context, key Key, each func(Record) error) (State, error)
	Commit(ctx context.Context, key Key, change Change) error
}

// forgetful is the journal of a process that keeps nothing.
type forgetful struct{}

func (forgetful) Load(context.Context, Key, func(Record) error) (State, error) { return State{}, nil }
func (forgetful) Commit(context.Context, Key, Change) error                    { return nil }
