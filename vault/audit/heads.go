package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// MaxAhead is how many entries a chain may be ahead of the head file. More cannot be lost between a commit and the sync of the
// head file: the next group of writes waits for that sync when half as many are on their way. So more means an old head file was
// put in the new one's place.
const MaxAhead = 4096

// Heads is the file that keeps the head of each chain outside the database: number, hash and MAC of its last entry, and the
// newest entries themselves.
//
// The file is a journal of lines, the last line of a chain counts. Lines are appended and synced once for all who wait at the
// same time. A line that carries entries is their durable copy: the database commits them at the same time, without syncing, and
// the line is marked once it has. A line that carries none says that the database has synced. When the file has grown over 8 MiB, or most of
// its lines are old, the database is made to sync, and the file is written anew beside itself without those entries and put in
// place by renaming. A last line without its newline is what a crash leaves, and does not count; neither do the zeros at the end,
// which are room for the lines to come. The file is made by the
// [Logger] when it writes the very first entry of a database; a missing file beside existing entries is a failure ([Verify]
// says so, and nothing more is written).
type Heads struct {
	path string

	mu      sync.Mutex
	over    *sync.Cond // an attempt to write is over
	file    *os.File
	size    int64 // bytes that count; what lies beyond is room, or a torn write
	room    int64 // bytes there are
	lines   int
	carried int   // entries in lines
	base    int64 // size when the file was last written anew
	turn    int64 // how often it was
	heads   map[driver.Chain]Head
	lost    map[driver.Chain][]string // what the file carried when it was opened, until its chain is seen whole
	missing bool

	staged  []*line               // for the next write
	buf     []byte                // what they say
	aloft   []*line               // in the file, with entries that the database may not have yet
	latest  map[driver.Chain]Head // with those that are staged or being written
	rows    int                   // entries that are staged or being written
	count   int64                 // lines ever staged
	synced  int64                 // of which these are on disk,
	tried   int64                 // these were in the last attempt,
	err     error                 // which failed
	busy    bool
	attempt int64
}

// OpenHeads opens the head file, which need not exist yet. It fails if a line before the last cannot be read.
func OpenHeads(path string) (*Heads, error) {
	set, err := ReadHeads(path)
	if err != nil {
		return nil, err
	}
	h := &Heads{path: path, heads: set.heads, lost: set.redo, missing: set.Missing, size: set.size, base: set.size, lines: set.lines,
		latest: map[driver.Chain]Head{}}
	h.over = sync.NewCond(&h.mu)
	for _, rows := range set.redo {
		h.carried += len(rows)
	}
	if h.missing {
		return h, nil
	}
	if h.file, err = os.OpenFile(path, os.O_RDWR, 0o600); err != nil {
		return nil, h.unavailable(err)
	}
	if err := h.file.Truncate(h.size); err != nil {
		return nil, errors.Join(h.unavailable(err), h.file.Close())
	}
	h.room = h.size
	return h, nil
}

func (h *Heads) unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "cannot use the audit head file %s", h.path).
		WithHint("its directory must be writable by this user and have room")
}

// Path returns the file's path.
func (h *Heads) Path() string { return h.path }

// Close closes the file, and leaves no room in it.
func (h *Heads) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rest()
	if h.file == nil {
		return nil
	}
	err := errors.Join(h.file.Truncate(h.size), h.file.Close())
	h.file = nil
	return err
}

// rest waits until nobody writes.
func (h *Heads) rest() {
	for h.busy {
		h.over.Wait()
	}
}

// get returns the head of a chain as it is on disk.
func (h *Heads) get(c driver.Chain) Head {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heads[c]
}

// newest returns the head of a chain of which all entries are committed, whether it is on disk already or not.
func (h *Heads) newest(c driver.Chain) (head Head, have, missing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if head, have = h.latest[c]; !have {
		head, have = h.heads[c]
	}
	return head, have, h.missing
}

// chains returns the chains that have a head.
func (h *Heads) chains() (out []driver.Chain) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return sortedChains(h.heads)
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

// stage notes the new head of a chain, with the entries that the database need not have synced; flush makes it durable. Those
// entries must be committed, or rows be aloft and the line be given to [Heads.landed] later.
func (h *Heads) stage(head Head, rows redo) *line {
	h.mu.Lock()
	defer h.mu.Unlock()
	if head.Seq <= max(h.latest[head.Chain].Seq, h.heads[head.Chain].Seq) {
		return nil
	}
	h.latest[head.Chain] = head
	delete(h.lost, head.Chain) // the chain was whole up to here
	l := &line{head: head, at: int64(len(h.buf)), aloft: rows.aloft}
	h.staged = append(h.staged, l)
	h.buf = head.appendLine(h.buf, rows)
	h.rows += rows.rows
	h.count++
	return l
}

// behind returns how many entries are committed and not in the file yet, and whether writing them failed.
func (h *Heads) behind() (rows int, failing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rows, h.err != nil
}

// flush returns when what was staged before is on disk: whoever finds nobody writing does it for all. After an error it stays
// staged, and what was half written is overwritten.
func (h *Heads) flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for mine := h.count; h.synced < mine; {
		if !h.busy {
			if err := h.write(); err != nil {
				return err
			}
			continue
		}
		for now := h.attempt; h.attempt == now; {
			h.over.Wait()
		}
		if h.err != nil && h.tried >= mine {
			return h.err
		}
	}
	return nil
}

// write appends what is staged and syncs. Meanwhile more may be staged.
func (h *Heads) write() error {
	if h.file == nil {
		h.err = h.unavailable(fs.ErrClosed)
		return h.err
	}
	staged, buf, rows := h.staged, h.buf, h.rows
	for _, l := range staged {
		l.where = onItsWay
	}
	h.staged, h.buf, h.tried, h.busy = nil, nil, h.count, true
	f, at, room := h.file, h.size, h.room
	h.mu.Unlock()
	room, err := put(f, buf, at, room)
	h.mu.Lock()
	h.room = room
	h.busy = false
	h.attempt++
	h.over.Broadcast()
	if h.err = err; err != nil {
		h.err = h.unavailable(err)
		h.stageAgain(staged, buf)
		return h.err
	}
	h.synced, h.size, h.lines = h.tried, at+int64(len(buf)), h.lines+len(staged)
	h.rows, h.carried = h.rows-rows, h.carried+rows
	for _, l := range staged {
		h.arrived(l, at)
	}
	return nil
}

// headRoom is how much a file is made longer at a time.
const headRoom = 256 << 10

var zeros [headRoom]byte // stay zeros

// put writes b at at, syncs, and returns how long the file is now. What is written over bytes that are there syncs in three
// quarters of the time of what makes the file longer.
func put(f *os.File, b []byte, at, room int64) (int64, error) {
	_, err := f.WriteAt(b, at)
	if end := at + int64(len(b)); err == nil && end > room {
		n, _ := f.WriteAt(zeros[:], end) // without room the next one takes its time
		room = end + int64(n)
	}
	if err == nil {
		err = dataSync(f)
	}
	if err != nil {
		return at, errors.Join(err, f.Truncate(at))
	}
	return room, nil
}
