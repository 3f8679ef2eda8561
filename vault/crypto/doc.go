// Package crypto is the documented face of encryption in the vault: an [Encryptor] over a 32-byte key. Underneath is
// keyring, which is what a server uses directly.
//
// Handed to secret.NewService, an Encryptor stands for a keyring under its key: values are encrypted under a key per
// tenant and bound to their place. Encrypt and Decrypt on their own bind to nothing and are for data that has no place.
package crypto
