// Package fault is the one vocabulary of errors in Hayward: a kind that a machine reads and a sentence that a person
// reads.
//
// A fault knows nothing of HTTP, of logs or of exit codes: each door turns a [Kind] into its own dialect, once. An
// error without a kind is [Internal]: outside, a door says only that something went wrong; inside, the whole chain is
// kept and can be matched with errors.Is and errors.As.
//
// Faults never quote input that may be secret. The rooms next door are sealed (values that cannot be printed) and
// egress (the only way out of the process); all are ground.
package fault
