// Package in_memory holds the components of haystack.components.retrievers.in_memory: by words (BM25) and by embedding, from
// the in-memory document store. Scores are the store's (docstore/memory); which store of which tenant it is, the host decides.
package in_memory //nolint:revive // the folder is the path of the YAML type
