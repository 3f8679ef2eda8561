// Package keys joins the audit record and the keyring, which do not know each other: personal fields of entries under a key
// that the tenant's own key encrypts ([Blinder]), and the key that signs checkpoints ([Signer]). It decides nothing about
// entries or checkpoints: that is audit, above. It is on the published list of importers of sealed/reveal because it reads
// the key it had the keyring encrypt.
package keys
