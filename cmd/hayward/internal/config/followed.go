package config

import (
	"io/fs"
	"os"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// followed is what a private file holds, read again when the file changes: another file, another time, size or mode. A file that
// is gone, or holds nothing of the kind any more, is an error, and what was in it is forgotten. It is safe for concurrent use.
type followed[T any] struct {
	setting, path string
	parse         func([]byte) (v T, wrong string) // wrong says what is wrong without quoting a value

	mu   sync.Mutex
	read fs.FileInfo // of what was read last; nil: nothing good was
	v    T
}

// get returns what the file holds now.
func (f *followed[T]) get() (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.refresh()
	if err != nil {
		var none T
		f.read, f.v = nil, none
	}
	return f.v, err
}

func (f *followed[T]) refresh() error {
	now, err := os.Stat(f.path)
	if err == nil && f.read != nil && os.SameFile(now, f.read) && now.ModTime().Equal(f.read.ModTime()) && now.Size() == f.read.Size() &&
		now.Mode() == f.read.Mode() {
		return nil
	}
	b, info, err := readPrivate(f.setting, f.path)
	if err != nil {
		return err
	}
	defer clear(b)
	v, wrong := f.parse(b)
	if wrong != "" {
		return fault.New(fault.Invalid, "the file of the setting %s, %s: %s", f.setting, f.path, wrong)
	}
	f.read, f.v = info, v
	return nil
}

// FollowedSecret returns a function that reads a secret of one line, as [SecretFile] does, and reads it again when the file
// changes. It fails if there is none now.
func FollowedSecret(setting, path string) (func() (sealed.Value, error), error) {
	f := &followed[sealed.Value]{setting: setting, path: path, parse: func(b []byte) (sealed.Value, string) {
		line, wrong := oneLine(b)
		if wrong != "" {
			return sealed.Value{}, wrong
		}
		return sealed.New(line), ""
	}}
	_, err := f.get()
	return f.get, err
}
