// Package limit counts: how often a key may do a thing, in memory, with a bound on memory.
//
// [Limiter] is a generic cell rate algorithm (GCRA: one timestamp per key, no windows that reset) in 64 shards. A key
// that spent its quota long enough ago is the same as a key never seen, so a sweep may forget it; a key whose limit is
// still live is never forgotten. When the table is full, new keys share an overflow bucket per network, so that a flood
// of addresses can neither grow the heap nor wipe a real limit. [Login] is the throttle in front of passwords, built on
// it. A [Decision] also writes the RateLimit header values (draft-ietf-httpapi-ratelimit-headers).
//
// The counts live in one process and start empty; sharing them between nodes is not this room's work. It knows no user
// and no request: callers name keys.
package limit
