// Package inputs turns what a request carries into what a pipeline takes: JSON dictionaries become Documents,
// ChatMessages, ByteStreams and answers where a socket's type asks for them, and uploaded files become ByteStreams.
//
// Only data classes are ever made: no component, no tool, no template and no secret comes out of a request (a wall).
// Declared inputs (Hayhooks' top-level "inputs:") are spread over the sockets they name.
package inputs
