package audit

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Destroyed is what is shown for a personal field whose key was destroyed.
const Destroyed = "(destroyed)"

// Personal are the fields of an entry that may name a person.
type Personal struct {
	User    string   `json:"user,omitempty"`
	IP      string   `json:"ip,omitempty"`
	Key     string   `json:"key,omitempty"`     // the name of the thing, where it is a person's
	Details []string `json:"details,omitempty"` // values of personal details, in their order
}

// Blinder keeps personal fields under a key of the tenant, so that destroying the tenant's keys makes them unreadable in
// every copy of the record, and leaves the chain whole: what the hash covers is the blinded form. The package blind next
// door does it with the keyring.
type Blinder interface {
	// Blind returns what stands for each value, the same for the same value and tenant, and all of them encrypted. It is
	// bound to the entry's id. tx is nil where there is no transaction: it then fails with [ErrNeedsTx] if it has to read a key.
	Blind(ctx context.Context, tx driver.Tx, app, tenant, entryID string, p Personal) (stand Personal, sealed string, err error)
	// Open returns the values. It fails with vault.ErrDecryptionFailed once the key is destroyed.
	Open(ctx context.Context, tx driver.Tx, app, tenant, entryID, sealed string) (Personal, error)
	// Aliases returns everything that stands, or once stood, for a value; of all tenants of the app if tenant is empty.
	Aliases(ctx context.Context, tx driver.Tx, app, tenant, value string) ([]string, error)
}

// PersonalFields says what may name a person, beside user and address. The zero value names nothing more.
type PersonalFields struct {
	Resources []string // of these, the name is: "user"
	Details   []string // keys of details
}

// DefaultPersonal is what a server keeps under the tenants' keys.
func DefaultPersonal() PersonalFields {
	return PersonalFields{Resources: []string{"user", "member", "session", "invitation"}, Details: []string{"user", "email", "about", "ip"}}
}

// WithBlinder keeps personal fields of tenants' entries under the tenants' keys. Entries written before stay as they are. The
// operator's own chain is in clear: it belongs to no tenant.
func WithBlinder(b Blinder, f PersonalFields) Option {
	return func(l *Logger) { l.blinder, l.personal = b, f }
}

// blind returns the row as it is stored.
func (l *Logger) blind(ctx context.Context, tx driver.Tx, r driver.AuditRow) (driver.AuditRow, error) {
	if l.blinder == nil || r.Tenant == driver.Operator {
		return r, nil
	}
	p, details := l.personal.of(&r)
	if p.User == "" && p.IP == "" && p.Key == "" && len(p.Details) == 0 {
		return r, nil
	}
	stand, sealed, err := l.blinder.Blind(ctx, tx, r.App, r.Tenant, r.ID, p)
	if err != nil {
		return r, err
	}
	r.User, r.IP, r.Sealed = stand.User, stand.IP, sealed
	if p.Key != "" {
		r.Name = stand.Key
	}
	if len(p.Details) > 0 {
		l.personal.put(details, stand.Details)
		r.Details = detailsText(details)
	}
	return r, nil
}

// of returns the personal fields of a row, and its details if some of them are.
func (f PersonalFields) of(r *driver.AuditRow) (Personal, []Detail) {
	p := Personal{User: r.User, IP: r.IP}
	if slices.Contains(f.Resources, r.Resource) {
		p.Key = r.Name
	}
	if len(r.Details) <= len("[]") || len(f.Details) == 0 {
		return p, nil
	}
	var details []Detail
	if json.Unmarshal([]byte(r.Details), &details) != nil {
		return p, nil
	}
	for _, d := range details {
		if slices.Contains(f.Details, d.Key) && d.Value != "" {
			p.Details = append(p.Details, d.Value)
		}
	}
	return p, details
}

// put writes values over the personal details, in their order.
func (f PersonalFields) put(details []Detail, values []string) {
	for i := range details {
		if len(values) > 0 && slices.Contains(f.Details, details[i].Key) && details[i].Value != "" {
			details[i].Value, values = values[0], values[1:]
		}
	}
}

// opener reads what was blinded.
type opener struct {
	blinder Blinder
}

// open returns the personal fields of each row, nil for rows that have them in clear.
func (o opener) open(ctx context.Context, tx driver.Tx, rows []driver.AuditRow) ([]*Personal, error) {
	out := make([]*Personal, len(rows))
	for i := range rows {
		r := &rows[i]
		if r.Sealed == "" {
			continue
		}
		p, err := o.openOne(ctx, tx, r)
		if err != nil {
			return nil, err
		}
		out[i] = &p
	}
	return out, nil
}

func (o opener) openOne(ctx context.Context, tx driver.Tx, r *driver.AuditRow) (p Personal, err error) {
	err = base.ErrDecryptionFailed
	if o.blinder != nil {
		p, err = o.blinder.Open(ctx, tx, r.App, r.Tenant, r.ID, r.Sealed)
	}
	if errors.Is(err, base.ErrDecryptionFailed) || errors.Is(err, base.ErrTampered) {
		return destroyed(r), nil
	}
	return p, err
}

// destroyed is what can be said of a row whose key is gone: which fields there were.
func destroyed(r *driver.AuditRow) Personal {
	var p Personal
	if r.User != "" {
		p.User = Destroyed
	}
	if r.IP != "" {
		p.IP = Destroyed
	}
	if isAlias(r.Name) {
		p.Key = Destroyed
	}
	return p
}

// AliasPrefix begins what stands for a personal value in a stored entry.
const AliasPrefix = "~"

// AliasSize is how long what stands for a personal value is: the prefix and 26 characters.
const AliasSize = len(AliasPrefix) + 26

func isAlias(s string) bool {
	return len(s) == AliasSize && s[:1] == AliasPrefix && strings.Trim(s[1:], "0123456789abcdefghijklmnopqrstuv") == ""
}

// show puts personal fields into an entry.
func (p *Personal) show(e *Entry) {
	if p == nil {
		return
	}
	e.UserID, e.IP = clean(p.User, maxText), clean(p.IP, maxText)
	if p.Key != "" {
		e.Key = clean(p.Key, maxText)
	}
	values := p.Details
	for i := range e.Details {
		if !isAlias(e.Details[i].Value) {
			continue
		}
		if len(values) == 0 {
			e.Details[i].Value = Destroyed
			continue
		}
		e.Details[i].Value, values = clean(values[0], maxValue), values[1:]
	}
}
