package secret_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// rows is all that the store has of one secret, and the ledger of its owner.
type rows struct {
	none     bool
	head     driver.SecretRow
	versions []driver.SecretVersion
	ledger   []driver.LedgerRow
}

// snapshot reads a secret's rows as somebody with access to the database would.
func snapshot(t testing.TB, st driver.Store, name string) (r rows) {
	t.Helper()
	err := st.View(t.Context(), func(tx driver.Tx) (err error) {
		r.head, err = tx.Secret(t.Context(), "myapp", "t", name)
		if errors.Is(err, driver.ErrNotFound) {
			r.none, err = true, nil
		}
		if err != nil {
			return err
		}
		if r.versions, err = tx.ListSecretVersions(t.Context(), "myapp", "t", name, 0, 1000); err != nil {
			return err
		}
		r.ledger, err = tx.ListLedger(t.Context(), "myapp", "t")
		return err
	})
	fine(t, err)
	return r
}

// putBack writes a secret's head and versions as they were, over what there is.
func putBack(t testing.TB, st driver.Store, r rows) {
	t.Helper()
	fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
		if err := tx.PutSecret(ctx, r.head); err != nil {
			return err
		}
		if err := tx.DeleteSecretVersions(ctx, "myapp", "t", r.head.Name); err != nil {
			return err
		}
		for _, v := range r.versions {
			if err := tx.AddSecretVersion(ctx, v); err != nil {
				return err
			}
		}
		return nil
	}))
}

func putLedger(t testing.TB, st driver.Store, rows []driver.LedgerRow) {
	t.Helper()
	fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, r := range rows {
			if err := tx.PutLedger(ctx, r); err != nil {
				return err
			}
		}
		return nil
	}))
}

// What somebody who can write rows, and had copied them before, gains by putting rows back: nothing but an error.
func TestRowsPutBack(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, svc *secret.Service){
		"a new version":        func(t *testing.T, svc *secret.Service) { set(t, svc, "t", "K", "three") },
		"a deletion":           func(t *testing.T, svc *secret.Service) { fine(t, svc.Delete(as("t"), "K", "")) },
		"a version's deletion": func(t *testing.T, svc *secret.Service) { fine(t, svc.DeleteVersions(as("t"), "K", "", 1)) },
		"a destruction":        func(t *testing.T, svc *secret.Service) { fine(t, svc.Destroy(as("t"), "K", "")) },
		"a version's":          func(t *testing.T, svc *secret.Service) { fine(t, svc.DestroyVersions(as("t"), "K", "", 1)) },
		"fewer versions":       func(t *testing.T, svc *secret.Service) { fine(t, svc.SetMaxVersions(as("t"), "K", "", 1)) },
		"deletion and a new one": func(t *testing.T, svc *secret.Service) {
			fine(t, svc.Delete(as("t"), "K", ""))
			set(t, svc, "t", "K", "new")
		},
	} {
		for _, restarted := range []bool{false, true} {
			everyStore(t, func(t *testing.T, st driver.Store) {
				svc := service(t, st)
				set(t, svc, "t", "K", "one")
				set(t, svc, "t", "K", "two")
				before := snapshot(t, st, "K")
				change(t, svc)
				now := snapshot(t, st, "K")
				reader := svc
				if restarted { // with nothing in memory
					reader = service(t, st)
				}
				putBack(t, st, before)
				for call, err := range map[string]error{
					"Get": second(reader.Get(as("t"), "K", "")), "GetVersion": second(reader.GetVersion(as("t"), "K", "", 1)),
					"GetMeta": second(reader.GetMeta(as("t"), "K", "")), "History": second(reader.History(as("t"), "K", "")),
					"Set": second(reader.Set(as("t"), "K", []byte("x"), "")), "Undelete": reader.Undelete(as("t"), "K", ""),
				} {
					if !errors.Is(err, base.ErrTampered) {
						t.Errorf("%s put back (restarted %v), %s: %v", name, restarted, call, err)
					}
				}
				putBack(t, st, now)
				if _, err := service(t, st).History(as("t"), "K", ""); err != nil {
					t.Errorf("%s: and with the right rows again: %v", name, err)
				}
			})
		}
	}
}

