// Package auth answers who asks: it logs people in and turns a bearer token into an identity.
//
// It joins the rooms of its wing: identity (who there is), password (hashes), token (access tokens and their keys),
// policy (what a role may do) and limit (how often). [Service.Login] is the password dialect of POST /token without the
// HTTP: wrong password, unknown user and disabled user give one error after the time of one hash. [Service.Authenticate]
// is asked at every request and takes no lock. The doors that speak HTTP are in server; auditing and the encryption of
// signing keys are ports ([Recorder], token.KeyWrapper) that the host wires. This wing knows neither the vault nor a
// pipeline.
//
// The operator logs in like everybody else and stands outside every tenant: his identity names no tenant, and asking for
// one is refused.
package auth
