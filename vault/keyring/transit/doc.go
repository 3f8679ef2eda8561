// Package transit has the transit engine of OpenBao or HashiCorp Vault wrap a root key (see keyring.WrappedRoot): one call
// when a server starts, besides the login, none for a value. The engine's key must be of a type with associated data
// (aes256-gcm96, which is the default, or chacha20-poly1305), and may be rotated there at any time.
//
// How to log in (a token, an AppRole, a Kubernetes service account), keeping the token alive and the wire are those of
// vault/source/openbao. awskms and gcpkms next door do the same for other services.
package transit
