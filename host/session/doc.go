// Package session keeps conversations: messages by session id, in the database, for runs that name a session.
//
// A session belongs to one user of one tenant: whoever else names its id has another, empty one. Messages are read and added
// by components through the port component.Memory; [Store.For] gives a run the sessions of its caller and nobody else's.
// Everything has a bound, and messages end after a while. Pipelines that have no component for sessions are not changed by
// them. Documents, which belong to a tenant as a whole, are next door in the document stores.
package session
