package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// DirLock is the claim of one process on a data directory.
type DirLock struct{ f *os.File }

// LockDir claims dir for this process until [DirLock.Unlock] or the process's end, however it ends. It fails with
// Conflict, naming the holder, when another process has it.
func LockDir(dir string) (*DirLock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot lock the data directory %s", dir).
			WithHint("the directory must exist and be writable by this user")
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errLocked) {
			return nil, fault.Wrap(fault.Unavailable, err, "cannot lock the data directory %s", dir)
		}
		holder := make([]byte, 32)
		n, _ := f.ReadAt(holder, 0)
		return nil, fault.New(fault.Conflict, "the data directory %s is in use by process %s", dir, strings.TrimSpace(string(holder[:n]))).
			WithHint("stop that process, or talk to it over HTTP instead of using its files")
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return &DirLock{f}, nil
}

// Unlock gives the directory back.
func (l *DirLock) Unlock() error { return l.f.Close() }

// File is the name of the database inside a data directory.
const File = "hayward.db"

// OpenDir makes the data directory dir if there is none (for its owner only), claims it as [LockDir] does and opens the
// database in it. [DB.Close] gives the directory back.
func OpenDir(ctx context.Context, dir string, o Options) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot make the data directory %s", dir).
			WithHint("name a directory that this user can write to")
	}
	lock, err := LockDir(dir)
	if err != nil {
		return nil, err
	}
	d, err := OpenSQLite(ctx, filepath.Join(dir, File), o)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	d.lock = lock
	return d, nil
}
