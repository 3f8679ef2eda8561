// Package key is what people do with keys: list them, change a tenant's or the server's, destroy a tenant's and read the
// receipts. Each call asks the gate and is recorded; no key ever passes through here, only names and numbers.
//
// How keys wrap, change and end is keyring next door. Which values still need an old key, and encrypting them again, is
// secret's business.
//
// A tenant's administrator lists and changes the keys of the own tenant. Whatever is about the server, the entries shared by
// an app, the operator's own or another tenant is an operator's, and so is destroying: it ends in a new root key for everybody.
package key
