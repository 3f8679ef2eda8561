// Package router is the hallway behind the front doors: one list of routes ([Route]), and what happens to every request
// before a handler sees it: request id, client address, Host check, size limit, time limit, panic guard, identity,
// request rate, and the security headers of the answer.
//
// A handler decodes, calls one service and returns a value or an error; writing the answer is done here, once, in the
// dialect of the route ([Dialect]). Identity enters here and nowhere else: a verified bearer becomes scope.Caller in the
// request's context. What the caller may do is decided by the service behind the door (host.Gate), not here; the action
// a route names is there for the documentation and for the test that compares it with what the services enforce.
package router
