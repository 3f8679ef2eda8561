package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// FileRoot provides the root key in a file: one line of base64 or hex, mode 0600, owned by this user, not a symbolic
// link; all of that is checked each time. On first start the file is made, in a directory that is made too (0700).
//
// The file must not lie below any of the directories in outside, which is where the data goes: a backup of the data would
// carry its own key.
//
// It is a [Rotator]: the next key is made beside the file, with ".next" added to the name, and takes its place once
// everything is rewrapped; the former one is overwritten and removed. Where several servers share the data, each needs the
// new file before its next start.
func FileRoot(path string, outside ...string) Rotator { return fileRoot{keyFile{path, outside}} }

type fileRoot struct{ file keyFile }

func (f fileRoot) Root(_ context.Context, create bool) (Root, error) {
	if err := f.file.checkPlace(); err != nil {
		return Root{}, err
	}
	if create {
		return f.file.make(f.file.path, f.read, f.create)
	}
	root, err := f.read(f.file.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Root{}, noRoot("the root key file %s is missing or empty", f.file.path)
	}
	return root, err
}

// Next implements [Rotator].
func (f fileRoot) Next(_ context.Context, create bool) (Root, error) {
	if err := f.file.checkPlace(); err != nil {
		return Root{}, err
	}
	if create {
		return f.file.make(f.file.next(), f.read, f.create)
	}
	root, err := f.read(f.file.next())
	if errors.Is(err, fs.ErrNotExist) {
		return Root{}, nil
	}
	return root, err
}

// Promote implements [Rotator].
func (f fileRoot) Promote(_ context.Context, rootID string) (string, error) {
	return f.file.promote(rootID, func(path string) (string, error) {
		root, err := f.read(path)
		if err != nil {
			return "", err
		}
		return root.ID(), nil
	})
}

// read returns fs.ErrNotExist also for an empty file: that is what a crash between making and writing it leaves behind.
func (f fileRoot) read(path string) (Root, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return Root{}, err
	}
	key, err := parseKey(string(text))
	if err != nil {
		return Root{}, fault.Wrap(fault.Invalid, base.ErrInvalidKey,
			"the root key file %s does not hold 32 bytes in base64 or hex", path).
			WithHint("restore it from its backup")
	}
	return NewRoot(key, "the file "+f.file.path)
}

func (f fileRoot) create(path string) (Root, error) {
	key := random()
	if err := createKeyFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
		return Root{}, err
	}
	root, err := NewRoot(key, "the file "+f.file.path)
	root.Created = true
	return root, err
}
