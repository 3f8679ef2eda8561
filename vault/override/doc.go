// Package override shows one tenant's own config entries under the name they have in the API this wing keeps, and resolves
// a key for the caller in a context's scope: the tenant's override, else the app's entry.
//
// An override is a config entry that belongs to a tenant (see config next door): it has versions, fits the key's schema,
// wakes watchers, and its values come back as exactly what they were. With a tenant in scope only that tenant's overrides
// are there; another's are not found, in the same words as none.
//
// A resolver keeps what it found in a cache of a fixed size. The stores of this wing tell of changes, and what changed is
// dropped before the write returns.
package override
