// Package part is what components share: the types of their sockets, reading inputs, and errors under the names of
// Python's exceptions. It holds no component.
package part
