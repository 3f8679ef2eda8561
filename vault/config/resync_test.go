package config_test

import (
	"testing"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// deaf is a store that tells only what a test says.
type deaf struct {
	*sqlite.Store
	driver.Listeners
}

func (d *deaf) Watch(fn func(driver.Change)) (stop func()) { return d.Listeners.Watch(fn) }

// TestChangesThatMayHaveBeenMissed: everything kept is dropped, and watchers look at everything.
func TestChangesThatMayHaveBeenMissed(t *testing.T) {
	st := sqlite.New(dbtest.New(t, sqlite.Schema()))
	set := func(v int, tenant string) {
		must(t, st.SetOverride(as(tenant), &override.Override{Key: "k", Value: v, AppID: "myapp", TenantID: tenant}))
	}
	must(t, st.SetConfig(operator, &config.Entry{Key: "k", Value: 1, AppID: "myapp"}))
	set(5, "gone")
	told := &deaf{Store: st}
	svc := service(t, told, config.WithAppID("myapp"))
	r := override.NewResolver(told, told)
	t.Cleanup(r.Close)
	reads := func(when string, want int) {
		t.Helper()
		got, err := svc.Value(as("t"), "k")
		must(t, err)
		resolved, err := r.Resolve(as("t"), "k", "myapp")
		must(t, err)
		if got.Any() != want || resolved != want {
			t.Errorf("%s: %v and %v, want %d", when, got.Any(), resolved, want)
		}
	}
	reads("at first", 1)
	mine, every := listen(), listen()
	must(t, svc.WatchContext(as("t"), "k", mine.cb))
	svc.Watch("k", every.cb)
	set(2, "t")
	must(t, st.DeleteOverride(as("gone"), "k", "myapp", "gone"))
	reads("unheard", 1)
	told.Tell(driver.Change{Noun: driver.NounEverything})
	reads("when anything may have changed", 2)
	mine.want(t, "myapp/t k: 1 to 2")
	got := map[string]bool{<-every.ch: true, <-every.ch: true}
	if !got["myapp/t k: <nil> to 2"] || !got["myapp/gone k: 5 to <nil>"] {
		t.Errorf("a watch on every tenant heard %v", got)
	}
	every.nothing(t)
}
