// Package openbao is a source of values in a KV secrets engine, version 2, of OpenBao or HashiCorp Vault, whose wire is the
// same. It logs in with a token, an AppRole or a Kubernetes service account, keeps its token alive, and logs in anew when the
// token has ended.
//
// A key is the path of a secret below the mount, and the field behind a "#" ("acme/database#password"); without one it is
// the field "value". A version that is deleted or destroyed is not there; one that will be deleted expires then
// (delete_version_after). A path that the token's policies do not cover is an error (Denied), not a missing key.
//
// Everything goes out through egress: an address that is not public needs the operator's permission, and a redirect is never
// followed. The room is on the published list of importers of sealed/reveal because the ids of an AppRole, and a wrapping
// token that is looked up, travel in a request's body; they are opened for the server's own origin only. The wire is
// described at https://openbao.org/api-docs and was recorded from a real server; baotest next door answers as it did.
package openbao
