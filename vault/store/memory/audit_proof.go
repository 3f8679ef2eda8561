package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// proofs is what the audit keeps beside its entries.
type proofs struct {
	trees       map[driver.Chain][]driver.AuditTreeRow // ascending
	checkpoints map[auditLog][]driver.AuditCheckpointRow
	cursors     map[auditCursor]int64
	keys        map[named]driver.AuditKeyRow
	glass       map[named]driver.AuditGlassRow
}

type auditLog struct {
	node  string
	epoch int64
}

type auditCursor struct {
	driver.Chain
	sink string
}

func newProofs() proofs {
	return proofs{trees: map[driver.Chain][]driver.AuditTreeRow{}, checkpoints: map[auditLog][]driver.AuditCheckpointRow{},
		cursors: map[auditCursor]int64{}, keys: map[named]driver.AuditKeyRow{}, glass: map[named]driver.AuditGlassRow{}}
}

func copyTree(r driver.AuditTreeRow) driver.AuditTreeRow {
	r.Root, r.Edges = bytes.Clone(r.Root), bytes.Clone(r.Edges)
	return r
}

func (x *tx) PutAuditTree(_ context.Context, r driver.AuditTreeRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	have := x.s.data.proofs.trees[r.Chain]
	at, found := slices.BinarySearchFunc(have, r.Number, func(h driver.AuditTreeRow, n int64) int { return cmp.Compare(h.Number, n) })
	next := slices.Clone(have)
	if found {
		next[at] = copyTree(r)
	} else {
		next = slices.Insert(next, at, copyTree(r))
	}
	if at > 0 {
		next[at-1].Edges = nil
	}
	set(x, x.s.data.proofs.trees, r.Chain, next)
	return nil
}

func (x *tx) AuditTree(_ context.Context, c driver.Chain, number int64) (driver.AuditTreeRow, error) {
	if err := driver.Args(c.App, c.Tenant); err != nil {
		return driver.AuditTreeRow{}, err
	}
	have := x.s.data.proofs.trees[c]
	for i := len(have) - 1; i >= 0; i-- {
		if have[i].Number <= number {
			return copyTree(have[i]), nil
		}
	}
	return driver.AuditTreeRow{}, driver.ErrNotFound
}

func (x *tx) AuditTreesEverywhere(ctx context.Context, node string, epoch, number int64) ([]driver.AuditTreeRow, error) {
	var out []driver.AuditTreeRow
	for c := range x.s.data.proofs.trees {
		if c.Epoch != epoch || c.Log() != node {
			continue
		}
		if r, err := x.AuditTree(ctx, c, number); err == nil {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b driver.AuditTreeRow) int { return a.Chain.Compare(b.Chain) })
	return out, nil
}

func (x *tx) AddAuditCheckpointEverywhere(_ context.Context, r driver.AuditCheckpointRow) (bool, error) {
	if err := x.writing(driver.Operator, driver.Operator); err != nil {
		return false, err
	}
	log := auditLog{r.Node, r.Epoch}
	have := x.s.data.proofs.checkpoints[log]
	if r.Number != int64(len(have))+1 {
		return false, nil
	}
	next := append(slices.Clone(have), r)
	next[len(have)].Edges = bytes.Clone(r.Edges)
	if len(have) > 0 {
		next[len(have)-1].Edges = nil
	}
	set(x, x.s.data.proofs.checkpoints, log, next)
	return true, nil
}

func (x *tx) AuditCheckpointEverywhere(_ context.Context, node string, epoch, number int64) (driver.AuditCheckpointRow, error) {
	have := x.s.data.proofs.checkpoints[auditLog{node, epoch}]
	if number == 0 {
		number = int64(len(have))
	}
	if number < 1 || number > int64(len(have)) {
		return driver.AuditCheckpointRow{}, driver.ErrNotFound
	}
	r := have[number-1]
	r.Edges = bytes.Clone(r.Edges)
	return r, nil
}

