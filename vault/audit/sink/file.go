package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// FileOptions configures [NewFile].
type FileOptions struct {
	Path     string
	MaxBytes int64         // the file is put aside when it is larger; default 64 MiB
	Keep     int           // files put aside, as Path.1 (the newest), Path.2 and so on; default 8
	Sync     time.Duration // how long what was written may wait for the disk; 0: nothing waits, each batch is synced
	Lost     func(path string)
}

// File writes JSON lines: entries as in an export, and {"checkpoint": "..."}.
type File struct {
	o      FileOptions
	f      *os.File
	size   int64
	synced time.Time
}

// NewFile returns a file sink. The file is opened with the first batch, and made with mode 0600 if it does not exist. If it is
// removed, or another is put in its place, the next batch goes into a fresh one, and Lost is told: the entries in the lost
// one are in the store.
func NewFile(o FileOptions) *File {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.Keep <= 0 {
		o.Keep = 8
	}
	return &File{o: o}
}

// Send implements [Target].
func (s *File) Send(_ context.Context, b Batch) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, line := range b.Entries {
		if err := enc.Encode(line); err != nil {
			return fault.Wrap(fault.Internal, err, "an audit entry could not be encoded")
		}
	}
	if b.Checkpoint != "" {
		if err := enc.Encode(map[string]string{"checkpoint": b.Checkpoint}); err != nil {
			return fault.Wrap(fault.Internal, err, "a checkpoint could not be encoded")
		}
	}
	if err := s.ready(int64(out.Len())); err != nil {
		return s.unavailable(err)
	}
	if _, err := s.f.WriteAt(out.Bytes(), s.size); err != nil {
		return s.unavailable(errors.Join(err, s.f.Truncate(s.size))) // half a line would spoil the next
	}
	s.size += int64(out.Len())
	if s.o.Sync > 0 && time.Since(s.synced) < s.o.Sync {
		return nil
	}
	return s.sync()
}

func (s *File) sync() error {
	if err := s.f.Sync(); err != nil {
		return s.unavailable(err)
	}
	s.synced = time.Now()
	return nil
}

func (s *File) unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "cannot write the audit file %s", s.o.Path).WithHint("its directory must be writable by this user and have room")
}

// ready opens the file, notices that it is not the one at its path any more, and puts it aside when it is full.
func (s *File) ready(more int64) error {
	if s.f != nil {
		at, err := os.Stat(s.o.Path)
		mine, err2 := s.f.Stat()
		if err != nil || err2 != nil || !os.SameFile(at, mine) || mine.Size() < s.size {
			_ = s.f.Close()
			if s.f = nil; s.o.Lost != nil {
				s.o.Lost(s.o.Path)
			}
		}
	}
	if s.f != nil && s.size > 0 && s.size+more > s.o.MaxBytes {
		if err := s.rotate(); err != nil {
			return err
		}
	}
	if s.f != nil {
		return nil
	}
	f, err := os.OpenFile(s.o.Path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	size, err := wholeLines(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.f, s.size = f, size
	return nil
}

// wholeLines returns where the last whole line ends: a crash may have left half a one.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fault.New(fault.Invalid, "it is not a regular file")
	}
	end := info.Size()
	buf := make([]byte, 64<<10)
	for end > 0 {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			end = end - n + int64(i) + 1
			break
		}
		end -= n
	}
	return end, f.Truncate(end)
}

// rotate puts the file aside: path.1 is the newest.
func (s *File) rotate() error {
	if err := errors.Join(s.f.Sync(), s.f.Close()); err != nil {
		return err
	}
	s.f = nil
	aside := func(n int) string { return fmt.Sprintf("%s.%d", s.o.Path, n) }
	if err := os.Remove(aside(s.o.Keep)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for n := s.o.Keep - 1; n > 0; n-- {
		if err := os.Rename(aside(n), aside(n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(s.o.Path, aside(1))
}

// Close syncs and closes the file.
func (s *File) Close() error {
	if s.f == nil {
		return nil
	}
	err := errors.Join(s.f.Sync(), s.f.Close())
	s.f = nil
	return err
}

// Dir returns the directory that must be writable.
func (s *File) Dir() string { return filepath.Dir(s.o.Path) }
