package audit

import (
	"crypto/sha256"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

const (
	entryFormat  = "hayward/audit/entry/1"
	sealedFormat = "hayward/audit/entry/2" // with personal fields under the tenant's key
	headFormat   = "hayward/audit/head/1"
)

// KeyPurpose is what the audit's key is derived from the root key for.
const KeyPurpose = "audit"

// mac authenticates bytes under a key that the database does not hold; nil authenticates nothing.
type mac func(data []byte) []byte

func (m mac) of(data []byte) []byte {
	if m == nil {
		return nil
	}
	return m(data)
}

// Canonical returns the bytes of an entry that its hash covers: every field but Hash and MAC, each with its length. An entry
// whose personal fields are sealed has a format of its own, so that neither kind can be taken for the other.
func Canonical(dst []byte, r *driver.AuditRow) []byte {
	format := entryFormat
	if r.Sealed != "" {
		format = sealedFormat
	}
	dst = canon.Text(dst, format)
	dst = chainBytes(dst, r.Chain)
	dst = canon.Int(dst, r.Seq)
	dst = canon.Int(dst, r.At)
	for _, s := range [...]string{r.ID, r.Ref, r.User, r.IP, r.RequestID, r.Action, r.Resource, r.Name, r.Outcome, r.Details} {
		dst = canon.Text(dst, s)
	}
	if r.Sealed != "" {
		dst = canon.Text(dst, r.Sealed)
	}
	return dst
}

func chainBytes(dst []byte, c driver.Chain) []byte {
	dst = canon.Text(dst, c.App)
	dst = canon.Text(dst, c.Tenant)
	dst = canon.Text(dst, c.Node)
	return canon.Int(dst, c.Epoch)
}

// ParseCanonical reads what [Canonical] wrote, and nothing else.
func ParseCanonical(b []byte) (driver.AuditRow, error) {
	rd := canon.NewReader(b)
	var r driver.AuditRow
	format := rd.Text()
	r.App, r.Tenant, r.Node, r.Epoch = rd.Text(), rd.Text(), rd.Text(), rd.Int()
	r.Seq, r.At = rd.Int(), rd.Int()
	for _, s := range [...]*string{&r.ID, &r.Ref, &r.User, &r.IP, &r.RequestID, &r.Action, &r.Resource, &r.Name, &r.Outcome, &r.Details} {
		*s = rd.Text()
	}
	if format == sealedFormat {
		r.Sealed = rd.Text()
	}
	if err := rd.Done(); err != nil || (format != entryFormat && format != sealedFormat) || (format == sealedFormat) != (r.Sealed != "") {
		return driver.AuditRow{}, fault.New(fault.Invalid, "these bytes are not an audit entry")
	}
	return r, nil
}

// entryHash is SHA-256 over the hash before and the canonical bytes. scratch is reused between calls.
func entryHash(scratch []byte, prev []byte, r *driver.AuditRow) (hash, reuse []byte) {
	b := Canonical(canon.Text(scratch[:0], prev), r)
	sum := sha256.Sum256(b)
	return sum[:], b
}

func entryMAC(m mac, hash []byte) []byte {
	if m == nil {
		return nil
	}
	return m(canon.Text(canon.Text(make([]byte, 0, 64), entryFormat), hash))
}
