// Package filter decides whether a document matches Haystack's metadata filters: comparisons
// ({"field", "operator", "value"}) under AND, OR and NOT (haystack/utils/filters.py, 3.4.0), and merges the filters a
// retriever was made with and those of one run (haystack/document_stores/types/filter_policy.py).
//
// A filter is compiled once and then applied to many documents. As in Haystack, a malformed condition is an error when
// it is reached, not before: a short-circuited OR hides it; [Filter.Check] finds it at once. The room reads values, it
// knows no store.
package filter
