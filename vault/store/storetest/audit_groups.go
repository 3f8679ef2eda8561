package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// testAuditTogether: a store may keep what is appended together in another way than what comes one by one. Nobody sees it.
func testAuditTogether(t *testing.T, h Harness) {
	st := h.Open(t)
	for _, tc := range []struct{ group, moment int }{{1, 1}, {1, 400}, {2, 3}, {7, 7}, {7, 1000}, {64, 64}, {65, 65}, {128, 128}, {129, 129}, {300, 300}, {300, 50},
		{1000, 1000}, {1000, 1}} {
		c := driver.Chain{App: "a", Tenant: fmt.Sprint("t", tc.group, "-", tc.moment), Node: "n", Epoch: 1}
		all := make([]driver.AuditRow, 1000)
		for i := range all {
			all[i] = entry(c, int64(i+1), fmt.Sprintf("%s-%04d", c.Tenant, i+1))
			all[i].At = int64(1 + i/tc.moment)
			if i%100 == 99 { // long ones among short ones
				all[i].Details = strings.Repeat("d", 40<<10)
			}
		}
		appendIn(t, st, all, tc.group)
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			for _, after := range []int64{-1 << 63, 0, 1, 499, 998, 999, 1000, 1 << 62} {
				from := int(max(0, min(after, 1000)))
				sameRows(t, fmt.Sprintf("%+v, after %d", tc, after), scanned(ctx, t, tx, c, after), all[from:])
			}
			tail, err := tx.AuditTail(ctx, c)
			sameRows(t, "the end", []driver.AuditRow{tail}, all[999:])
			for _, i := range []int{0, 1, 126, 127, 128, 500, 998, 999} {
				r, err := tx.AuditEntry(ctx, "a", c.Tenant, all[i].ID)
				sameRows(t, fmt.Sprint("one entry ", err), []driver.AuditRow{r}, all[i:i+1])
			}
			rows, err2 := tx.ListAudit(ctx, "a", c.Tenant, driver.AuditFilter{Limit: 1500, OldestFirst: true})
			sameRows(t, fmt.Sprintf("the list of %+v", tc), rows, all)
			var paged []driver.AuditRow
			for f := (driver.AuditFilter{Limit: 70}); len(rows) > 0; {
				var err3 error
				if rows, err3 = tx.ListAudit(ctx, "a", c.Tenant, f); err3 != nil {
					return err3
				}
				if paged = append(paged, rows...); len(rows) > 0 {
					f.BeforeAt, f.BeforeID = rows[len(rows)-1].At, rows[len(rows)-1].ID
				}
			}
			slices.Reverse(paged)
			sameRows(t, fmt.Sprintf("the pages of %+v", tc), paged, all)
			return errors.Join(err, err2)
		})
	}
	chain := driver.Chain{App: "a", Tenant: "t7-7", Node: "n", Epoch: 1}
	for _, seqs := range [][]int64{{999}, {1000}, {1001, 1001}, {1001, 1003, 1002}} {
		rows := make([]driver.AuditRow, len(seqs))
		for i, n := range seqs {
			rows[i] = entry(chain, n, fmt.Sprint("again", n))
		}
		err := st.Update(t.Context(), func(tx driver.Tx) error {
			_, err := tx.AppendAudit(t.Context(), []byte("t7-7-1000"), rows)
			return err
		})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("numbers %v after 1000: %v", seqs, err)
		}
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		if rows := scanned(ctx, t, tx, chain, 998); len(rows) != 2 {
			t.Errorf("what was refused left %v", rows)
		}
		return nil
	})
}

func appendIn(t *testing.T, st driver.Store, all []driver.AuditRow, group int) {
	t.Helper()
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		var prev []byte
		for part := range slices.Chunk(all, group) {
			if ok, err := tx.AppendAudit(ctx, prev, part); err != nil || !ok {
				return fmt.Errorf("entry %d is refused: %w", part[0].Seq, err)
			}
			prev = part[len(part)-1].Hash
		}
		return nil
	})
}

func scanned(ctx context.Context, t rapid.TB, tx driver.Tx, c driver.Chain, after int64) (out []driver.AuditRow) {
	t.Helper()
	if err := tx.ScanAudit(ctx, c, after, func(r driver.AuditRow) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// sameRows compares every field of entries.
func sameRows(t rapid.TB, what string, got, want []driver.AuditRow) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d entries instead of %d: %v instead of %v", what, len(got), len(want), ids(got), ids(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: number %d of %v is\n%.2000s, not\n%.2000s", what, i, ids(got), fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]))
		}
	}
}

