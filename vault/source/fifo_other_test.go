//go:build !unix

package source_test

import "os"

// mkfifo makes a directory where there are no named pipes: that is no file either.
func mkfifo(path string) error { return os.Mkdir(path, 0o700) }
