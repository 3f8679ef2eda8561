// Package gcptest is a server on a socket that answers as Google Cloud KMS and the login of a service account do, as far as a
// wrapped root key needs them: it checks signatures and checksums, and encrypts. It is for tests; baotest does the same for OpenBao.
package gcptest
