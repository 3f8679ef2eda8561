// Package awskms has AWS KMS wrap a root key (see keyring.WrappedRoot): one call when a server starts, none for a value.
//
// It uses the SDK with settings written out in full: keys, region and endpoint come from [Options] and from nowhere else. No
// environment variable, shared file, instance metadata or default chain is read, and everything goes out through egress; the
// signature of a request is sent as a credential for the endpoint's origin, so that no redirect is followed with it. The room
// is on the published list of importers of sealed/reveal because it signs requests (AWS Signature Version 4). gcpkms and
// transit next door do the same for other services.
package awskms
