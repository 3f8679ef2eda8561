// Package sessions holds two components of Hayward's own for the messages of a conversation: one brings what was said so
// far, the other remembers what was said now. Whose conversation it is, and which, the host says when a run begins; a file
// names neither. Haystack has no such types.
package sessions
