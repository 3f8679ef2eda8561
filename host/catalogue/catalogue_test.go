package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
)

var registry = component.NewRegistry(nil, nil)

// source is a file without components whose metadata says which one it is.
func source(n int) string { return fmt.Sprintf("components: {}\nmetadata: {n: %d}\n", n) }

type fixture struct {
	*catalogue.Catalogue
	db       *db.DB
	compiled atomic.Int64
}

func open(t *testing.T, maxPlans int) *fixture {
	t.Helper()
	d := dbtest.New(t, catalogue.Schema())
	f := &fixture{db: d}
	f.Catalogue = catalogue.New(d, func(src, name string) (*pipeline.Plan, error) {
		f.compiled.Add(1)
		return pipeline.Load([]byte(src), name, registry, pipeline.LoadOptions{})
	}, maxPlans)
	return f
}

func nothing(*db.Tx, *catalogue.Deployment) error { return nil }

func (f *fixture) deploy(tenant, name string, n int, overwrite bool) (*catalogue.Entry, error) {
	plan, err := f.Compile(source(n), name)
	if err != nil {
		return nil, err
	}
	return f.Deploy(context.Background(), &catalogue.Deployment{App: "a", Tenant: tenant, Name: name, Source: source(n), CreatedBy: "u"}, plan, overwrite, nothing)
}

func (f *fixture) must(t *testing.T, tenant, name string, n int) *catalogue.Entry {
	t.Helper()
	e, err := f.deploy(tenant, name, n, true)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestVersionsAreNeverReused(t *testing.T) {
	f, ctx := open(t, 0), context.Background()
	if e := f.must(t, "t", "p", 1); e.Version != 1 || e.Digest != catalogue.Digest(source(1)) || e.CreatedAt.IsZero() {
		t.Errorf("got %+v", e.Deployment)
	}
	if _, err := f.deploy("t", "p", 2, false); !fault.Is(err, fault.Conflict) || err.Error() != "Pipeline 'p' already exists" {
		t.Errorf("got %v", err)
	}
	if e := f.must(t, "t", "p", 3); e.Version != 2 {
		t.Errorf("a refused deploy took a number: %d", e.Version)
	}
	if err := f.Undeploy(ctx, "a", "t", "p", func(*db.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := f.Undeploy(ctx, "a", "t", "p", func(*db.Tx) error { return nil }); !fault.Is(err, fault.NotFound) {
		t.Errorf("undeployed twice: %v", err)
	}
	e, err := f.deploy("t", "p", 4, false)
	if err != nil || e.Version != 3 {
		t.Errorf("%v %+v", err, e)
	}
}

// A deploy whose record fails did not happen; nor did an undeploy.
func TestWhatIsNotRecordedDidNotHappen(t *testing.T) {
	f, ctx := open(t, 0), context.Background()
	f.must(t, "t", "p", 1)
	broken := errors.New("the record cannot be written")
	plan, _ := f.Compile(source(2), "p")
	_, err := f.Deploy(ctx, &catalogue.Deployment{App: "a", Tenant: "t", Name: "p", Source: source(2)}, plan, true, func(*db.Tx, *catalogue.Deployment) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := f.Undeploy(ctx, "a", "t", "p", func(*db.Tx) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if e, err := f.Get(ctx, "a", "t", "p"); err != nil || e.Version != 1 || e.Source != source(1) {
		t.Errorf("%v %+v", err, e)
	}
}

func TestTenantsAreApart(t *testing.T) {
	f, ctx := open(t, 0), context.Background()
	f.must(t, "one", "p", 1)
	_, missing := f.Get(ctx, "a", "one", "q")
	_, others := f.Get(ctx, "a", "two", "p")
	_, app := f.Get(ctx, "b", "one", "p")
	for _, err := range []error{missing, others, app} {
		if !fault.Is(err, fault.NotFound) || strings.ReplaceAll(err.Error(), "'q'", "'p'") != "Pipeline 'p' not found" {
			t.Errorf("got %v", err)
		}
	}
	if e := f.must(t, "two", "p", 2); e.Version != 1 {
		t.Errorf("another tenant's versions are counted: %d", e.Version)
	}
	if list, err := f.List(ctx, "a", "two"); err != nil || len(list) != 1 || list[0].Digest != catalogue.Digest(source(2)) || list[0].Tenant != "two" {
		t.Errorf("%v %+v", err, list)
	}
}

func TestListKeepsTheOrderOfFirstDeployment(t *testing.T) {
	f := open(t, 0)
	for i, name := range []string{"c", "a", "b", "a"} {
		f.must(t, "t", name, i)
	}
	list, err := f.List(context.Background(), "a", "t")
	if err != nil || len(list) != 3 || list[0].Name+list[1].Name+list[2].Name != "cab" || list[1].Version != 2 {
		t.Errorf("%v %+v", err, list)
	}
}

// The cache is bounded, and what fell out of it is compiled again.
func TestTheCacheForgetsWhatIsNotUsed(t *testing.T) {
	f, ctx := open(t, 10), context.Background()
	for i := range 40 {
		f.must(t, "t", fmt.Sprintf("p%d", i), i)
		if _, err := f.Get(ctx, "a", "t", "p0"); err != nil { // in use all the time
			t.Fatal(err)
		}
	}
	before := f.compiled.Load()
	for range 3 {
		if e, err := f.Get(ctx, "a", "t", "p0"); err != nil || e.Source != source(0) {
			t.Fatal(err)
		}
	}
	if n := f.compiled.Load() - before; n != 0 {
		t.Errorf("what is used all the time was compiled %d times more", n)
	}
	if e, err := f.Get(ctx, "a", "t", "p1"); err != nil || e.Source != source(1) || f.compiled.Load() != before+1 {
		t.Errorf("%v, compiled %d times", err, f.compiled.Load()-before)
	}
}

// While a pipeline is deployed, undeployed and asked for by many, nobody sees an old version after a newer one was
// acknowledged, and what the cache says at the end is what the database says.
func TestDeployUndeployGetAtOnce(t *testing.T) {
	f, ctx := open(t, 4), context.Background()
	names := []string{"p", "q", "r", "s", "x", "y"}
	var acknowledged [6]atomic.Int64
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			for n := range 25 {
				e, err := f.deploy("t", name, n, true)
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged[i].Store(e.Version)
				if n%7 == 5 {
					if err := f.Undeploy(ctx, "a", "t", name, func(*db.Tx) error { return nil }); err != nil {
						t.Error(err)
					}
				}
			}
		})
		for range 2 {
			wg.Go(func() {
				for range 200 {
					least := acknowledged[i].Load()
					e, err := f.Get(ctx, "a", "t", name)
					if err != nil && !fault.Is(err, fault.NotFound) {
						t.Error(err)
					}
					if err == nil && (e.Version < least || catalogue.Digest(e.Source) != e.Digest) {
						t.Errorf("%s: version %d after %d", name, e.Version, least)
					}
				}
			})
		}
	}
	wg.Wait()
	fresh := catalogue.New(f.db, f.Compile, 0)
	for _, name := range names {
		cached, err := f.Get(ctx, "a", "t", name)
		stored, err2 := fresh.Get(ctx, "a", "t", name)
		if err != nil || err2 != nil || cached.Version != 25 || stored.Version != 25 || cached.Source != stored.Source {
			t.Errorf("%s: %v %v", name, err, err2)
		}
	}
}
