package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// maxHeads is the size beyond which the head file is written anew. What is appended while the database syncs comes on top.
const maxHeads = 8 << 20

// mark is a moment of the head file: what it says up to there, the database will have for good.
type mark struct {
	size    int64
	lines   int
	carried int
	turn    int64
	heads   map[driver.Chain]Head
}

// mark returns the present moment, if there is a file.
func (h *Heads) mark() (mark, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rest()
	return mark{h.size, h.lines, h.carried, h.turn, maps.Clone(h.heads)}, h.file != nil
}

// full reports whether the file is due to be written anew.
func (h *Heads) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines > 4*len(h.heads)+4096 || h.size > max(maxHeads, 2*h.base)
}

// compact writes one line without entries per chain for what was there at m, and after them what came later, into a new file,
// and puts it in the old one's place.
func (h *Heads) compact(m mark) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rest()
	if h.file == nil || h.turn != m.turn {
		return nil // closed, or somebody else was faster
	}
	var b bytes.Buffer
	for _, c := range sortedChains(m.heads) {
		b.Write(m.heads[c].appendLine(nil, redo{}))
	}
	base := int64(b.Len())
	next := h.path + ".new"
	f, err := os.OpenFile(next, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return h.unavailable(err)
	}
	if _, err = b.ReadFrom(io.NewSectionReader(h.file, m.size, h.size-m.size)); err == nil {
		_, err = f.Write(b.Bytes())
	}
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(next, h.path)
	}
	if err != nil {
		return errors.Join(h.unavailable(err), f.Close())
	}
	h.moved(m.size, base)
	old, size := h.file, base+h.size-m.size
	h.room = size
	h.file, h.size, h.base, h.lines, h.carried = f, size, size, len(m.heads)+h.lines-m.lines, h.carried-m.carried
	h.turn++
	return errors.Join(syncDir(filepath.Dir(h.path)), old.Close())
}

// cursorOfHeads is the sink under whose name the database remembers up to where it was made to sync. Writing it is what counts.
const cursorOfHeads = "audit head file"

// tidy makes the database sync, and drops from the head file what it then has for good.
func (l *Logger) tidy(ctx context.Context) error {
	m, ok := l.heads.mark()
	if !ok || len(m.heads) == 0 {
		return nil
	}
	if m.carried > 0 {
		c := sortedChains(m.heads)[0]
		if err := l.st.Update(ctx, func(tx driver.Tx) error {
			if err := l.landAll(ctx, tx); err != nil {
				return err
			}
			return tx.PutAuditCursor(ctx, c, cursorOfHeads, m.heads[c].Seq)
		}); err != nil {
			return err
		}
	}
	return l.heads.compact(m)
}

// landAll adds what the head file has and the database does not. A chain that was changed is left as it is.
func (l *Logger) landAll(ctx context.Context, tx driver.Tx) error {
	for _, f := range l.aloft() {
		if err := l.land(ctx, tx, f); err != nil && !errors.Is(err, base.ErrAuditBroken) {
			return err
		}
	}
	return nil
}

// tidyWhenFull tidies beside those who write, one at a time. It may fail, say for want of room, and is tried again: heads and
// entries are on disk.
func (l *Logger) tidyWhenFull() {
	if !l.heads.full() || !l.tidying.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer l.tidying.Store(false)
		if err := l.tidy(context.Background()); err != nil {
			l.log.Warn("the audit head file could not be tidied", "error", err)
		}
	}()
}

// leave is the last thing before the store closes: a database that is closed in order has everything for good, and an end that
// is missing then was cut off.
func (l *Logger) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l.mu.Lock()
	l.grounded = true
	l.mu.Unlock()
	if err := l.tidy(ctx); err != nil {
		l.log.Warn("the audit head file could not be tidied", "error", err)
	}
}
