// Package oauth is the door where people log in: POST /token in the password dialect that FastAPI's OAuth2PasswordBearer
// tutorial and its clients speak, the key set that verifies access tokens, and who one is.
//
// The password grant is deprecated (RFC 9700 section 2.4) and answers with a Deprecation header; it is what the clients
// of pipeline servers send today. Wrong password, unknown user and disabled user get the same bytes. The rules of the
// login are in auth; here is only the wire.
package oauth
