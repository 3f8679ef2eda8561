//go:build !unix

package config

import "io/fs"

// loose cannot be known here: other systems keep who may use a file elsewhere.
func loose(fs.FileMode) bool { return false }
