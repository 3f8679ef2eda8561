//go:build !unix

package keyring

import (
	"errors"
	"io/fs"
	"os"
)

// openNoFollow refuses a symbolic link. Modes and owners say little here; access lists are the administrator's.
func openNoFollow(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, errors.New("it is a symbolic link")
	}
	return os.Open(path)
}

func private(fs.FileInfo) bool { return true }
func owned(fs.FileInfo) bool   { return true }
func syncDir(string) error     { return nil }

// lockDir does nothing: on these systems one process at a time may make or change a root key file.
func lockDir(string) (unlock func() error, err error) { return func() error { return nil }, nil }
