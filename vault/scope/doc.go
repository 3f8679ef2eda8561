// Package scope says who is calling: app, tenant, user and client address, carried by a context.Context.
//
// It is set once, at the door, and read by secrets, flags, config, overrides, rotation and audit. The four keys and the
// helpers are those of the tenant-scoped vault API this wing keeps. Underneath there is one struct under one unexported
// key; the four exported keys are answered by the same context, so that code that reads a raw key sees the same value.
//
// There is exactly one [ContextKey] type: flag and override alias it. Go compares context keys by type as well as by
// value, so three look-alike types would lose the tenant without an error.
//
// Inside Hayward only doors and the first line of a service read identity from a context; below that, app and tenant are
// arguments. [Strict] is the reader for such first lines: it refuses a missing tenant and a context in which somebody
// overwrote one raw key by hand. This room is ground: it imports the standard library and fault.
package scope