// The state of a version stands in the head, under its mark.
func TestStatesCannotBeEdited(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		set(t, svc, "t", "K", "two")
		whole := snapshot(t, st, "K")
		fine(t, svc.DestroyVersions(as("t"), "K", "", 1))
		if _, err := stage(t, st, svc, ownerT, "K", "three"); err != nil {
			t.Fatal(err)
		}
		good := snapshot(t, st, "K")
		for name, change := range map[string]func(r *rows){
			"the manifest of before":  func(r *rows) { r.head.Versions = whole.head.Versions },
			"no manifest":             func(r *rows) { r.head.Versions = "" },
			"the pending one served":  func(r *rows) { r.head.Current, r.head.Pending = 3, 0 },
			"not pending":             func(r *rows) { r.head.Pending = 0 },
			"another limit":           func(r *rows) { r.head.MaxVersions = 50 },
			"another revision":        func(r *rows) { r.head.Revision++ },
			"another end of recovery": func(r *rows) { r.head.DueAt = 1 << 50 },
		} {
			bad := good
			change(&bad)
			putBack(t, st, bad)
			if _, err := svc.Get(as("t"), "K", ""); !errors.Is(err, base.ErrTampered) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The destroyed version's row, put back beside the right head, is not read.
		resurrected := good
		resurrected.versions = append([]driver.SecretVersion{whole.versions[0]}, good.versions...)
		putBack(t, st, resurrected)
		for name, err := range map[string]error{
			"GetVersion": second(svc.GetVersion(as("t"), "K", "", 1)), "Rollback": second(svc.Rollback(as("t"), "K", "", 1)),
			"ReadVersion": second(readVersion(t, st, svc, 1)), "Undelete": svc.Undelete(as("t"), "K", "", 1),
		} {
			if !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("%s of a destroyed version whose row is back: %v", name, err)
			}
		}
		putBack(t, st, good)
		if got := value(svc, "t", "K"); got != "two" {
			t.Errorf("%q", got)
		}
	})
}

// The ledger knows which heads there are: one that is taken away does not look like one that never was.
func TestAHeadTakenAway(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		before := snapshot(t, st, "K")
		if !before.none {
			t.Fatal("it is there already")
		}
		set(t, svc, "t", "K", "one")
		if _, err := svc.SetShared(as(""), "K", []byte("shared"), "", secret.WithDestinations(openai)); err != nil {
			t.Fatal(err)
		}
		if got, err := service(t, without{st, "K"}).Get(as("t"), "K", ""); !errors.Is(err, base.ErrTampered) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// One part of the ledger put back, or taken away, does not fit the root; the root does not fit the heads.
func TestTheLedgerPutBack(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		old := snapshot(t, st, "K")
		set(t, svc, "t", "K", "two")
		now := snapshot(t, st, "K")
		for name, ledger := range map[string][]driver.LedgerRow{
			"the root": {old.ledger[0]}, "the part": {old.ledger[1]},
			"an empty root": {{App: "myapp", Tenant: "t", Part: driver.LedgerRoot}},
			"another tenant's": func() []driver.LedgerRow {
				set(t, svc, "u", "K", "one")
				var r []driver.LedgerRow
				fine(t, st.View(t.Context(), func(tx driver.Tx) (err error) { r, err = tx.ListLedger(t.Context(), "myapp", "u"); return err }))
				for i := range r {
					r[i].Tenant = "t"
				}
				return r
			}(),
		} {
			putLedger(t, st, ledger)
			for who, s := range map[string]*secret.Service{"restarted": service(t, st)} {
				for what, rows := range map[string]rows{"now": now, "old": old} {
					putBack(t, st, rows)
					if _, err := s.Get(as("t"), "K", ""); !errors.Is(err, base.ErrTampered) && !errors.Is(err, base.ErrDecryptionFailed) {
						t.Errorf("%s, %s, rows of %s: %v", name, who, what, err)
					}
				}
			}
			putLedger(t, st, now.ledger)
		}
		putBack(t, st, now)
		if got := value(service(t, st), "t", "K"); got != "two" {
			t.Errorf("%q", got)
		}
	})
}

// All rows of a tenant put back together: this process has seen the revision they are behind.
func TestATenantPutBackAsAWholeWhileTheProcessRuns(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		old := snapshot(t, st, "K")
		set(t, svc, "t", "K", "two")
		putBack(t, st, old)
		putLedger(t, st, old.ledger)
		if _, err := svc.Get(as("t"), "K", ""); !errors.Is(err, base.ErrTampered) {
			t.Errorf("%v", err)
		}
		if _, err := svc.Set(as("t"), "K", []byte("three"), ""); !errors.Is(err, base.ErrTampered) {
			t.Errorf("%v", err)
		}
	})
}

// Deleting is how to get rid of what is damaged, and no number is used twice after it.
func TestADamagedSecretCanBeDeleted(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		set(t, svc, "t", "K", "two")
		bad := snapshot(t, st, "K")
		bad.head.Mark = slices.Clone(bad.head.Mark)
		bad.head.Mark[len(bad.head.Mark)-1] ^= 1
		putBack(t, st, bad)
		if _, err := svc.Get(as("t"), "K", ""); !errors.Is(err, base.ErrTampered) {
			t.Fatalf("%v", err)
		}
		fine(t, svc.Delete(as("t"), "K", ""))
		if got := value(svc, "t", "K"); got != "error SecretNotFound" {
			t.Errorf("%q", got)
		}
		if err := svc.Undelete(as("t"), "K", ""); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a damaged secret came back: %v", err)
		}
		if m := set(t, svc, "t", "K", "three"); m.Version != 3 {
			t.Errorf("version %d", m.Version)
		}
		fine(t, service(t, without{st, "K"}).Delete(as("t"), "K", ""))
		set(t, svc, "t", "K", "four")
		if got := value(svc, "t", "K"); got != "four" {
			t.Errorf("%q", got)
		}
	})
}

