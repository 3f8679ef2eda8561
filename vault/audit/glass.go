package audit

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Limits of a break-glass.
const (
	DefaultGlass = time.Hour
	MaxGlass     = 24 * time.Hour
	minReason    = 10
	maxReason    = 512
)

const (
	glassFormat = "hayward/audit/glass/1"
	glassPrefix = id.Prefix("glass")
	// maxGlasses is how many of a tenant's break-glasses are looked through for an open one.
	maxGlasses = 16
)

// Glass is a break-glass: an operator's leave, for one tenant and a limited time, to go on although that tenant's audit chain
// was changed.
//
// It allows one thing. A tenant whose chain does not fit its head is refused everything, because nothing could be recorded
// where it belongs. While the glass is broken, entries that its chain cannot take go into a chain beside it, which begins with
// the operator's reason and the last number and hash of the chain that was changed. They are the tenant's own entries, in its
// own record, chained, signed and verified like all others; nothing goes unrecorded, no right is given to anybody, and no
// other tenant is concerned. Where nothing can be written at all, the answer stays no. The verification goes on saying what
// is wrong.
type Glass struct {
	ID       id.ID     `json:"id"`
	TenantID string    `json:"tenant"`
	Reason   string    `json:"reason"`
	OpenedBy string    `json:"opened_by"`
	OpenedAt time.Time `json:"opened_at"`
	Until    time.Time `json:"until"`
	ClosedAt time.Time `json:"closed_at,omitzero"` // zero: not closed by hand
	Open     bool      `json:"open"`
}

// GlassRequest asks for a break-glass.
type GlassRequest struct {
	Tenant string
	Reason string        // at least 10 characters, for whoever reads the record
	For    time.Duration // default 1 h, at most 24 h
}

func (r *GlassRequest) check(app string) error {
	r.Reason = strings.TrimSpace(r.Reason)
	if r.For == 0 {
		r.For = DefaultGlass
	}
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	switch n := utf8.RuneCountInString(r.Reason); {
	case n < minReason || len(r.Reason) > maxReason:
		return bad("reason", "a reason has %d characters at least and %d bytes at most", minReason, maxReason)
	case r.For < time.Minute || r.For > MaxGlass:
		return bad("for", "a break-glass lasts from a minute to %s", MaxGlass)
	}
	return driver.Owner(app, r.Tenant)
}

// BreakGlass opens a break-glass. Only an operator may; it is written into the operator's chain and the tenant's.
func (s *Service) BreakGlass(ctx context.Context, req GlassRequest) (Glass, error) {
	caller, p, err := s.glassEnter(ctx, "audit.break_glass.open", req.Tenant, Detail{"reason", req.Reason}, Detail{"for", req.For.String()})
	if err != nil {
		return Glass{}, err
	}
	if err := req.check(caller.App); err != nil {
		return Glass{}, p.EndErr(ctx, err)
	}
	var row driver.AuditGlassRow
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		if have, open, err := p.l.openGlass(ctx, tx, caller.App, req.Tenant); err != nil || open {
			if open {
				err = fault.New(fault.Conflict, "the break-glass %s is open for this tenant", have.ID).WithHint("close it first")
			}
			return err
		}
		row = driver.AuditGlassRow{App: caller.App, Tenant: req.Tenant, ID: id.New(glassPrefix).String(), Reason: clean(req.Reason, maxValue),
			OpenedBy: clean(caller.User, maxText), OpenedAt: tx.Now(), Until: tx.Now() + req.For.Microseconds()}
		row.MAC = p.l.glassMAC(row)
		if err := tx.PutAuditGlass(ctx, row); err != nil {
			return err
		}
		return p.inBoth(ctx, tx, caller, "audit.break_glass.open", row)
	})
	if err != nil {
		return Glass{}, p.EndErr(ctx, err)
	}
	return toGlass(row, row.OpenedAt), nil
}

// CloseGlass closes a tenant's open break-glass before its time. Only an operator may.
func (s *Service) CloseGlass(ctx context.Context, tenant string) (Glass, error) {
	caller, p, err := s.glassEnter(ctx, "audit.break_glass.close", tenant)
	if err != nil {
		return Glass{}, err
	}
	var row driver.AuditGlassRow
	err = s.st.Update(ctx, func(tx driver.Tx) (err error) {
		var open bool
		if row, open, err = p.l.openGlass(ctx, tx, caller.App, tenant); err != nil {
			return err
		}
		if !open {
			return fault.New(fault.NotFound, "no break-glass is open for this tenant").WithCode("GlassNotFound")
		}
		if err := p.inBoth(ctx, tx, caller, "audit.break_glass.close", row); err != nil {
			return err
		}
		row.ClosedAt = tx.Now()
		row.MAC = p.l.glassMAC(row)
		return tx.PutAuditGlass(ctx, row)
	})
	if err != nil {
		return Glass{}, p.EndErr(ctx, err)
	}
	return toGlass(row, row.ClosedAt), nil
}

// Glasses returns a tenant's break-glasses, newest first, at most 16. The tenant may ask about its own.
func (s *Service) Glasses(ctx context.Context, tenant string) ([]Glass, error) {
	caller, p, err := s.enter(ctx, "audit.break_glass.list", Query{Tenant: tenant})
	if err != nil {
		return nil, err
	}
	out := []Glass{}
	err = s.st.View(ctx, func(tx driver.Tx) error {
		rows, err := tx.ListAuditGlass(ctx, caller.App, Query{Tenant: tenant}.owner(caller), maxGlasses)
		for _, r := range rows {
			if hmac.Equal(r.MAC, p.l.glassMAC(r)) {
				out = append(out, toGlass(r, tx.Now()))
			}
		}
		return err
	})
	return out, p.EndErr(ctx, err)
}

