// Package canon writes and reads sequences of fields so that no two different sequences give the same bytes: each field
// is preceded by its length. Associated data and audit entries are made of it; a separator such as ":" would let
// ("a:b", "c") and ("a", "b:c") collide.
package canon
