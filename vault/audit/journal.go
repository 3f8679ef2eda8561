package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/haywardhq/hayward/fault"
)

// Limits of the checkpoint file: when it has grown beyond the first, the newest of its checkpoints are kept.
const (
	maxJournal  = 16 << 20
	keptJournal = 4096
)

// Journal is the file that keeps the checkpoints outside the database, one after another as text. It is appended to, and
// tidied when it is over 16 MiB: the last 4,096 stay. A last checkpoint without its signature is what a crash leaves, and
// does not count. A copy of its last checkpoint elsewhere is all it takes to see later that database and files were put back
// together.
type Journal struct {
	path string

	mu      sync.Mutex
	file    *os.File
	size    int64
	last    map[string]Checkpoint // by origin
	missing bool
	limit   int64
}

// OpenJournal opens the checkpoint file, which need not exist yet: it is made with the first checkpoint.
func OpenJournal(path string) (*Journal, error) {
	list, size, err := ReadJournal(path)
	j := &Journal{path: path, last: newest(list), size: size, limit: maxJournal}
	if errors.Is(err, fs.ErrNotExist) {
		j.missing = true
		return j, nil
	}
	if err != nil {
		return nil, err
	}
	if j.file, err = os.OpenFile(path, os.O_RDWR, 0o600); err != nil {
		return nil, j.unavailable(err)
	}
	if err := j.file.Truncate(size); err != nil {
		return nil, errors.Join(j.unavailable(err), j.file.Close())
	}
	return j, nil
}

// ReadJournal reads a checkpoint file without changing it. It returns the checkpoints in their order, and how many bytes
// count; what follows is torn. A missing file is an error that matches fs.ErrNotExist.
func ReadJournal(path string) ([]Checkpoint, int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fault.Wrap(fault.Unavailable, err, "cannot read the audit checkpoint file %s", path)
	}
	var out []Checkpoint
	var size int64
	for rest := string(b); ; {
		one, more := cutNote(rest)
		c, err := ParseCheckpoint(one)
		whole := err == nil && len(one) > 0 && one[len(one)-1] == '\n' && signedOnce(one)
		switch {
		case whole:
			out, size, rest = append(out, c), size+int64(len(one)), more
			continue
		case more != "" || len(rest) > maxCheckpoint:
			return nil, 0, fault.New(fault.Unavailable, "the audit checkpoint file %s was changed: what follows checkpoint %d is damaged", path, len(out)).
				WithCode("AuditBroken").WithHint("put the file back from a copy; it is part of the proof that no entry is missing")
		}
		return out, size, nil
	}
}

// signedOnce reports whether there is a signature line behind the body.
func signedOnce(one string) bool {
	body, sigs, _ := cutLast(one, "\n\n")
	return body != "" && sigs != ""
}

func (j *Journal) unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "cannot use the audit checkpoint file %s", j.path).
		WithHint("its directory must be writable by this user and have room")
}

// Path returns the file's path.
func (j *Journal) Path() string { return j.path }

// Close closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// newest returns the newest checkpoint of a log in the file.
func (j *Journal) newest(origin string) (c Checkpoint, have, missing bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, have = j.last[origin]
	return c, have, j.missing
}

// append adds checkpoints and syncs.
func (j *Journal) append(list []Checkpoint) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.missing {
		f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return j.unavailable(err)
		}
		if err := syncDir(filepath.Dir(j.path)); err != nil {
			return errors.Join(j.unavailable(err), f.Close())
		}
		j.file, j.missing = f, false
	}
	if j.file == nil {
		return j.unavailable(fs.ErrClosed)
	}
	var b []byte
	for _, c := range list {
		b = append(b, c.Text...)
	}
	if _, err := j.file.WriteAt(b, j.size); err != nil {
		return errors.Join(j.unavailable(err), j.file.Truncate(j.size))
	}
	if err := j.file.Sync(); err != nil {
		return errors.Join(j.unavailable(err), j.file.Truncate(j.size))
	}
	j.size += int64(len(b))
	for _, c := range list {
		j.last[c.Origin()] = c
	}
	if j.size > j.limit {
		// Tidying may fail, say for want of room, and is tried again: the checkpoints themselves are on disk.
		_ = j.tidy()
	}
	return nil
}

// tidy writes the newest checkpoints into a new file and puts it in the old one's place.
func (j *Journal) tidy() error {
	list, _, err := ReadJournal(j.path)
	if err != nil {
		return err
	}
	var b []byte
	kept := list[max(0, len(list)-keptJournal):]
	for origin, c := range j.last { // of a log that is over, its last one stays
		if !slices.ContainsFunc(kept, func(k Checkpoint) bool { return k.Origin() == origin }) {
			b = append(b, c.Text...)
		}
	}
	for _, c := range kept {
		b = append(b, c.Text...)
	}
	next := j.path + ".new"
	f, err := os.OpenFile(next, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return j.unavailable(err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(next, j.path)
	}
	if err != nil {
		return errors.Join(j.unavailable(err), f.Close())
	}
	old := j.file
	j.file, j.size = f, int64(len(b))
	return errors.Join(syncDir(filepath.Dir(j.path)), old.Close())
}
