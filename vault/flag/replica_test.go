package flag_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/postgres"
)

// replicas returns two services over one PostgreSQL, each with connections of its own, as two processes have.
func replicas(t *testing.T) (here, there *flag.Service) {
	t.Helper()
	server := dbtest.Postgres(t)
	open := func() *flag.Service { return quietService(postgres.New(server.Open(t, db.Options{}))) }
	first := postgres.New(server.Open(t, db.Options{}))
	if err := first.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return quietService(first), open()
}

// within polls until ok, and fails after a second: that is what is promised between replicas.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Second {
			t.Fatalf("a second after %s the other replica does not see it", what)
		}
	}
}

func TestAnotherReplicaSeesEachChangeWithinASecond(t *testing.T) {
	here, there := replicas(t)
	acme := as("acme", "ann")
	sees := func(want string) func() bool {
		return func() bool {
			v, err := there.Engine().Evaluate(acme, "f", "")
			if err != nil {
				v = "error"
			}
			return fmt.Sprint(v) == want
		}
	}
	steps := []struct {
		what string
		do   func() error
		want string
	}{
		{"nothing", func() error { return nil }, "error"},
		{"a definition", func() error {
			return here.Define(operator, &flag.Definition{Key: "f", Type: flag.TypeString, DefaultValue: "default", Enabled: true})
		}, "default"},
		{"a segment and a rule", func() error {
			return errors.Join(here.DefineSegment(operator, &flag.Segment{Key: "s", Conditions: []flag.Condition{flag.If("tenant_id", flag.OpEquals, "acme")}}),
				here.SetRules(operator, "f", []*flag.Rule{flag.WhenSegment("s").Return("rule")}))
		}, "rule"},
		{"a change of the segment", func() error {
			return here.DefineSegment(operator, &flag.Segment{Key: "s", Conditions: []flag.Condition{flag.If("tenant_id", flag.OpEquals, "globex")}})
		}, "default"},
		{"a rollback of the segment", func() error { _, err := here.RollbackSegment(operator, "s", 1); return err }, "rule"},
		{"a tenant's own value", func() error { return here.SetTenantOverride(acme, "f", "", "own") }, "own"},
		{"the kill switch", func() error { return here.SetEnabled(operator, "f", false) }, "default"},
		{"switching on", func() error { return here.SetEnabled(operator, "f", true) }, "own"},
		{"taking the own value away", func() error { return here.DeleteTenantOverride(acme, "f", "") }, "rule"},
		{"a rollback", func() error { _, err := here.Rollback(operator, "f", 1); return err }, "default"},
		{"a deletion", func() error { return here.Delete(operator, "f") }, "error"},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(s.what, err)
		}
		within(t, s.what, sees(s.want))
	}
}

func TestAReplicaThatMayHaveMissedSomethingDropsEverything(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		told := &teller{store: st}
		define(t, st, boolFlag("f"))
		e := flag.NewEngine(told)
		if v, err := e.Evaluate(as("t", "u"), "f", ""); err != nil || v != false {
			t.Fatal(v, err)
		}
		var heard []flag.Changed
		e.OnChange(func(c flag.Changed) { heard = append(heard, c) })
		define(t, st, boolFlag("f"), flag.WhenTenant("t").Return(true)) // of which this engine hears nothing
		if v, err := e.Evaluate(as("t", "u"), "f", ""); err != nil || v != false {
			t.Fatal(v, err)
		}
		told.fn(driver.Change{Noun: driver.NounEverything})
		if v, err := e.Evaluate(as("t", "u"), "f", ""); err != nil || v != true || len(heard) != 1 || heard[0] != (flag.Changed{}) {
			t.Errorf("%v %v %v", v, err, heard)
		}
	})
}

// teller is a store that tells only what a test says.
type teller struct {
	store
	fn func(driver.Change)
}

func (s *teller) Watch(fn func(driver.Change)) (stop func()) { s.fn = fn; return func() {} }
