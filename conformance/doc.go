// Package conformance holds what was recorded from Python Haystack, and the tests that compare with it. baseline.yml
// lists the cases that differ, each with its reason; oracle/ makes recordings anew.
package conformance
