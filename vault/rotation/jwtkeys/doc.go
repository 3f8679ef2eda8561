// Package jwtkeys rotates the keys that sign JSON Web Tokens, with overlap: a key is published before it signs, and stays
// published after.
//
//	next  ---- one rotation ---->  current  ---- one rotation ---->  previous  ---- one rotation ---->  gone
//	published                      signs, published                  published
//
// [New] keeps the keys in the secret itself: its value is a JWK set (RFC 7517) of ES256 keys with their private parts, each
// with a state. Who signs reads it with [Parse]; who verifies gets [Set.Public]. [Over] rotates keys that are kept elsewhere,
// such as those of a server's own access tokens, through the few methods of [Keys]; it does not know that room.
package jwtkeys
