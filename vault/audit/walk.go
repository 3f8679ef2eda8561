package audit

import (
	"bytes"
	"crypto/hmac"
	"fmt"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// walker follows a chain entry by entry.
type walker struct {
	mac     mac
	seq     int64
	hash    []byte
	scratch []byte
	unkeyed bool // nobody here has the key: what is signed tells instead
}

// next returns what is wrong with r as the entry that follows, or "".
func (w *walker) next(r *driver.AuditRow) string {
	if what := w.number(r.Seq); what != "" {
		return what
	}
	var want []byte
	want, w.scratch = entryHash(w.scratch, w.hash, r)
	switch {
	case !bytes.Equal(want, r.Hash):
		return fmt.Sprintf("entry %d (%s) was changed, moved or put in", r.Seq, clean(r.ID, 64))
	case !w.unkeyed && !hmac.Equal(entryMAC(w.mac, r.Hash), r.MAC):
		return fmt.Sprintf("entry %d (%s) was not written by this server", r.Seq, clean(r.ID, 64))
	}
	w.seq, w.hash = r.Seq, want
	return ""
}

func (w *walker) number(seq int64) string {
	switch {
	case seq > w.seq+1:
		return fmt.Sprintf("entries %d to %d are missing", w.seq+1, seq-1)
	case seq < w.seq+1:
		return fmt.Sprintf("there is an entry with the number %d, which no entry has", seq)
	}
	return ""
}

// proven returns what is wrong with the number and the MAC of the entry that follows, or "". That its hash fits what it says
// is for [walker.next].
func (w *walker) proven(seq int64, hash, mac []byte) string {
	if what := w.number(seq); what != "" {
		return what
	}
	if !hmac.Equal(entryMAC(w.mac, hash), mac) {
		return fmt.Sprintf("entry %d was not written by this server", seq)
	}
	return ""
}
