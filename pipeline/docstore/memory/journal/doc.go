// Package journal keeps the documents of in-memory stores in a database: a memory.Journal whose tables are keyed by app,
// tenant and index. A document is one row, as JSON with every field apart.
package journal
