// Package baotest is a server on a loopback socket that answers as OpenBao 2.6 does, for tests of what speaks to one: KV
// version 2, AppRole, Kubernetes and token authentication, policies, response wrapping, namespaces, transit. It keeps state,
// tells time by a clock that a test can move, and fails on demand. Its own test replays the recorded exchanges of a real
// server (testdata/exchanges.jsonl) and compares every answer.
//
// It is no vault: nothing is encrypted at rest and policies know what tests need (paths with "*" and "+", capabilities).
// What is not here answers 404 or 405, as an unknown path of the real one does. Nothing outside tests imports this package.
package baotest
