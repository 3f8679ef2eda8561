// Package retrievers holds the components of haystack.components.retrievers that work on any document store: they filter,
// and look at no text. What belongs to one kind of store lives in a folder of its name (in_memory).
package retrievers
