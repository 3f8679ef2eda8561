package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// ListOpts selects a part of a list.
type ListOpts struct {
	Limit  int // default 100, at most 1000
	Offset int // entries to skip, newest first; at most 100,000
}

const maxOffset = 100_000

// Store is the documented interface of a place for entries. The vault's stores have it (see [Table]); a [Logger] needs more
// than it has, and takes a driver.Store.
type Store interface {
	// RecordAudit adds an entry to the caller's record, and fills in its id, place and time.
	RecordAudit(ctx context.Context, e *Entry) error
	// ListAudit returns entries of the caller's tenant, newest first.
	ListAudit(ctx context.Context, appID string, opts ListOpts) ([]*Entry, error)
	// ListAuditByKey is ListAudit for the things of one name.
	ListAuditByKey(ctx context.Context, key, appID string, opts ListOpts) ([]*Entry, error)
}

// Table is a [Store] over the rows of a vault store. App and tenant come from the scope: an argument that disagrees is an
// error, and so is a missing tenant. It asks no gate and records no reading: that is what [Service] does. Entries are written
// by the logger that was made for the store, the one with a MAC if there are several, so that they stand in its chains.
type Table struct {
	st  driver.Store
	log atomic.Pointer[Logger]
}

// NewTable returns the audit entries kept in st.
func NewTable(st driver.Store) *Table { return &Table{st: st} }

func (t *Table) auditTable() *Table { return t }

// bind has the table write through l.
func (t *Table) bind(l *Logger) {
	if have := t.log.Load(); have == nil || l.mac != nil {
		t.log.Store(l)
	}
}

// logger returns who writes; a store that has nobody gets a logger of its own.
func (t *Table) logger() *Logger {
	if l := t.log.Load(); l != nil {
		return l
	}
	t.log.CompareAndSwap(nil, NewLogger(t.st))
	return t.log.Load()
}

// caller is who the scope says, who must be inside a tenant.
func callerOf(ctx context.Context, app string) (scope.Caller, error) {
	c, err := scope.Strict(ctx)
	if err != nil {
		return c, err
	}
	if app != "" && app != c.App {
		return c, fault.New(fault.Invalid, "this call is about the app %s, but the app in scope is another", clean(app, maxText)).WithCode("scope").
			WithHint("set the scope once, at the door, with scope.WithScope")
	}
	return c, driver.Owner(c.App, c.Tenant)
}

// RecordAudit implements [Store]. The outcome is one of this package's, or "success" or "failure"; empty means it went well.
// The details come from Details and, sorted by key, from Metadata.
func (t *Table) RecordAudit(ctx context.Context, e *Entry) error {
	if e == nil {
		return fault.New(fault.Invalid, "there is no audit entry")
	}
	c, err := callerOf(ctx, e.AppID)
	if err != nil {
		return err
	}
	for _, is := range [...]struct{ field, said, scope string }{{"tenant", e.TenantID, c.Tenant}, {"user", e.UserID, c.User}, {"ip", e.IP, c.IP}} {
		if is.said != "" && is.said != is.scope {
			return fault.New(fault.Invalid, "the entry names another %s than the scope", is.field).WithCode("scope").
				At(fault.Where{Field: is.field}).WithHint("leave it empty: the scope says who acts")
		}
	}
	outcome, err := outcomeFrom(e.Outcome)
	if err != nil {
		return err
	}
	details, err := metadata(e.Metadata)
	if err != nil {
		return err
	}
	ev := Event{Action: e.Action, Resource: e.Resource, Name: e.Key, Details: append(slices.Clone(e.Details), details...)}
	row, err := t.logger().record(ctx, c, ev, "", outcome, nil)
	if err != nil {
		return err
	}
	*e = fromRow(*row)
	e.fillMetadata()
	return nil
}

func outcomeFrom(o Outcome) (Outcome, error) {
	switch o {
	case "success", "":
		return OK, nil
	case "failure":
		return Error, nil
	case OK, Denied, NotFound, Error:
		return o, nil
	}
	return "", fault.New(fault.Invalid, "%q is not an outcome", clean(string(o), 64)).At(fault.Where{Field: "outcome"}).
		WithHint("ok, denied, not_found or error; success and failure mean ok and error")
}

func metadata(m map[string]any) ([]Detail, error) {
	out := make([]Detail, 0, len(m))
	for k, v := range m {
		text, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				return nil, fault.New(fault.Invalid, "the metadata %s cannot be written down", clean(k, 64)).At(fault.Where{Field: "metadata"})
			}
			text = string(b)
		}
		out = append(out, Detail{k, text})
	}
	slices.SortFunc(out, func(a, b Detail) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

func (e *Entry) fillMetadata() {
	for _, d := range e.Details {
		if e.Metadata == nil {
			e.Metadata = map[string]any{}
		}
		e.Metadata[d.Key] = d.Value
	}
}

// ListAudit implements [Store].
func (t *Table) ListAudit(ctx context.Context, appID string, opts ListOpts) ([]*Entry, error) {
	return t.list(ctx, Query{}, appID, opts)
}

// ListAuditByKey implements [Store].
func (t *Table) ListAuditByKey(ctx context.Context, key, appID string, opts ListOpts) ([]*Entry, error) {
	if key == "" {
		return nil, fault.New(fault.Invalid, "there is no key to list entries of").At(fault.Where{Field: "key"})
	}
	return t.list(ctx, Query{Key: key}, appID, opts)
}

func (t *Table) list(ctx context.Context, q Query, appID string, opts ListOpts) ([]*Entry, error) {
	c, err := callerOf(ctx, appID)
	if err != nil {
		return nil, err
	}
	if opts.Offset < 0 || opts.Offset > maxOffset {
		return nil, fault.New(fault.Invalid, "an offset is 0 to %d, not %d", maxOffset, opts.Offset).At(fault.Where{Field: "offset"})
	}
	s := Service{st: t.st, opener: opener{t.logger().blinder}}
	q.Limit = opts.Limit
	if _, err := q.filter(); err != nil {
		return nil, err
	}
	out := []*Entry{}
	limit, skip := cmp.Or(opts.Limit, 100), opts.Offset
	for q.Limit = 1000; len(out) < limit; {
		page, err := s.page(ctx, c, q)
		if err != nil {
			return nil, err
		}
		some := page.Entries[min(skip, len(page.Entries)):]
		skip -= len(page.Entries) - len(some)
		for i := range some[:min(limit-len(out), len(some))] {
			some[i].fillMetadata()
			out = append(out, &some[i])
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return out, nil
}
