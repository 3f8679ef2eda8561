// Package door is the hinge between sealed and reveal: it lets reveal read what sealed holds without sealed exporting a
// method that does. Only the two of them can import it.
package door
