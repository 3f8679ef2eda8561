// Package generators holds the generators that Haystack 3 removed and pipelines of Haystack 2 name: text in, text out. They
// speak the wire of their successors in generators/chat.
package generators
