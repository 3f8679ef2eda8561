// Package config keeps values that a program reads while it runs: typed, versioned, watched.
//
// An entry belongs to the whole app, or is one tenant's own and then goes before the app's for that tenant: an override,
// which override next door shows under that name. With a tenant in scope, reading means the tenant's entry, else the
// app's; writing means the tenant's. Without a tenant both mean the app's, and writing is the operator's.
//
// A value comes back as exactly what it was: an int32, an integer beyond 2^53, a time.Duration. Reading it as something it
// is not, or not exactly, is an error; the accessors with a default give the default and log that. Versions rise by one
// and are never used twice; the last 100 are kept. A JSON Schema may be set on a name; every value of it, overrides
// included, must fit. A value may refer to secrets by name ([SecretRef]); they are opened when they are asked for, in the
// scope of who asks, and are never part of a value. A watch hears of a change of the value, and of the secrets it refers to.
//
// What is read is kept in a cache of a fixed size, and dropped before the write that changed it returns. Reading asks no
// gate and writes no record: it is what every request does. Managing does both, see [Service].
package config
