// Package awssm is a source of values in AWS Secrets Manager, or in what speaks its API.
//
// A key is the name of a secret, and a member of its JSON object behind a "#" ("prod/database#password"); without one it is
// the whole secret, text or binary. A secret that is scheduled for deletion is not there.
//
// It uses the SDK with settings written out in full: keys, region and endpoint come from [Options] and from nowhere else. No
// environment variable, shared file, instance metadata or default chain is read (decision 8), and everything goes out through
// egress; the signature of a request is sent as a credential for the endpoint's origin, so that no redirect is followed with
// it. The room is on the published list of importers of sealed/reveal because it signs requests (AWS Signature Version 4).
package awssm
