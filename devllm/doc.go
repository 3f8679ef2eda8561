// Package devllm is a small server that speaks OpenAI's chat completions protocol, for development: the demo and the
// tests talk to it where a deployment talks to a model.
//
// It does not generate text. It quotes, word for word, the sentence of the prompt's documents that shares most with the
// question ([Quote]), so that an answer can be checked against its source and is the same every time. Like the original it
// answers only to keys it was given, streams, counts tokens and fails in the original's error shape; unlike the original
// it writes down a fingerprint of the key it saw, which shows whose key a request carried and never the key.
//
// It listens on loopback only ([Listen]), and it is no part of the server: nothing but the command line and tests import it.
package devllm
