package sqlstore

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// An entry is stored when its id was made, give or take a clock that was put right: there the index leads. Where the id does
// not lead to it, all of the tenant's rows are looked at.
const (
	beforeID = int64(2 * time.Second / time.Microsecond)
	afterID  = int64(30 * time.Second / time.Microsecond)
)

func (x *tx) AuditEntry(ctx context.Context, app, tenant, id string) (r driver.AuditRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	const where = "app = ? AND tenant = ? AND (id = ? OR packed IS NOT NULL)"
	if at, ok := minted(id); ok {
		r, err = x.entryIn(ctx, id, auditSelect+where+" AND at >= ? AND at <= ?", app, tenant, id, at-beforeID, at+afterID)
		if !errors.Is(err, driver.ErrNotFound) {
			return r, err
		}
	}
	return x.entryIn(ctx, id, auditSelect+where, app, tenant, id)
}

// minted returns when an id was made, in microseconds: entries are stored soon after. It tells where to look first; ids that
// do not tell are found, too.
func minted(s string) (at int64, ok bool) {
	if _, err := id.Parse(id.Audit, s); err != nil {
		return 0, false
	}
	raw, err := base32.HexEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(s[len(id.Audit)+1:]))
	if err != nil || raw[6]>>4 != 7 { // RFC 9562, section 5.7: 48 bits of milliseconds, then the version
		return 0, false
	}
	var ms int64
	for _, b := range raw[:6] {
		ms = ms<<8 | int64(b)
	}
	return ms * 1000, true
}

// entryIn looks for an entry in the rows that a query returns.
func (x *tx) entryIn(ctx context.Context, id, query string, args ...any) (r driver.AuditRow, err error) {
	var parcels []parcel
	var unreadable error
	err = x.rows(ctx, query, args, func(last *driver.AuditRow, packed []byte) (err error) {
		if last.ID == id {
			r = *last
			return errEnough
		}
		if !bytes.Contains(packed, []byte(id)) {
			return nil
		}
		if parcels, err = unpack(parcels, packed); err != nil {
			unreadable = damaged(last, err)
			return nil
		}
		for i := range parcels {
			if string(parcels[i].id) == id {
				r = parcels[i].row(last, len(parcels)-i)
				return errEnough
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return r, nil
	case err != nil:
		return r, err
	case unreadable != nil:
		return r, unreadable
	}
	return r, driver.ErrNotFound
}
