package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// File reads a directory of mounted secrets: one file a key, in directories below if the key has slashes. It is what
// Kubernetes and Docker mount. A file is read when it is asked for, so that a change is seen at once, also the one by which
// Kubernetes exchanges all files together; a watch looks at its file again and again, because such mounts
// do not tell.
//
// Nothing outside the directory can be read: keys have no dot files and no way up, and symbolic links are followed only as
// far as they stay inside (os.Root). A value's version is the time its file was changed, in microseconds since 1970.
type File struct {
	o   options
	dir string
	hub *Hub
}

// filePoll is how often a watch on a file looks, unless WithPollInterval says otherwise.
const filePoll = 2 * time.Second

// NewFile returns a source named "file" over a directory, which must be there.
func NewFile(dir string, opts ...Option) (*File, error) {
	f := &File{o: read("file", append([]Option{WithPollInterval(filePoll)}, opts...)), dir: dir}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of the source %s cannot be read", f.o.name)
	}
	if !info.IsDir() {
		return nil, fault.New(fault.Invalid, "%s is not a directory", dir).WithHint("the source %s reads the files of a directory", f.o.name)
	}
	f.hub = newHub(f.o, f.Get, f.o.poll)
	f.hub.same = sameButVersion
	return f, nil
}

// Name returns "file", or the name it was given.
func (f *File) Name() string { return f.o.name }

// Get reads a file.
func (f *File) Get(ctx context.Context, key string) (*Value, error) {
	if err := f.check(ctx, key); err != nil {
		return nil, err
	}
	root, err := f.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return f.read(root, key)
}

// exchanged is the link by which Kubernetes exchanges all files of a mount together.
const exchanged = "..data"

// read reads a file. One that is gone because all files were exchanged while it was opened is looked for again: the old ones
// are removed at once, and a key must not seem deleted for that moment.
func (f *File) read(root *os.Root, key string) (v *Value, err error) {
	for range 10 {
		before, _ := root.Readlink(exchanged)
		v, err = f.readOnce(root, key)
		after, _ := root.Readlink(exchanged)
		if before == after || !errors.Is(err, ErrKeyNotFound) {
			break
		}
	}
	return v, err
}

func (f *File) check(ctx context.Context, key string) error {
	if err := f.hub.Closed(); err != nil {
		return err
	}
	if err := alive(ctx, f.o.name); err != nil {
		return err
	}
	return checkKey(key)
}

// root is opened for each call: the directory may have been exchanged for another of the same name.
func (f *File) root() (*os.Root, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of the source %s cannot be read", f.o.name)
	}
	return root, nil
}

// isFileKey accepts what can be the name of a mounted secret: no empty, hidden or upward part, nothing another system reads
// as a separator or a device.
func isFileKey(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || strings.ContainsAny(part, `\:`) {
			return false
		}
	}
	return true
}

func (f *File) readOnce(root *os.Root, key string) (*Value, error) {
	if !isFileKey(key) {
		return nil, missing(f.o.name, key)
	}
	// Without waiting: a named pipe would keep us for ever before it can be looked at.
	file, err := root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, f.failed(key, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, f.failed(key, err)
	}
	if !info.Mode().IsRegular() {
		return nil, missing(f.o.name, key)
	}
	raw, err := io.ReadAll(io.LimitReader(file, f.o.maxSize+1))
	if err != nil {
		return nil, f.failed(key, err)
	}
	defer clear(raw)
	if int64(len(raw)) > f.o.maxSize {
		return nil, tooLarge(f.o.name, key, f.o.maxSize)
	}
	return &Value{Key: key, Raw: sealed.New(f.trimmed(raw)), Source: f.o.name, Version: info.ModTime().UnixMicro()}, nil
}

func (f *File) trimmed(raw []byte) []byte {
	if n := len(raw); f.o.trim && n > 0 && raw[n-1] == '\n' {
		raw = raw[:n-1]
		if n := len(raw); n > 0 && raw[n-1] == '\r' {
			raw = raw[:n-1]
		}
	}
	return raw
}

// failed is a missing key for a file that is not there, and for a link that leads outside, which is none of ours.
func (f *File) failed(key string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG), escapes(err):
		return missing(f.o.name, key)
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.Unavailable, err, "the file of %q in the source %s may not be read", key, f.o.name).
			WithHint("the user this program runs as needs the right to read it")
	}
	return fault.Wrap(fault.Unavailable, err, "the file of %q in the source %s cannot be read", key, f.o.name)
}

// escapes recognises os.Root's refusal, which has no exported error.
func escapes(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && strings.Contains(p.Err.Error(), "escapes")
}

// List reads the files whose keys begin with prefix; most 10,000.
func (f *File) List(ctx context.Context, prefix string) ([]*Value, error) {
	if err := f.check(ctx, "x"+prefix); err != nil {
		return nil, err
	}
	root, err := f.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	keys, err := f.keys(ctx, root, prefix)
	if err != nil {
		return nil, err
	}
	out := []*Value{}
	for _, key := range keys {
		v, err := f.read(root, key)
		if errors.Is(err, ErrKeyNotFound) {
			continue // gone meanwhile, or not a file
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (f *File) keys(ctx context.Context, root *os.Root, prefix string) (keys []string, err error) {
	seen := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = alive(ctx, f.o.name)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || name == "." {
			return err
		}
		if seen++; seen > DefaultMaxList {
			return fault.New(fault.TooLarge, "the source %s has more than %d files", f.o.name, DefaultMaxList)
		}
		switch {
		case path.Base(name)[0] == '.':
			if d.IsDir() {
				return fs.SkipDir // the directories behind ..data
			}
		case !d.IsDir() && strings.HasPrefix(name, prefix):
			keys = append(keys, name)
		}
		return nil
	})
	if err != nil && fault.From(err).Cause == err {
		err = fault.Wrap(fault.Unavailable, err, "the directory of the source %s cannot be read", f.o.name)
	}
	slices.Sort(keys)
	return keys, err
}

// Watch has fn called when a file changes, see [Source].
func (f *File) Watch(ctx context.Context, key string, fn WatchFunc) error {
	return f.hub.Watch(ctx, key, fn)
}

// Close ends every watch.
func (f *File) Close() error {
	f.hub.Close()
	return nil
}
