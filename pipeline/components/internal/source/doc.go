// Package source opens what a "sources" input names: byte streams as they are, local files where the host allows them. The
// converters and routers next door read through it; which paths a host allows is the host's to say, not a file's.
package source
