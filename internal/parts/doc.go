// Package parts says which real parts a test needs (a Python with the original Haystack, the sqlite3 shell, a port that
// a file names) and where they are. Without one, a test is skipped with a line that the test command counts and repeats;
// with CI=true a missing part fails. Nothing outside tests and bench imports it.
package parts
