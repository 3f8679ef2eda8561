// Package gcpkms has Google Cloud KMS wrap a root key (see keyring.WrappedRoot): one call when a server starts, none for a
// value, besides the login. It speaks the REST API
// (https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt) and checks the CRC32C
// of everything that travels, as https://cloud.google.com/kms/docs/data-integrity-guidelines asks.
//
// Who asks is a service account, whose key file is given as a sealed value; there are no default credentials and no metadata
// server. The room is on the published list of importers of sealed/reveal because it signs the account's login (RFC 7523).
// awskms and transit next door do the same for other services.
package gcpkms