// What a program wrote that kept no manifest and no ledger is read, and is under both from the next write on.
func TestWhatEarlierProgramsWrote(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
			return svc.WriteAsBefore(ctx, tx, ownerT, "K", "one", "two")
		}))
		if got := value(svc, "t", "K"); got != "two" {
			t.Fatalf("%q", got)
		}
		wantStates(t, svc, "1 superseded, 2 current")
		if got := valueOf(svc.GetVersion(as("t"), "K", "", 1)); got != "one" {
			t.Errorf("%q", got)
		}
		old := snapshot(t, st, "K")
		set(t, svc, "t", "K", "three")
		wantStates(t, svc, "1 superseded, 2 superseded, 3 current")
		putBack(t, st, old)
		if _, err := service(t, st).Get(as("t"), "K", ""); !errors.Is(err, base.ErrTampered) {
			t.Errorf("the earlier program's rows put back: %v", err)
		}
	})
}

// A change by another process is seen at once, though this one has read and checked the secret before.
func TestACheckedHeadIsNotAnExcuse(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		one, two := service(t, st), service(t, st)
		set(t, one, "t", "K", "one", secret.WithExpiresAt(time.Now().Add(time.Hour)), secret.WithMetadata(map[string]string{"a": "b"}))
		for range 3 {
			s := must(two.Get(as("t"), "K", ""))
			if s.Metadata["a"] != "b" {
				t.Errorf("what one caller did to its copy is seen by another: %v", s.Metadata)
			}
			s.Metadata["a"] = "mine"
			*s.ExpiresAt = time.Time{}
		}
		set(t, one, "t", "K", "two")
		if got := value(two, "t", "K"); got != "two" {
			t.Errorf("%q", got)
		}
		fine(t, one.Delete(as("t"), "K", ""))
		if got := value(two, "t", "K"); got != "error SecretNotFound" {
			t.Errorf("%q", got)
		}
		if err := one.Undelete(as("t"), "K", ""); err != nil || !fault.Is(two.Undelete(as("t"), "K", ""), fault.NotFound) {
			t.Error(err)
		}
		if got := value(two, "t", "K"); got != "two" {
			t.Errorf("%q", got)
		}
	})
}

// The whole of a tenant put back before this process began: the audit record knows a later revision.
func TestCheck(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		set(t, svc, "t", "L", "one")
		if _, err := svc.SetShared(as(""), "S", []byte("v"), "", secret.WithDestinations(openai)); err != nil {
			t.Fatal(err)
		}
		fine(t, svc.Delete(as("t"), "L", ""))
		fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error { return svc.WriteAsBefore(ctx, tx, ownerT, "EARLY", "v") }))
		old := snapshot(t, st, "K")
		set(t, svc, "t", "K", "two")
		check := func(tenant string) secret.Checked {
			t.Helper()
			c, err := service(t, st).Check(t.Context(), "myapp", tenant)
			fine(t, err)
			return c
		}
		if c := check("t"); !c.OK() || c.Secrets != 3 || c.Versions != 4 || c.Revision != 4 || c.Recorded != 4 {
			t.Errorf("%+v", c)
		}
		if c := check(driver.Shared); !c.OK() || c.Secrets != 1 || c.Versions != 1 || c.Revision != 1 || c.Recorded != 1 {
			t.Errorf("%+v", c)
		}
		if c := check("nobody"); !c.OK() || c.Secrets != 0 {
			t.Errorf("%+v", c)
		}
		now := snapshot(t, st, "K")
		putBack(t, st, old)
		if c := check("t"); c.OK() || len(c.Problems) != 1 {
			t.Errorf("a head put back: %+v", c)
		}
		putLedger(t, st, old.ledger)
		if got := value(service(t, st), "t", "K"); got != "one" {
			t.Errorf("rows alone cannot show this, but: %q", got)
		}
		if c := check("t"); c.OK() || c.Revision != 3 || c.Recorded != 4 {
			t.Errorf("everything put back: %+v", c)
		}
		putBack(t, st, now)
		putLedger(t, st, now.ledger)
		bad := now
		bad.versions = []driver.SecretVersion{now.versions[0], now.versions[1]}
		bad.versions[0].Metadata = `{"a":"b"}`
		putBack(t, st, bad)
		if c := check("t"); c.OK() || c.Versions != 3 {
			t.Errorf("a former version changed: %+v", c)
		}
	})
}
