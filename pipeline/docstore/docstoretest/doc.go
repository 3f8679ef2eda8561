// Package docstoretest is the one suite that every document store runs. Its groups are those of Haystack's own
// (haystack/testing/document_store.py); a store says in its [Harness] what it cannot do, and that group is then named
// as not run. Only tests import it.
package docstoretest
