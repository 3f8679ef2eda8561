// Package keyring is envelope encryption: the root key wraps one data key per tenant, and that key encrypts values.
//
//	root key (a variable, or a 0600 file outside the data directory)
//	   wraps     tenant key (a row in the store; shared entries of an app have one too)
//	      encrypts     value  =  AES-256-GCM through tink-go
//
// Every ciphertext is bound to its place: format, app, tenant, name, version, key id and whatever its owner adds are
// associated data, each preceded by its length. A row copied to another tenant, name or version does not open. Opened
// tenant keys stay in a bounded cache. The root key itself is used for nothing but deriving: a wrapping key, a check that
// it fits the data, keys for message authentication ([Ring.MAC]).
//
// The keyring does not know what a secret is, nor who may read one: that is secret next door. It is on the published list
// of importers of sealed/reveal because it encrypts what a sealed value holds.
package keyring
