// Package postgresrole rotates the password of an application's PostgreSQL role by alternating two roles, as the
// alternating-users strategy of AWS Secrets Manager does: while the application logs in as one, the other gets a new
// password, is tested and takes over; when the grace period is over, the former one's password is taken away. At no time is
// there a moment without a working login.
//
// The secret's value is a JSON object with username and password, as AWS writes it; host, port and dbname are filled in when
// it has none, and other fields are kept. Both roles get their rights from a group role that they are members of. The
// administrator's login is another secret of the same tenant, of the same form, whose destinations name the database's
// host:port. Roles with special rights are refused: a policy must not become a way to the superuser.
//
// No password reaches the server: what is sent in ALTER ROLE, and may lie in a log there, is the verifier of SCRAM-SHA-256
// (RFC 5802, RFC 7677), and logins prove the password by SCRAM alone; a server that asks for it in any other way is refused.
// Connections go through the dialer that the operator gives ([Options]); no environment variables or files are read.
package postgresrole
