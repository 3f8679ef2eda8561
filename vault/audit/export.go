package audit

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// exported is an entry with the two columns that prove it.
type exported struct {
	Entry
	Hash []byte `json:"hash"`
	MAC  []byte `json:"mac"`
}

// Export writes the selected entries to w, oldest first, as one JSON object per line with hash and MAC in base64. Limit and
// Cursor of the query are ignored. It returns how many were written.
func (s *Service) Export(ctx context.Context, w io.Writer, q Query) (int64, error) {
	q.Limit, q.Cursor, q.OldestFirst = 0, "", true
	if q.To.IsZero() {
		q.To = time.Now() // what is written meanwhile is not chased
	}
	caller, p, err := s.enter(ctx, "audit.export", q)
	if err != nil {
		return 0, err
	}
	f, err := q.filter()
	var n int64
	for f.Limit = 1000; err == nil; {
		var rows []driver.AuditRow
		rows, err = s.rows(ctx, caller.App, q.owner(caller), q.EveryTenant, f)
		if err != nil || len(rows) == 0 {
			break
		}
		if err = writeLines(w, rows); err == nil {
			n += int64(len(rows))
			f.BeforeAt, f.BeforeID = rows[len(rows)-1].At, rows[len(rows)-1].ID
		}
	}
	return n, p.EndErr(ctx, err)
}

func writeLines(w io.Writer, rows []driver.AuditRow) error {
	enc := json.NewEncoder(w)
	for _, r := range rows {
		if err := enc.Encode(exported{fromRow(r), r.Hash, r.MAC}); err != nil {
			return fault.Wrap(fault.Failed, err, "the export could not be written")
		}
	}
	return nil
}
