// Package memory is Haystack's InMemoryDocumentStore: documents in memory, filters, duplicate policies, BM25 over an
// inverted index and vector similarity (haystack/document_stores/in_memory/document_store.py, 3.4.0).
//
// In Haystack the documents of an index are global to the process. Here an [Index] belongs to one [Key], that is to one
// app and tenant, and a [Manager] opens it when it is first used. What an index holds can outlive the process: a
// [Journal] makes every change durable before it is acknowledged, and the index is read back from it, with the same
// order and the same statistics. The journal over a database lives next door in journal/.
//
//	Manager --opens--> Index (documents, postings, statistics; one per key) --changes--> Journal
//	   |
//	   +--Open--> Store (an Index seen with the parameters of one store in a pipeline file)
//
// Reads take a short lock to pick up a snapshot, and work on it without one; a write appends, it never moves what a
// snapshot can see.
package memory
