// Package cow is a map for many readers and few writers: reading takes no lock and allocates nothing, writing copies one
// of 256 parts. The identity and token rooms answer every request from it.
package cow
