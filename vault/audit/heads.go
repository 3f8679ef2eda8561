package audit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// MaxAhead is how many entries a chain may be ahead of the head file. More than a group of writes cannot be lost between a
// commit and the sync of the head file, so that more means an old head file was put in the new one's place.
const MaxAhead = 4096

// Heads is the file that keeps the head of each chain outside the database: number, hash and MAC of its last entry.
//
// The file is a journal of lines, the last line of a chain counts. Lines are appended and synced once per group of
// writes; when most lines are old, the file is written anew beside itself and put in place by renaming. A last line
// without its newline is what a crash leaves, and does not count. The file is made by the [Logger] when it writes the very
// first entry of a database; a missing file beside existing entries is a failure ([Verify] says so, and nothing more is
// written).
type Heads struct {
	path string

	mu      sync.Mutex
	file    *os.File
	size    int64 // bytes that count; what lies beyond is a torn write
	lines   int
	heads   map[driver.Chain]Head
	staged  map[driver.Chain]Head
	missing bool
}

// OpenHeads opens the head file, which need not exist yet. It fails if a line before the last cannot be read.
func OpenHeads(path string) (*Heads, error) {
	set, err := ReadHeads(path)
	if err != nil {
		return nil, err
	}
	h := &Heads{path: path, heads: set.heads, staged: map[driver.Chain]Head{}, missing: set.Missing, size: set.size, lines: set.lines}
	if h.missing {
		return h, nil
	}
	if h.file, err = os.OpenFile(path, os.O_RDWR, 0o600); err != nil {
		return nil, h.unavailable(err)
	}
	if err := h.file.Truncate(h.size); err != nil {
		return nil, errors.Join(h.unavailable(err), h.file.Close())
	}
	return h, nil
}

func (h *Heads) unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "cannot use the audit head file %s", h.path).
		WithHint("its directory must be writable by this user and have room")
}

// Path returns the file's path.
func (h *Heads) Path() string { return h.path }

// Close closes the file.
func (h *Heads) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	err := h.file.Close()
	h.file = nil
	return err
}

// get returns the head of a chain as it is on disk.
func (h *Heads) get(c driver.Chain) (head Head, have, missing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	head, have = h.heads[c]
	return head, have, h.missing
}

// create makes the file, empty, before the first entry of a database.
func (h *Heads) create() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.missing {
		return nil
	}
	f, err := os.OpenFile(h.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return h.unavailable(err)
	}
	if err := errors.Join(f.Sync(), syncDir(filepath.Dir(h.path))); err != nil {
		return errors.Join(h.unavailable(err), f.Close())
	}
	h.file, h.missing = f, false
	return nil
}

// stage notes the new head of a chain; flush makes it durable.
func (h *Heads) stage(head Head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if head.Seq > h.staged[head.Chain].Seq && head.Seq > h.heads[head.Chain].Seq {
		h.staged[head.Chain] = head
	}
}

// flush appends the staged heads and syncs. After an error they stay staged, and what was half written is overwritten.
func (h *Heads) flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.staged) == 0 {
		return nil
	}
	if h.file == nil {
		return h.unavailable(fs.ErrClosed)
	}
	var b []byte
	for _, head := range h.staged {
		b = head.appendLine(b)
	}
	if _, err := h.file.WriteAt(b, h.size); err != nil {
		return errors.Join(h.unavailable(err), h.file.Truncate(h.size))
	}
	if err := h.file.Sync(); err != nil {
		return errors.Join(h.unavailable(err), h.file.Truncate(h.size))
	}
	h.size, h.lines = h.size+int64(len(b)), h.lines+len(h.staged)
	for c, head := range h.staged {
		h.heads[c] = head
	}
	clear(h.staged)
	if h.lines > 4*len(h.heads)+4096 {
		// Tidying may fail, say for want of room, and is tried again: the heads themselves are on disk.
		_ = h.compact()
	}
	return nil
}

// compact writes one line per chain into a new file and puts it in the old one's place.
func (h *Heads) compact() error {
	var b bytes.Buffer
	for _, head := range h.heads {
		b.Write(head.appendLine(nil))
	}
	next := h.path + ".new"
	f, err := os.OpenFile(next, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return h.unavailable(err)
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(next, h.path)
	}
	if err != nil {
		return errors.Join(h.unavailable(err), f.Close())
	}
	old := h.file
	h.file, h.size, h.lines = f, int64(b.Len()), len(h.heads)
	return errors.Join(syncDir(filepath.Dir(h.path)), old.Close())
}
