// Package draw shows a compiled pipeline: as Mermaid text, the same that Haystack sends to a Mermaid server, and as an SVG
// made here, so that nothing about a pipeline leaves the process to be looked at.
//
// It reads a plan's description and nothing else; the engine is one floor up and does not know it. What stands in a picture
// is names, types and sockets, never a parameter's value.
package draw
