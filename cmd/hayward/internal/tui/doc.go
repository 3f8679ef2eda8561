// Package tui is how the command line talks to a person at a terminal and to a program at a pipe: tables, JSON, progress
// and the reading of secrets.
//
// Text that came from a server or a file is never written as it is: [Clean] shows control characters, terminal sequences
// and characters that turn the direction of text as escapes, so that a pipeline's name cannot rewrite the screen. Colour
// and moving bars appear on a terminal only, and not with NO_COLOR (https://no-color.org). Secrets are read here and leave
// sealed; nothing here prints one.
package tui
