// Package converters holds the components of haystack.components.converters: they make documents out of files and byte
// streams. A source that cannot be read or converted is skipped with a warning, as in Haystack; one that the host does
// not allow at all (a local path on a server) is an error.
package converters
