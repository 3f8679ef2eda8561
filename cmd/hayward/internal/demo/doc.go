// Package demo sets up and runs the demo: a server with two tenants, a model server beside it, two pipelines and two
// documents for each tenant, all on loopback and in a directory of its own.
//
// Only the operator is created on the files; everything after that goes over HTTP, as an operator and the tenants' users
// would do it. Each step is remembered once it is done, so that a demo that was stopped, or killed in the middle of its
// first start, goes on where it was. The keys of the tenants are in the vault alone: the model server gets their SHA-256.
//
//	DIR/hayward-demo.json  what makes it a demo directory, and the steps that are done
//	DIR/passwords          mode 0600: a user and a password per line
//	DIR/keys/root.key      the root key; not below data/
//	DIR/devllm.sums        the sums of the keys that the model server accepts
//	DIR/devllm.log         what the model server saw: a line per request with the key's fingerprint
//	DIR/pages/             the product's own pages, where the toolchain came without documents
//	DIR/data/              the server's data directory
package demo
