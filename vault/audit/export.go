package audit

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Export writes entries to w, one JSON object per line ([Line]). Limit and Cursor of the query are ignored. It returns how many
// were written.
//
// A query that selects only by Tenant or EveryTenant gives a whole export: chain by chain, each from its first entry on, and
// at the end, for each log, a line with its newest checkpoint and what ties the chains to it ([Seal]). [VerifyExport] needs
// such an export, and nothing else but a checkpoint and a public key. Any other query gives the selected entries, oldest
// first; single ones are proven with [Service.Prove].
func (s *Service) Export(ctx context.Context, w io.Writer, q Query) (int64, error) {
	q.Limit, q.Cursor, q.OldestFirst = 0, "", true
	caller, p, err := s.enter(ctx, "audit.export", q)
	if err != nil {
		return 0, err
	}
	var n int64
	if q.whole() {
		n, err = s.exportWhole(ctx, w, caller.App, q.owner(caller), q)
	} else {
		n, err = s.exportSome(ctx, w, caller.App, q.owner(caller), q)
	}
	return n, p.EndErr(ctx, err)
}

// whole reports whether the query selects everything of whom it is about.
func (q Query) whole() bool {
	return q.From.IsZero() && q.To.IsZero() && q.User == "" && q.Action == "" && q.Resource == "" && q.Key == "" && q.Outcome == "" && q.RequestID == ""
}

const exportPage = 1000

func (s *Service) exportSome(ctx context.Context, w io.Writer, app, owner string, q Query) (n int64, err error) {
	if q.To.IsZero() {
		q.To = time.Now() // what is written meanwhile is not chased
	}
	f, err := s.filter(ctx, app, owner, q)
	for f.Limit = exportPage; err == nil; {
		var rows []driver.AuditRow
		rows, err = s.rows(ctx, app, owner, q.EveryTenant, f)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		if err = s.writeLines(ctx, w, rows); err == nil {
			n += int64(len(rows))
			f.BeforeAt, f.BeforeID = rows[len(rows)-1].At, rows[len(rows)-1].ID
		}
	}
	return n, err
}

// exportWhole writes the chains up to where they end when it begins. It holds no transaction while it writes to w.
func (s *Service) exportWhole(ctx context.Context, w io.Writer, app, owner string, q Query) (n int64, err error) {
	var ends []driver.AuditRow
	var sealed []Seal
	err = s.st.View(ctx, func(tx driver.Tx) error {
		if sealed, err = seals(ctx, tx, app, owner, q.EveryTenant, q.Since); err != nil {
			return err
		}
		ends, err = chainEnds(ctx, tx, app, owner, q.EveryTenant)
		return err
	})
	for _, end := range ends {
		var more int64
		if err == nil {
			more, err = s.exportChain(ctx, w, end.Chain, end.Seq)
			n += more
		}
	}
	enc := json.NewEncoder(w)
	for _, seal := range sealed {
		if err == nil {
			err = unwrittenExport(enc.Encode(seal))
		}
	}
	return n, err
}

func chainEnds(ctx context.Context, tx driver.Tx, app, owner string, every bool) (out []driver.AuditRow, err error) {
	var chains []driver.Chain
	if every {
		chains, err = tx.AuditChainsEverywhere(ctx)
	} else {
		chains, err = tx.AuditChains(ctx, app, owner)
	}
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		if c.App != app {
			continue
		}
		end, err := tx.AuditTail(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, end)
	}
	return out, nil
}

func (s *Service) exportChain(ctx context.Context, w io.Writer, c driver.Chain, last int64) (n int64, err error) {
	for after := int64(minSeq); ; {
		var rows []driver.AuditRow
		err := s.st.View(ctx, func(tx driver.Tx) error {
			return tx.ScanAudit(ctx, c, after, func(r driver.AuditRow) error {
				if r.Seq > last || len(rows) == exportPage {
					return errEnough
				}
				rows = append(rows, r)
				return nil
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			return n, err
		}
		if len(rows) == 0 {
			return n, nil
		}
		if err := s.writeLines(ctx, w, rows); err != nil {
			return n, err
		}
		n, after = n+int64(len(rows)), rows[len(rows)-1].Seq
	}
}

func (s *Service) writeLines(ctx context.Context, w io.Writer, rows []driver.AuditRow) error {
	enc := json.NewEncoder(w)
	open, err := s.opened(ctx, rows)
	if err != nil {
		return err
	}
	for i, r := range rows {
		line := newLine(r)
		line.Open = open[i]
		if err := unwrittenExport(enc.Encode(line)); err != nil {
			return err
		}
	}
	return nil
}

func unwrittenExport(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(fault.Failed, err, "the export could not be written")
}