func (s *Service) glassEnter(ctx context.Context, action, tenant string, details ...Detail) (scope.Caller, *Pending, error) {
	caller, err := scope.Lenient(ctx)
	if err != nil {
		return caller, nil, err
	}
	p, err := s.gate.Enter(ctx, Request{Caller: caller, Action: action, Resource: "audit", Name: tenant, Operator: true, Details: details})
	return caller, p, err
}

// inBoth ends the operator's entry and writes one into the tenant's record, in the same transaction.
func (p *Pending) inBoth(ctx context.Context, tx driver.Tx, operator scope.Caller, action string, g driver.AuditGlassRow) error {
	details := []Detail{{"glass", g.ID}, {"reason", g.Reason}, {"until", time.UnixMicro(g.Until).UTC().Format(time.RFC3339)}}
	inside := operator
	inside.Tenant = g.Tenant
	row, err := p.l.row(inside, Event{Action: action, Resource: "audit", Name: g.ID, Details: details}, "", OK, nil)
	if err != nil {
		return err
	}
	if err := p.l.append(ctx, tx, []*driver.AuditRow{row}); err != nil {
		return unwritten(err, nothingDone)
	}
	return p.EndTx(ctx, tx, OK, details...)
}

func toGlass(r driver.AuditGlassRow, now int64) Glass {
	g := Glass{ID: id.ID(r.ID), TenantID: r.Tenant, Reason: Display(r.Reason), OpenedBy: Display(r.OpenedBy), OpenedAt: time.UnixMicro(r.OpenedAt).UTC(),
		Until: time.UnixMicro(r.Until).UTC(), Open: isOpen(r, now)}
	if r.ClosedAt != 0 {
		g.ClosedAt = time.UnixMicro(r.ClosedAt).UTC()
	}
	return g
}

func isOpen(r driver.AuditGlassRow, now int64) bool {
	return r.ClosedAt == 0 && r.OpenedAt <= now && now < r.Until
}

// glassMAC authenticates a break-glass: whoever can write to the database cannot break one.
func (l *Logger) glassMAC(r driver.AuditGlassRow) []byte {
	b := canon.Text(nil, glassFormat)
	for _, s := range [...]string{r.App, r.Tenant, r.ID, r.Reason, r.OpenedBy} {
		b = canon.Text(b, s)
	}
	for _, n := range [...]int64{r.OpenedAt, r.Until, r.ClosedAt} {
		b = canon.Int(b, n)
	}
	return l.mac.of(b)
}

// openGlass returns the tenant's open break-glass, if there is one.
func (l *Logger) openGlass(ctx context.Context, tx driver.Tx, app, tenant string) (driver.AuditGlassRow, bool, error) {
	rows, err := tx.ListAuditGlass(ctx, app, tenant, maxGlasses)
	for _, r := range rows {
		if isOpen(r, tx.Now()) && hmac.Equal(r.MAC, l.glassMAC(r)) {
			return r, true, nil
		}
	}
	return driver.AuditGlassRow{}, false, err
}

// beside writes rows whose chain was changed into the chain beside it, if a break-glass is open.
func (l *Logger) beside(ctx context.Context, w writer, rows []*driver.AuditRow, broken error) error {
	from := rows[0].Chain
	if from.Tenant == driver.Operator || from.Node != from.Log() {
		return broken
	}
	g, open, err := l.openGlass(ctx, w, from.App, from.Tenant)
	if err != nil || !open {
		return broken
	}
	to := from
	to.Node += "~" + g.ID
	begun, err := l.begun(ctx, w, to)
	if err != nil {
		return err
	}
	if !begun {
		first, err := l.stitch(ctx, w, g, from)
		if err != nil {
			return err
		}
		rows = append([]*driver.AuditRow{first}, rows...)
	}
	for _, r := range rows {
		r.Chain = to
	}
	return l.appendTo(ctx, w, rows)
}

// begun reports whether a chain has an entry, as the database or the head file knows it.
func (l *Logger) begun(ctx context.Context, tx driver.Tx, c driver.Chain) (bool, error) {
	end, err := l.stored(ctx, tx, c)
	if err != nil || end.seq > 0 || l.heads == nil {
		return end.seq > 0, err
	}
	_, have, _ := l.heads.newest(c)
	return have, nil
}

// stitch returns the entry that a chain beside another begins with, after telling the operator's chain.
func (l *Logger) stitch(ctx context.Context, w writer, g driver.AuditGlassRow, from driver.Chain) (*driver.AuditRow, error) {
	details := []Detail{{"glass", g.ID}, {"reason", g.Reason}, {"node", from.Node}}
	if l.heads != nil {
		head, _, _ := l.heads.newest(from)
		details = append(details, Detail{"last", strconv.FormatInt(head.Seq, 10)}, Detail{"last_hash", hex.EncodeToString(head.Hash)})
	}
	ev := Event{Action: "audit.break_glass.use", Resource: "audit", Name: from.Tenant, Operator: true, Details: details}
	who := scope.Caller{App: from.App, User: g.OpenedBy}
	told, err := l.row(who, ev, "", OK, nil)
	if err != nil {
		return nil, err
	}
	if err := l.appendTo(ctx, w, []*driver.AuditRow{told}); err != nil {
		return nil, err
	}
	ev.Operator, ev.Name, who.Tenant = false, g.ID, from.Tenant
	return l.row(who, ev, "", OK, nil)
}
