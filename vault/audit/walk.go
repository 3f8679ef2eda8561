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
}

// next returns what is wrong with r as the entry that follows, or "".
func (w *walker) next(r *driver.AuditRow) string {
	if r.Seq != w.seq+1 {
		if r.Seq > w.seq+1 {
			return fmt.Sprintf("entries %d to %d are missing", w.seq+1, r.Seq-1)
		}
		return fmt.Sprintf("there is an entry with the number %d, which no entry has", r.Seq)
	}
	var want []byte
	want, w.scratch = entryHash(w.scratch, w.hash, r)
	switch {
	case !bytes.Equal(want, r.Hash):
		return fmt.Sprintf("entry %d (%s) was changed, moved or put in", r.Seq, clean(r.ID, 64))
	case !hmac.Equal(entryMAC(w.mac, r.Hash), r.MAC):
		return fmt.Sprintf("entry %d (%s) was not written by this server", r.Seq, clean(r.ID, 64))
	}
	w.seq, w.hash = r.Seq, want
	return ""
}
