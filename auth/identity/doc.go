// Package identity knows who there is: apps, tenants, users, and which roles a user holds in which tenant.
//
// Ids are opaque and never given out twice; a deleted tenant or user leaves a tombstone, so that a new one of the same
// name is somebody else. Names are canonical: every spelling of one name is one user. The operator is a user outside
// every tenant and holds no membership.
//
// What is kept lives in the database; what a request asks (is this user there, enabled, which roles, which credential
// version) is answered from memory without a lock or an allocation, and changes the moment a write is on disk. Every
// lookup names its app, and its tenant where there is one. Passwords are hashed and compared next door, in password;
// tokens and what roles may do are token's and policy's.
package identity
