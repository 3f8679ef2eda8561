// Package credentials keeps what 'hayward login' got, so that the next command need not ask: one access token per server,
// in a file of mode 0600 in the user's configuration directory. A token is good for minutes; a password is never kept.
//
// It is on the published list of importers of sealed/reveal because the token goes into that file.
package credentials
