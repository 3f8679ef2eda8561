// Package schema holds the migrations of the auth wing: one list for all its rooms, because a user, his grants and the
// keys that sign for him are backed up and upgraded together.
package schema