func (x *tx) ScanAuditCheckpointsEverywhere(_ context.Context, node string, epoch, after int64, fn func(driver.AuditCheckpointRow) error) error {
	have := x.s.data.proofs.checkpoints[auditLog{node, epoch}]
	for _, r := range have[min(max(after, 0), int64(len(have))):] {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (x *tx) AuditLogsEverywhere(context.Context) (out []driver.AuditCheckpointRow, err error) {
	for _, have := range x.s.data.proofs.checkpoints {
		if len(have) > 0 {
			out = append(out, have[len(have)-1])
		}
	}
	slices.SortFunc(out, func(a, b driver.AuditCheckpointRow) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Epoch, b.Epoch))
	})
	return out, nil
}

func (x *tx) AuditCursor(_ context.Context, c driver.Chain, sink string) (int64, error) {
	if err := driver.Args(c.App, c.Tenant); err != nil {
		return 0, err
	}
	return x.s.data.proofs.cursors[auditCursor{c, sink}], nil
}

func (x *tx) PutAuditCursor(_ context.Context, c driver.Chain, sink string, seq int64) error {
	if err := x.writing(c.App, c.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.proofs.cursors, auditCursor{c, sink}, seq)
	return nil
}

func copyAuditKey(r driver.AuditKeyRow) driver.AuditKeyRow {
	r.Ciphertext = bytes.Clone(r.Ciphertext)
	return r
}

func (x *tx) AuditKey(_ context.Context, app, tenant, id string) (driver.AuditKeyRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.AuditKeyRow{}, err
	}
	for n, r := range x.s.data.proofs.keys {
		if n.app == app && n.tenant == tenant && (n.name == id || id == "" && r.Primary) {
			return copyAuditKey(r), nil
		}
	}
	return driver.AuditKeyRow{}, driver.ErrNotFound
}

func (x *tx) PutAuditKey(_ context.Context, r driver.AuditKeyRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	keys := x.s.data.proofs.keys
	for n, have := range keys {
		if r.Primary && have.Primary && n.app == r.App && n.tenant == r.Tenant {
			have.Primary = false
			set(x, keys, n, have)
		}
	}
	set(x, keys, named{r.App, r.Tenant, r.ID}, copyAuditKey(r))
	return nil
}

func (x *tx) ListAuditKeys(_ context.Context, app, tenant string) ([]driver.AuditKeyRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return x.auditKeys(func(n named) bool { return n.app == app && n.tenant == tenant }), nil
}

func (x *tx) ListAuditKeysEveryTenant(_ context.Context, app string) ([]driver.AuditKeyRow, error) {
	if err := driver.Args(app, driver.Operator); err != nil {
		return nil, err
	}
	return x.auditKeys(func(n named) bool { return n.app == app }), nil
}

func (x *tx) auditKeys(mine func(named) bool) (out []driver.AuditKeyRow) {
	for n, r := range x.s.data.proofs.keys {
		if mine(n) {
			out = append(out, copyAuditKey(r))
		}
	}
	slices.SortFunc(out, func(a, b driver.AuditKeyRow) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func copyGlass(r driver.AuditGlassRow) driver.AuditGlassRow {
	r.MAC = bytes.Clone(r.MAC)
	return r
}

func (x *tx) PutAuditGlass(_ context.Context, r driver.AuditGlassRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.proofs.glass, named{r.App, r.Tenant, r.ID}, copyGlass(r))
	return nil
}

func (x *tx) ListAuditGlass(_ context.Context, app, tenant string, limit int) ([]driver.AuditGlassRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	var out []driver.AuditGlassRow
	for n, r := range x.s.data.proofs.glass {
		if n.app == app && n.tenant == tenant {
			out = append(out, copyGlass(r))
		}
	}
	slices.SortFunc(out, func(a, b driver.AuditGlassRow) int {
		return cmp.Or(cmp.Compare(b.OpenedAt, a.OpenedAt), cmp.Compare(b.ID, a.ID))
	})
	return out[:min(limit, len(out))], nil
}
