package sqlstore

import (
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// A row of vault_audit has one parameter per column and three B-trees to go to, which costs as much as ten entries' bytes do.
// So it carries entries that are appended together: its own columns are the last one's, the column packed has those before.
const (
	// maxPacked bounds the entries of a row. With 32 an entry costs as much, with 128 no less, and then more is read to find one.
	// SQLite copies a row that is longer than a page to compare its key: writing one entry after such rows costs a third more.
	maxPacked = 64
	// maxPackedBytes bounds the column packed; entries with long details come to it first.
	maxPackedBytes = 64 << 10

	packedFormat = "hayward/audit/packed/1"
	packedHead   = 4 + len(packedFormat) + 8
	// packedTexts is how many texts an entry has: everything but its chain, Seq, At, Hash and MAC.
	packedTexts = 11
	leastPacked = 4 * (packedTexts + 2)
)

// packable returns how many of rows, at least one, go into one row of the table: entries of one moment that follow each other.
func packable(rows []driver.AuditRow) int {
	first, size := &rows[0], packedHead
	for n := 1; n < len(rows) && n < maxPacked; n++ {
		size += packedSize(&rows[n-1])
		if r := &rows[n]; r.At != first.At || r.Seq != first.Seq+int64(n) || r.Chain != first.Chain || size > maxPackedBytes {
			return n
		}
	}
	return min(len(rows), maxPacked)
}

func packedSize(r *driver.AuditRow) int {
	return leastPacked + len(r.ID) + len(r.Ref) + len(r.User) + len(r.IP) + len(r.RequestID) + len(r.Action) + len(r.Resource) + len(r.Name) +
		len(r.Outcome) + len(r.Details) + len(r.Sealed) + len(r.Hash) + len(r.MAC)
}

// pack returns the column packed of the row whose own entry follows rows: how many they are and, for each, its fields. Without
// any it returns nil, which is NULL.
func pack(rows []driver.AuditRow) []byte {
	if len(rows) == 0 {
		return nil
	}
	size := packedHead
	for i := range rows {
		size += packedSize(&rows[i])
	}
	b := canon.Int(canon.Text(make([]byte, 0, size), packedFormat), int64(len(rows)))
	for i := range rows {
		r := &rows[i]
		for _, s := range [packedTexts]string{r.ID, r.Ref, r.User, r.IP, r.RequestID, r.Action, r.Resource, r.Name, r.Outcome, r.Details, r.Sealed} {
			b = canon.Text(b, s)
		}
		b = canon.Text(canon.Text(b, r.Hash), r.MAC)
	}
	return b
}

// parcel is an entry in the column packed; its fields are parts of that.
type parcel struct {
	id, ref, user, ip, requestID, action, resource, name, outcome, details, sealed []byte
	hash, mac                                                                      []byte
}

// unpack returns what [pack] packed, in the buffer dst; nothing of NULL. Bytes that it cannot have written are an error.
func unpack(dst []parcel, b []byte) ([]parcel, error) {
	dst = dst[:0]
	if b == nil {
		return dst, nil
	}
	rd := canon.NewReader(b)
	if string(rd.Bytes()) != packedFormat {
		return dst, errors.New("they have another format")
	}
	n := rd.Int()
	if n < 1 || n > int64((len(b)-packedHead)/leastPacked) {
		return dst, errors.New("they are not as many as they say")
	}
	for range n {
		dst = append(dst, parcel{})
		p := &dst[len(dst)-1]
		p.id, p.ref, p.user, p.ip, p.requestID, p.action = rd.Bytes(), rd.Bytes(), rd.Bytes(), rd.Bytes(), rd.Bytes(), rd.Bytes()
		p.resource, p.name, p.outcome, p.details, p.sealed = rd.Bytes(), rd.Bytes(), rd.Bytes(), rd.Bytes(), rd.Bytes()
		p.hash, p.mac = rd.Bytes(), rd.Bytes()
	}
	if err := rd.Done(); err != nil {
		return dst[:0], err
	}
	return dst, nil
}

// row makes an entry of p, the one so many before the row's last. Texts that the two share are not copied.
func (p *parcel) row(last *driver.AuditRow, before int) driver.AuditRow {
	return driver.AuditRow{Chain: last.Chain, Seq: last.Seq - int64(before), ID: string(p.id), Ref: shared(p.ref, last.Ref), At: last.At,
		User: shared(p.user, last.User), IP: shared(p.ip, last.IP), RequestID: shared(p.requestID, last.RequestID), Action: shared(p.action, last.Action),
		Resource: shared(p.resource, last.Resource), Name: shared(p.name, last.Name), Outcome: shared(p.outcome, last.Outcome),
		Details: shared(p.details, last.Details), Sealed: shared(p.sealed, last.Sealed), Hash: p.hash, MAC: p.mac}
}

func shared(b []byte, s string) string {
	if string(b) == s {
		return s
	}
	return string(b)
}

// damaged says that the entries before a row's own cannot be read. Whoever scans gets that one without its hash instead, so
// that a verification finds it, whatever is wrong with the rest.
func damaged(last *driver.AuditRow, err error) error {
	return fault.Wrap(fault.Failed, base.ErrAuditBroken,
		"the audit record was changed: the entries stored with entry %d of app %s, tenant %s, node %s, epoch %d cannot be read: %v", last.Seq,
		audit.Display(last.App), audit.Display(last.Tenant), audit.Display(last.Node), last.Epoch, err).WithCode("AuditBroken").
		WithHint("run the audit verification to see what is missing")
}
