// Hayward runs Haystack pipelines: one file on a laptop, or many for many tenants behind a login.
//
// This package is the program: one file per noun, each a cobra command that reads flags, calls one room and prints. main
// does signals and the exit code. What takes more than that lives in internal: app puts the server together, local runs
// files without one, demo sets up the demo, config reads settings, credentials keeps logins, tui talks to terminals.
package main
