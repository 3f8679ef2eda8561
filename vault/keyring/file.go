package keyring

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// FileRoot provides the root key in a file: one line of base64 or hex, mode 0600, owned by this user, not a symbolic
// link; all of that is checked each time. On first start the file is made, in a directory that is made too (0700).
//
// The file must not lie below any of the directories in outside, which is where the data goes: a backup of the data would
// carry its own key.
func FileRoot(path string, outside ...string) Provider { return fileRoot{path, outside} }

type fileRoot struct {
	path    string
	outside []string
}

func (f fileRoot) Root(_ context.Context, create bool) (Root, error) {
	if err := f.checkPlace(); err != nil {
		return Root{}, err
	}
	key, err := f.read()
	switch {
	case err == nil:
		return NewRoot(key, "the file "+f.path)
	case !errors.Is(err, fs.ErrNotExist):
		return Root{}, err
	case !create:
		return Root{}, noRoot("the root key file %s is missing or empty", f.path)
	}
	if key, err = f.create(); err != nil {
		return Root{}, fault.Wrap(fault.Unavailable, err, "cannot make the root key file %s", f.path).
			WithHint("its directory must be writable by this user; or set %s", DefaultVariable)
	}
	root, err := NewRoot(key, "the file "+f.path)
	root.Created = true
	return root, err
}

// checkPlace refuses a key file below a directory it must be outside of, also through symbolic links.
func (f fileRoot) checkPlace() error {
	path, err := realPath(f.path)
	if err != nil {
		return err
	}
	for _, dir := range f.outside {
		real, err := realPath(dir)
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(real, path); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return fault.New(fault.Invalid, "the root key file %s lies inside the data directory %s", f.path, dir).
				WithHint("keep it elsewhere: whoever copies the data directory must not get the key with it")
		}
	}
	return nil
}

// realPath resolves the links of the longest part of path that exists.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "cannot tell where %s is", path)
	}
	rest := ""
	for dir := abs; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return abs, nil
		}
		rest, dir = filepath.Join(filepath.Base(dir), rest), parent
	}
}

// read returns fs.ErrNotExist also for an empty file: that is what a crash between making and writing it leaves behind.
func (f fileRoot) read() ([]byte, error) {
	file, err := openNoFollow(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot open the root key file %s", f.path).
			WithHint("it must be a plain file, not a symbolic link, that this user can read")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot look at the root key file %s", f.path)
	}
	if err := f.checkInfo(info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, 1024))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot read the root key file %s", f.path)
	}
	if len(text) == 0 {
		return nil, fs.ErrNotExist
	}
	key, err := parseKey(string(text))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, base.ErrInvalidKey,
			"the root key file %s does not hold 32 bytes in base64 or hex", f.path).
			WithHint("restore it from its backup")
	}
	return key, nil
}

func (f fileRoot) checkInfo(info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fault.New(fault.Invalid, "the root key file %s is not a plain file", f.path)
	case !private(info):
		return fault.New(fault.Invalid, "the root key file %s has the mode %04o: others can read it", f.path, info.Mode().Perm()).
			WithHint("run: chmod 600 %s", f.path)
	case !owned(info):
		return fault.New(fault.Invalid, "the root key file %s belongs to another user", f.path).
			WithHint("run the program as the file's owner, or: chown \"$(id -u)\" %s", f.path)
	}
	return nil
}

// create makes the file so that it exists only whole or empty, and is on disk before anything is encrypted.
func (f fileRoot) create() ([]byte, error) {
	key := make([]byte, KeySize)
	rand.Read(key)
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(f.path); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		if err := os.Remove(f.path); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(f.path))
	}
	return key, syncDir(filepath.Dir(f.path))
}
