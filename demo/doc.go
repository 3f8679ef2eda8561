// Package demo holds what 'hayward demo' works with: two pipeline files, the pages it indexes when the Go toolchain came
// without documentation, and the calls of the README as scripts.
package demo
