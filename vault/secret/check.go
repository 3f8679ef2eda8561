package secret

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Checked is what [Service.Check] found.
type Checked struct {
	Secrets  int      `json:"secrets"`  // names that were ever written
	Versions int      `json:"versions"` // values that open
	Revision int64    `json:"revision"` // of the ledger
	Recorded int64    `json:"recorded"` // the highest revision an audit entry names; 0: none was found
	Problems []string `json:"problems"` // by name; never a value
}

// OK reports whether nothing is wrong.
func (c *Checked) OK() bool { return len(c.Problems) == 0 }

// Check reads everything an owner has: that each name in the ledger has the head that was written last, that every version
// that is not destroyed opens, and that the ledger is not behind the audit record. What it finds is in the answer; the
// error is about the work of checking. Values are opened and dropped. It asks no gate and records nothing, see
// [Service.Stage]; app and tenant are as in [Owner].
func (s *Service) Check(ctx context.Context, app, tenant string) (out Checked, err error) {
	o := Owner{app, tenant}
	if _, err := s.owned(o, "any"); err != nil {
		return out, err
	}
	out.Problems = []string{}
	err = s.st.View(ctx, func(tx driver.Tx) error {
		c := checking{s: s, o: o, out: &out}
		if err := c.ledger(ctx, tx); err != nil {
			return err
		}
		return c.recorded(ctx, tx)
	})
	return out, err
}

type checking struct {
	s   *Service
	o   Owner
	out *Checked
}

// note keeps what is wrong with the data; anything else is an error of the work.
func (c *checking) note(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case fault.Is(err, fault.Internal), fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
		c.out.Problems = append(c.out.Problems, fmt.Sprintf("%s: %s", what, fault.From(err).Message))
		return nil
	}
	return err
}

func (c *checking) ledger(ctx context.Context, tx driver.Tx) error {
	root, err := c.s.readLedger(ctx, tx, c.o.App, c.o.Tenant, driver.LedgerRoot)
	if err != nil {
		return c.note("the ledger", err)
	}
	c.out.Revision = root.row.Revision
	seen := map[string]bool{}
	for n := range int64(ledgerParts) {
		part, err := c.s.readLedger(ctx, tx, c.o.App, c.o.Tenant, n)
		if err == nil && part.row.Revision != root.entries[partName(n)] {
			err = rolledBack()
		}
		if err != nil {
			if err := c.note("the ledger", err); err != nil {
				return err
			}
			continue
		}
		for _, name := range part.names {
			seen[name] = true
			if err := c.secret(ctx, tx, name); err != nil {
				return err
			}
		}
	}
	return c.strangers(ctx, tx, seen)
}

// strangers are heads that the ledger does not know: of an earlier program, or put there.
func (c *checking) strangers(ctx context.Context, tx driver.Tx, seen map[string]bool) error {
	for _, list := range [...]func(context.Context, string, string, string, int) ([]driver.SecretRow, error){tx.ListSecrets, tx.ListDeletedSecrets} {
		for after := ""; ; {
			heads, err := list(ctx, c.o.App, c.o.Tenant, after, 1000)
			if err != nil {
				return err
			}
			if len(heads) == 0 {
				break
			}
			for _, head := range heads {
				after = head.Name
				if seen[head.Name] {
					continue
				}
				if err := c.secret(ctx, tx, head.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *checking) secret(ctx context.Context, tx driver.Tx, name string) error {
	c.out.Secrets++
	r, err := c.s.load(ctx, tx, target{c.o.App, c.o.Tenant, name}, inside)
	if err != nil {
		return c.note(name, err)
	}
	for i := range r.list.Versions {
		st := &r.list.Versions[i]
		if st.Destroyed != 0 {
			continue
		}
		v, err := c.s.row(ctx, tx, r, st)
		if err == nil {
			_, err = c.s.ring.Unseal(ctx, tx, place(&v), boxOf(&v))
		}
		if err != nil {
			if err := c.note(fmt.Sprintf("%s, version %d", name, st.N), err); err != nil {
				return err
			}
			continue
		}
		c.out.Versions++
	}
	return nil
}

// lookBack is how many of the newest audit entries about secrets are searched for a revision: reads have none.
const lookBack = 1000

// recorded compares the ledger with the newest revision that an audit entry names.
func (c *checking) recorded(ctx context.Context, tx driver.Tx) error {
	owner := c.o.Tenant
	if owner == driver.Shared {
		owner = driver.Operator
	}
	rows, err := tx.ListAudit(ctx, c.o.App, owner, driver.AuditFilter{Action: "secret.*", Outcome: string(audit.OK), Limit: lookBack})
	if err != nil {
		return err
	}
	for _, row := range rows {
		var details [][2]string // as audit writes them
		if json.Unmarshal([]byte(row.Details), &details) != nil {
			continue // what is wrong with the record is audit's to say
		}
		for _, d := range details {
			if n, err := strconv.ParseInt(d[1], 10, 64); d[0] == "revision" && err == nil {
				c.out.Recorded = max(c.out.Recorded, n)
			}
		}
	}
	if c.out.Recorded > c.out.Revision {
		c.out.Problems = append(c.out.Problems, fmt.Sprintf(
			"the ledger is at revision %d, but the audit record knows %d: all of it was put back to an earlier moment", c.out.Revision, c.out.Recorded))
	}
	return nil
}
