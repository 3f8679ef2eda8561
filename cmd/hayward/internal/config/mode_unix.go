//go:build unix

package config

import "io/fs"

// loose reports whether others than the owner may use a file.
func loose(m fs.FileMode) bool { return m.Perm()&0o077 != 0 }
