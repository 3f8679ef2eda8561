package audit

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"

	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// redo is rows of one chain as a line of the head file has them: JSON strings with commas between.
//
// A row is the base64 of its MAC and its canonical bytes. It is the row as the database has it: what is personal is blinded, and
// destroying a tenant's keys blinds the copy with the row.
type redo struct {
	text  []byte
	rows  int
	aloft bool // the database may not have them yet

	scratch []byte
}

func (r *redo) add(mac, canonical []byte) {
	if r.rows > 0 {
		r.text = append(r.text, ',')
	}
	r.rows++
	r.scratch = append(canon.Text(r.scratch[:0], mac), canonical...)
	r.text = append(base64.RawStdEncoding.AppendEncode(append(r.text, '"'), r.scratch), '"')
}

func (r *redo) addRow(row *driver.AuditRow) { r.add(row.MAC, Canonical(nil, row)) }

// redoRow reads a row back; its hash is for [redone] to find.
func redoRow(text string) (driver.AuditRow, error) {
	raw, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil {
		return driver.AuditRow{}, err
	}
	rd := canon.NewReader(raw)
	mac := bytes.Clone(rd.Bytes())
	if len(raw) < 4+len(mac) {
		return driver.AuditRow{}, canon.ErrShort
	}
	row, err := ParseCanonical(raw[4+len(mac):])
	row.MAC = mac
	return row, err
}

// redone returns the rows of a chain that follow end, out of those a head file carries up to head: each must continue the one
// before and carry this server's MAC, and the last be the head. It returns nil if they do not.
func redone(m mac, end tail, head Head, carried []string) []driver.AuditRow {
	skip := end.seq - (head.Seq - int64(len(carried)))
	if skip < 0 || skip >= int64(len(carried)) || !head.authentic(m) {
		return nil
	}
	var out []driver.AuditRow
	var scratch []byte
	for _, text := range carried[skip:] {
		r, err := redoRow(text)
		if err != nil || r.Chain != head.Chain || r.Seq != end.seq+1 {
			return nil
		}
		r.Hash, scratch = entryHash(scratch, end.hash, &r)
		if !hmac.Equal(r.MAC, entryMAC(m, r.Hash)) {
			return nil
		}
		end = tail{r.Seq, r.Hash}
		out = append(out, r)
	}
	if !bytes.Equal(end.hash, head.Hash) {
		return nil
	}
	return out
}

// parseRedo reads the rows of a line without looking into them.
func parseRedo(raw json.RawMessage) (r redo, rows []string, err error) {
	if err := json.Unmarshal(raw, &rows); err != nil {
		return r, nil, err
	}
	if len(raw) >= 2 {
		r = redo{text: raw[1 : len(raw)-1], rows: len(rows)}
	}
	return r, rows, nil
}
