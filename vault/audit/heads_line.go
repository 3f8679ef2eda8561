package audit

import "slices"

// line is a line of the head file, from the moment it is staged until the database has what it carries.
type line struct {
	head  Head
	at    int64 // where it begins: in what is staged, or in the file
	where whereabouts
	aloft bool // the database may not have its entries
	late  bool // it got them while the line was being written
}

type whereabouts int

const (
	isStaged whereabouts = iota
	onItsWay
	inTheFile
	dropped // from the file, which was written anew
)

// landed marks a line whose entries the database has by now: from here on their absence is somebody's work.
func (h *Heads) landed(l *line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l == nil || !l.aloft {
		return
	}
	l.aloft = false
	switch l.where {
	case isStaged:
		h.buf[l.at+int64(lineKindAt)] = lineCommitted
	case onItsWay:
		l.late = true
	case inTheFile:
		h.aloft = slices.DeleteFunc(h.aloft, func(o *line) bool { return o == l })
		h.confirm(l)
	}
}

// confirm writes the mark, and leaves it to the system when: a machine that stops loses what the database committed sooner than
// this. If it cannot be written, a verification takes the absence of these entries for the work of a crash.
func (h *Heads) confirm(l *line) {
	if h.file != nil {
		_, _ = h.file.WriteAt([]byte{lineCommitted}, l.at+int64(lineKindAt))
	}
}

// arrived notes that a line is on disk. What was written with it begins at at.
func (h *Heads) arrived(l *line, at int64) {
	l.at, l.where = l.at+at, inTheFile
	c := l.head.Chain
	h.heads[c] = l.head
	if h.latest[c].Seq == l.head.Seq {
		delete(h.latest, c)
	}
	switch {
	case l.aloft:
		h.aloft = append(h.aloft, l)
	case l.late:
		h.confirm(l)
	}
}

// stageAgain puts lines that could not be written before those that were staged meanwhile.
func (h *Heads) stageAgain(lines []*line, buf []byte) {
	for _, l := range h.staged {
		l.at += int64(len(buf))
	}
	for _, l := range lines {
		l.where = isStaged
		if l.late {
			l.late = false
			buf[l.at+int64(lineKindAt)] = lineCommitted
		}
	}
	h.staged, h.buf = append(lines, h.staged...), append(buf, h.buf...)
}

// moved notes that the file was written anew: what began at from begins at to now, and what was before is not there.
func (h *Heads) moved(from, to int64) {
	h.aloft = slices.DeleteFunc(h.aloft, func(l *line) bool {
		if l.at < from {
			l.where = dropped
			return true
		}
		l.at += to - from
		return false
	})
}
