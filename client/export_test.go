package client

// ReadEvents is for fuzzing.
var ReadEvents = readEvents
