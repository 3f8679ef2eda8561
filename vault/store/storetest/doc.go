// Package storetest is the suite that every store of the vault passes: what a store keeps, for whom, and what it must never
// give away. A store hands it a [Harness]; what a store cannot do is a nil field there, and the suite says which part it
// therefore did not run. Nothing outside tests imports this package.
package storetest