func ids(rows []driver.AuditRow) []string {
	out := []string{}
	for i := range rows[:min(len(rows), 100)] {
		out = append(out, fmt.Sprintf("%d/%s", rows[i].At, rows[i].ID))
	}
	return out
}

// testAuditModel compares a store with a slice of entries: whatever was appended together, whatever is asked for.
func testAuditModel(t *testing.T, h Harness) {
	st := h.Open(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		m := &auditModel{t: t, app: fmt.Sprintf("app%d", round), chains: map[driver.Chain][]driver.AuditRow{}}
		if err := st.Update(context.Background(), m.fill); err != nil {
			t.Fatal(err)
		}
		if err := st.View(context.Background(), func(tx driver.Tx) error { m.look(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	})
}

type auditModel struct {
	t      *rapid.T
	app    string
	chains map[driver.Chain][]driver.AuditRow
	order  []driver.Chain // as they were begun
	all    []driver.AuditRow
}

func pick[T any](t *rapid.T, name string, from ...T) T { return rapid.SampledFrom(from).Draw(t, name) }

// fill appends groups to several chains; few moments, so that many entries share one.
func (m *auditModel) fill(tx driver.Tx) error {
	for range rapid.IntRange(1, 10).Draw(m.t, "appends") {
		c := driver.Chain{App: m.app, Tenant: pick(m.t, "tenant", "t", "u"), Node: pick(m.t, "node", "n", "m", "n~1"), Epoch: pick[int64](m.t, "epoch", 1, 2)}
		have := m.chains[c]
		var prev []byte
		next := int64(1)
		if len(have) > 0 {
			prev, next = have[len(have)-1].Hash, have[len(have)-1].Seq+1
		}
		rows := make([]driver.AuditRow, pick(m.t, "entries", 1, 1, 2, 3, 9, 25))
		at := pick[int64](m.t, "at", 1, 2, 3, 4, 1000)
		for i := range rows {
			if pick(m.t, "another moment", false, false, false, true) {
				at = pick[int64](m.t, "at", 1, 2, 3, 4, 1000)
			}
			rows[i] = m.entry(c, next, at)
			next += pick[int64](m.t, "step", 1, 1, 1, 1, 1, 1, 1, 2)
		}
		if ok, err := tx.AppendAudit(context.Background(), prev, rows); err != nil || !ok {
			return fmt.Errorf("%v: refused: %w", c, err)
		}
		if len(have) == 0 {
			m.order = append(m.order, c)
		}
		m.chains[c] = append(have, rows...)
		m.all = append(m.all, rows...)
	}
	return nil
}

func (m *auditModel) entry(c driver.Chain, seq, at int64) driver.AuditRow {
	r := entry(c, seq, fmt.Sprintf("%c%s%d", 'a'+rapid.IntRange(0, 25).Draw(m.t, "id"), m.app, len(m.all)+int(seq)*1000))
	r.ID += fmt.Sprint(c.Tenant, c.Node, c.Epoch)
	r.At, r.Hash = at, []byte("hash of "+r.ID)
	r.User, r.Name = pick(m.t, "user", "ann", "bob", ""), pick(m.t, "name", "K", "L", "ü\x00\x01")
	r.Action, r.Outcome = pick(m.t, "action", "secret.get", "secret.set", "flag.get", "secretive.act"), pick(m.t, "outcome", "ok", "denied")
	r.RequestID, r.Resource = pick(m.t, "request", "", "r1", "r2"), pick(m.t, "resource", "secret", "flag")
	r.Ref, r.Sealed, r.Details = pick(m.t, "ref", "", "x"), pick(m.t, "sealed", "", "box"), pick(m.t, "details", "[]", `[["k","v"]]`)
	if len(m.all)%17 == 0 {
		r.Details = strings.Repeat("long ", 3000)
	}
	return r
}

func (m *auditModel) look(tx driver.Tx) {
	ctx := context.Background()
	for _, c := range m.order {
		m.lookAt(ctx, tx, c)
	}
	for i := range m.all {
		r, err := tx.AuditEntry(ctx, m.app, m.all[i].Tenant, m.all[i].ID)
		sameRows(m.t, fmt.Sprint("an entry: ", err), []driver.AuditRow{r}, m.all[i:i+1])
	}
	if _, err := tx.AuditEntry(ctx, m.app, "t", "nobody"); !errors.Is(err, driver.ErrNotFound) {
		m.t.Fatalf("an entry that is not there: %v", err)
	}
	for range 4 {
		m.lookAtList(ctx, tx, m.filter())
	}
}

func (m *auditModel) lookAt(ctx context.Context, tx driver.Tx, c driver.Chain) {
	want := m.chains[c]
	last := want[len(want)-1].Seq
	tail, err := tx.AuditTail(ctx, c)
	sameRows(m.t, fmt.Sprint("the end: ", err), []driver.AuditRow{tail}, want[len(want)-1:])
	for after := int64(-1); after <= last+1; after++ {
		from := slices.IndexFunc(want, func(r driver.AuditRow) bool { return r.Seq > after })
		if from < 0 {
			from = len(want)
		}
		sameRows(m.t, fmt.Sprint("after ", after), scanned(ctx, m.t, tx, c, after), want[from:])
		limit := rapid.Int64Range(0, last+1).Draw(m.t, "limit")
		n := from
		err := tx.ScanAuditHashes(ctx, c, after, limit, func(seq int64, hash, mac []byte) error {
			if n >= len(want) || seq != want[n].Seq || string(hash) != string(want[n].Hash) || string(mac) != string(want[n].MAC) {
				m.t.Fatalf("after %d: the hash of entry %d is %q", after, seq, hash)
			}
			n++
			return nil
		})
		if err != nil || int64(n) != min(int64(from)+limit, int64(len(want))) {
			m.t.Fatalf("at most %d hashes after %d of %d: %d, %v", limit, after, last, n-from, err)
		}
	}
}

func (m *auditModel) filter() (f driver.AuditFilter) {
	t := m.t
	f.From, f.To = pick[int64](t, "from", 0, 0, 2, 3), pick[int64](t, "to", 0, 0, 0, 1, 3, 5)
	f.User, f.Name = pick(t, "by user", "", "", "ann", "zoe"), pick(t, "by name", "", "", "L", "ü\x00\x01")
	if f.User != "" {
		f.Users = pick(t, "or by users", nil, []string{"bob"}, []string{"bob", "eve"})
	}
	if f.Name != "" {
		f.Names = pick(t, "or by names", nil, []string{"K"})
	}
	f.Action = pick(t, "by action", "", "", "secret.get", "secret.", "secret*", "s", "*")
	f.Outcome, f.RequestID = pick(t, "by outcome", "", "", "denied"), pick(t, "by request", "", "", "", "r1")
	f.Resource = pick(t, "by resource", "", "", "flag")
	f.OldestFirst = rapid.Bool().Draw(t, "oldest first")
	return f
}

// lookAtList pages through a list: the pages together are the whole of it.
func (m *auditModel) lookAtList(ctx context.Context, tx driver.Tx, f driver.AuditFilter) {
	tenant := pick(m.t, "whose", "t", "u", "")
	read := func(f driver.AuditFilter) ([]driver.AuditRow, error) { return tx.ListAudit(ctx, m.app, tenant, f) }
	if tenant == "" {
		read = func(f driver.AuditFilter) ([]driver.AuditRow, error) { return tx.ListAuditEveryTenant(ctx, m.app, f) }
	}
	want := m.list(f, tenant)
	size := rapid.IntRange(1, len(want)+2).Draw(m.t, "page")
	var got []driver.AuditRow
	for {
		f.Limit = size
		page, err := read(f)
		if err != nil {
			m.t.Fatal(err)
		}
		if len(page) > size {
			m.t.Fatalf("a page of %d has %d entries", size, len(page))
		}
		got = append(got, page...)
		if len(page) < size || len(got) > len(want) {
			break
		}
		f.BeforeAt, f.BeforeID = page[size-1].At, page[size-1].ID
	}
	sameRows(m.t, fmt.Sprintf("pages of %d of %+v for %q", size, f, tenant), got, want)
}

// list is what ListAudit says it does.
func (m *auditModel) list(f driver.AuditFilter, tenant string) (out []driver.AuditRow) {
	one := func(have, want string, also []string) bool {
		return want == "" || have == want || slices.Contains(also, have)
	}
	for i := range m.all {
		r := &m.all[i]
		action := one(r.Action, f.Action, nil)
		if prefix, ok := f.ActionPrefix(); ok {
			action = strings.HasPrefix(r.Action, prefix)
		}
		if (tenant == "" || r.Tenant == tenant) && r.At >= f.From && (f.To == 0 || r.At < f.To) && action && one(r.User, f.User, f.Users) &&
			one(r.Name, f.Name, f.Names) && one(r.Outcome, f.Outcome, nil) && one(r.RequestID, f.RequestID, nil) && one(r.Resource, f.Resource, nil) {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b driver.AuditRow) int {
		n := cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
		if f.OldestFirst {
			return n
		}
		return -n
	})
	return out
}
