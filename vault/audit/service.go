package audit

import (
	"cmp"
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Query selects entries; empty fields select everything.
type Query struct {
	Tenant      string // for operators: one tenant's entries. A tenant may name only itself, and need not
	EveryTenant bool   // for operators: all tenants of the app, and the operator's own chain
	From, To    time.Time
	User        string
	Action      string // an action, or a prefix: "secret.*"
	Resource    string
	Key         string // the name of the thing
	Outcome     Outcome
	RequestID   string
	Limit       int          // entries per page; 0 means 100, most 1000
	Cursor      string       // where the page before ended
	OldestFirst bool         // newest first otherwise
	Since       []Checkpoint // for a whole export: checkpoints the reader holds, which it shall prove to continue
}

// Page is a part of a list. Next is the cursor of the following page, empty at the end.
type Page struct {
	Entries []Entry `json:"entries"`
	Next    string  `json:"next,omitempty"`
}

// Service reads the record on behalf of a caller. Reading it is recorded too. It is safe for concurrent use.
type Service struct {
	st   driver.Store
	gate Gate
	opener
}

// ServiceOption changes a service.
type ServiceOption func(*Service)

// WithOpener has the service read personal fields that a [Blinder] keeps under the tenants' keys. Without it they show as
// destroyed.
func WithOpener(b Blinder) ServiceOption { return func(s *Service) { s.blinder = b } }

// NewService returns a service that asks gate on the first line of each method.
func NewService(st driver.Store, gate Gate, opts ...ServiceOption) *Service {
	s := &Service{st: st, gate: gate}
	for _, o := range opts {
		o(s)
	}
	return s
}

// List returns entries of the caller's tenant; for an operator (a caller without a tenant) those the query asks for, by
// default the operator's own chain.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	caller, p, err := s.enter(ctx, "audit.list", q)
	if err != nil {
		return Page{}, err
	}
	page, err := s.page(ctx, caller, q)
	if err := p.EndErr(ctx, err); err != nil {
		return Page{}, err
	}
	return page, nil
}

func (s *Service) enter(ctx context.Context, action string, q Query) (scope.Caller, *Pending, error) {
	caller, err := scope.Lenient(ctx)
	if err != nil {
		return caller, nil, err
	}
	foreign := q.EveryTenant || (q.Tenant != "" && q.Tenant != caller.Tenant)
	r := Request{Caller: caller, Action: action, Resource: "audit", Operator: caller.Tenant == "" || foreign}
	switch {
	case q.EveryTenant:
		r.Details = []Detail{{"tenants", "every"}}
	case q.Tenant != "":
		r.Details = []Detail{{"tenant", q.Tenant}}
	}
	p, err := s.gate.Enter(ctx, r)
	return caller, p, err
}

// page reads one page. Whoever got here with a foreign tenant in the query is an operator: the gate said so.
func (s *Service) page(ctx context.Context, caller scope.Caller, q Query) (Page, error) {
	f, err := s.filter(ctx, caller.App, q.owner(caller), q)
	if err != nil {
		return Page{}, err
	}
	rows, err := s.rows(ctx, caller.App, q.owner(caller), q.EveryTenant, f)
	if err != nil {
		return Page{}, err
	}
	open, err := s.opened(ctx, rows)
	if err != nil {
		return Page{}, err
	}
	page := toPage(rows, f.Limit-1)
	for i := range page.Entries {
		open[i].show(&page.Entries[i])
	}
	return page, nil
}

// opened returns the personal fields of rows.
func (s *Service) opened(ctx context.Context, rows []driver.AuditRow) (out []*Personal, err error) {
	sealed := false
	for i := range rows {
		sealed = sealed || rows[i].Sealed != ""
	}
	if !sealed {
		return make([]*Personal, len(rows)), nil
	}
	err = s.st.View(ctx, func(tx driver.Tx) error { out, err = s.open(ctx, tx, rows); return err })
	return out, err
}

// filter is the query for a store: a person is looked for by name and by what stands for it.
func (s *Service) filter(ctx context.Context, app, owner string, q Query) (driver.AuditFilter, error) {
	f, err := q.filter()
	if err != nil || s.blinder == nil || (f.User == "" && f.Name == "") {
		return f, err
	}
	if q.EveryTenant {
		owner = ""
	}
	err = s.st.View(ctx, func(tx driver.Tx) (err error) {
		if f.User != "" {
			f.Users, err = s.blinder.Aliases(ctx, tx, app, owner, f.User)
		}
		if err == nil && f.Name != "" {
			f.Names, err = s.blinder.Aliases(ctx, tx, app, owner, f.Name)
		}
		return err
	})
	return f, err
}

// owner is the tenant a query is about.
func (q Query) owner(caller scope.Caller) string {
	return cmp.Or(q.Tenant, caller.Tenant, driver.Operator)
}

func (s *Service) rows(ctx context.Context, app, tenant string, every bool, f driver.AuditFilter) (rows []driver.AuditRow, err error) {
	err = s.st.View(ctx, func(tx driver.Tx) error {
		if every {
			rows, err = tx.ListAuditEveryTenant(ctx, app, f)
		} else {
			rows, err = tx.ListAudit(ctx, app, tenant, f)
		}
		return err
	})
	return rows, err
}

// toPage turns limit+1 rows into a page and the cursor behind it.
func toPage(rows []driver.AuditRow, limit int) Page {
	page := Page{Entries: make([]Entry, 0, min(len(rows), limit))}
	for i, r := range rows {
		if i == limit {
			last := rows[i-1]
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.At, 10) + "|" + last.ID))
			break
		}
		page.Entries = append(page.Entries, fromRow(r))
	}
	return page
}

func (q Query) filter() (driver.AuditFilter, error) {
	f := driver.AuditFilter{User: q.User, Action: q.Action, Resource: q.Resource, Name: q.Key, Outcome: string(q.Outcome),
		RequestID: q.RequestID, OldestFirst: q.OldestFirst}
	if !q.From.IsZero() {
		f.From = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		f.To = max(q.To.UnixMicro(), 1)
	}
	switch limit := q.Limit; {
	case limit == 0:
		f.Limit = 101
	case limit < 0 || limit > 1000:
		return f, fault.New(fault.Invalid,
			"a page of the audit list has 1 to 1000 entries, not %d", limit).At(fault.Where{Field: "limit"})
	default:
		f.Limit = limit + 1
	}
	if q.Cursor == "" {
		return f, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	at, last, ok := strings.Cut(string(raw), "|")
	n, err2 := strconv.ParseInt(at, 10, 64)
	if err != nil || err2 != nil || !ok || n <= 0 {
		return f, fault.New(fault.Invalid, "this is not a cursor of the audit list").At(fault.Where{Field: "cursor"}).
			WithHint("use the value of \"next\" from the page before")
	}
	f.BeforeAt, f.BeforeID = n, last
	return f, nil
}
