// Package keyring is envelope encryption: the root key wraps one data key per tenant, and that key encrypts values.
//
//	root key (a file outside the data directory, a variable, or wrapped by a service: awskms, gcpkms, transit)
//	   wraps     tenant keys (rows in the store; shared entries of an app have one too)
//	      encrypt      values  =  AES-256-GCM through tink-go
//	   wraps     the server's own keys: signing keys, and a seed
//	      derives      keys for message authentication ([Ring.MAC]) and for what belongs to no tenant ([Ring.Wrap])
//
// Every ciphertext is bound to its place: format, app, tenant, name, version, key id and whatever its owner adds are
// associated data, each preceded by its length. A row copied to another tenant, name or version does not open. Opened
// tenant keys stay in a bounded cache, and are dropped when the store tells of a change.
//
// A tenant's key changes with [Ring.RotateTenant]; the root key with [Ring.RotateRoot], while everybody reads and writes; a
// tenant's keys end with [Ring.Shred], for this data and any earlier copy of it. The states of a change of the root key, which
// are written down in the store so that any process can go on with it:
//
//	idle --next key made and announced--> rewrapping --nothing left--> destroying --former key destroyed--> idle
//
// and of destroying a tenant's keys: overwritten, deleted, replacing (the root key), done (the receipt is signed).
//
// The keyring does not know what a secret is, nor who may read one: that is secret next door; who may change or destroy keys
// is key's business. It is on the published list of importers of sealed/reveal because it encrypts what a sealed value holds.
package keyring
