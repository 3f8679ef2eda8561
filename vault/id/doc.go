// Package id makes the names of stored things: a prefix that says what it is and a UUID of version 7, so that ids sort by
// the time they were made. Ids are opaque and never reused. It knows no noun beyond its prefix; who may use an id is for
// the rooms next door (secret, audit) to decide.
package id
