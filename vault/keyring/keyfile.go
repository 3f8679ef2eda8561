package keyring

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// keyFile is a file that holds a root key in some form, and may hold the next one beside it:
//
//	root.key        the key in use
//	root.key.next   the one that is to follow, while keys are being rewrapped under it
//	root.key.old    a former one on its way to being destroyed
//
// Each exists whole or not at all, and is on disk before anything depends on it.
type keyFile struct {
	path    string
	outside []string
}

func (f keyFile) next() string { return f.path + ".next" }
func (f keyFile) old() string  { return f.path + ".old" }

// checkPlace refuses a key file below a directory it must be outside of, also through symbolic links.
func (f keyFile) checkPlace() error {
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

// maxKeyFile bounds what is read: a wrapped key and its names take less than a kibibyte.
const maxKeyFile = 16 << 10

// readKeyFile returns fs.ErrNotExist also for an empty file.
func readKeyFile(path string) ([]byte, error) {
	file, err := openNoFollow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot open the root key file %s", path).
			WithHint("it must be a plain file, not a symbolic link, that this user can read")
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot look at the root key file %s", path)
	}
	if err := checkInfo(path, info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot read the root key file %s", path)
	}
	if len(text) == 0 {
		return nil, fs.ErrNotExist
	}
	return text, nil
}

func checkInfo(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fault.New(fault.Invalid, "the root key file %s is not a plain file", path)
	case !private(info):
		return fault.New(fault.Invalid, "the root key file %s has the mode %04o: others can read it", path, info.Mode().Perm()).
			WithHint("run: chmod 600 %s", path)
	case !owned(info):
		return fault.New(fault.Invalid, "the root key file %s belongs to another user", path).
			WithHint("run the program as the file's owner, or: chown \"$(id -u)\" %s", path)
	}
	return nil
}

// createKeyFile makes a file that must not exist, or be empty.
func createKeyFile(path string, content []byte) error {
	if err := writeKeyFile(path, content); err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot make the root key file %s", path).
			WithHint("its directory must be writable by this user; or set %s", DefaultVariable)
	}
	return nil
}

func writeKeyFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp") // mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = linkOrRename(temp.Name(), path)
	}
	if _, left := os.Lstat(temp.Name()); left == nil {
		err = errors.Join(err, os.Remove(temp.Name()))
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// linkOrRename gives a file its name. A link refuses to replace what another process put there meanwhile; a rename is for
// file systems without links.
func linkOrRename(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, have := os.Lstat(to); have == nil {
		return err
	}
	return os.Rename(from, to)
}

// make returns what read finds at path; if there is nothing, what create makes there. Of several processes one creates.
func (f keyFile) make(path string, read, create func(path string) (Root, error)) (root Root, err error) {
	if root, err = read(path); !errors.Is(err, fs.ErrNotExist) {
		return root, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Root{}, fault.Wrap(fault.Unavailable, err, "cannot make the directory of the root key file %s", path)
	}
	err = locked(filepath.Dir(path), func() error {
		if root, err = read(path); errors.Is(err, fs.ErrNotExist) {
			root, err = create(path)
		}
		return err
	})
	return root, err
}

// locked runs fn while no other process runs one for the same directory.
func locked(dir string, fn func() error) error {
	unlock, err := lockDir(dir)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot lock the directory %s of the root key file", dir)
	}
	return errors.Join(fn(), unlock())
}

// promote puts the next file in the place of the current one, and destroys that. id tells which key a file holds.
func (f keyFile) promote(rootID string, id func(path string) (string, error)) (advice string, err error) {
	if err := f.checkPlace(); err != nil {
		return "", err
	}
	if err := locked(filepath.Dir(f.path), func() error { return f.promoteLocked(rootID, id) }); err != nil {
		return "", err
	}
	return "make a new backup of " + f.path + ", and destroy every copy of the former one", nil
}

func (f keyFile) promoteLocked(rootID string, id func(path string) (string, error)) error {
	got, err := id(f.next())
	if err == nil && got == rootID {
		err = f.replace()
	} else if err == nil || errors.Is(err, fs.ErrNotExist) {
		got, err = id(f.path) // it is in its place already
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot put the next root key in the place of %s", f.path)
	}
	if got != rootID {
		return fault.New(fault.Unavailable, "neither %s nor %s holds the root key %s", f.path, f.next(), rootID).
			WithHint("put the right root key back; nothing has been changed")
	}
	if err := f.destroyOld(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot destroy the former root key %s", f.old())
	}
	return nil
}

// replace keeps a name for the former file until it is destroyed, so that a crash between the two does not leave it on the
// disk without a name. The current name always leads to a whole key.
func (f keyFile) replace() error {
	if !sameFile(f.path, f.old()) {
		if err := f.destroyOld(); err != nil {
			return err
		}
		if err := os.Link(f.path, f.old()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(f.next(), f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

// destroyOld overwrites the former file and removes it, unless the name leads to the current one, which loses that name only.
func (f keyFile) destroyOld() error {
	if sameFile(f.path, f.old()) {
		return os.Remove(f.old())
	}
	return destroyFile(f.old())
}

func sameFile(a, b string) bool {
	ia, err := os.Lstat(a)
	ib, err2 := os.Lstat(b)
	return err == nil && err2 == nil && os.SameFile(ia, ib)
}

// destroyFile overwrites a file, if it exists, and removes it. What a disk keeps of overwritten blocks is beyond it.
func destroyFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		if err := overwrite(path, info.Size()); err != nil {
			return err
		}
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func overwrite(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	noise := make([]byte, size)
	rand.Read(noise)
	_, err = file.WriteAt(noise, 0)
	return errors.Join(err, file.Sync(), file.Close())
}
