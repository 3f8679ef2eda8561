// Package sourcetest is the suite that every source of values passes. A source hands it a [Harness]; what it cannot do is
// said there, and the suite tests that it says so itself. Nothing outside tests imports this package.
package sourcetest
