// Package docstore says what a document store is: the small interface that components use, the optional powers some
// stores have, and how a pipeline names one. Each implementation is a room below (memory/, ...) and runs the one suite
// in docstoretest/. Who may open which store, and which tenant's it is, is decided by whoever supplies the [Provider].
package docstore
