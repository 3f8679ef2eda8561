// Package client talks to a Hayward server over HTTP: log in, deploy, run, keep secrets, read the audit. The command
// line is built on it. Errors come back as the faults they were on the server: the same kind, sentence, place and hint.
//
// It imports no room of the server: only the ground, and the engine's values for inputs and outputs.
package client
