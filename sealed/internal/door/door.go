// Package door is the hinge between sealed and reveal: it lets reveal read what sealed holds without sealed exporting a
// method that does. Only the two of them can import it.
package door

// Open reads the bytes inside a sealed.Value; sealed sets it when it is loaded. The caller owns the copy it gets.
var Open func(value any) []byte
