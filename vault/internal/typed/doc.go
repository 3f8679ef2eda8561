// Package typed writes down the values of flags and config, and reads them back as exactly what they were: an int32 stays
// an int32, an integer beyond 2^53 keeps its last digit, a time.Duration does not become a number of nanoseconds.
//
// A value is one of Go's basic types or JSON. It knows no noun; flag, config and override next door decide what a value
// is for. Secrets are no values: a sealed value is refused.
package typed
