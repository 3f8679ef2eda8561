package config_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// heard collects what a watcher is told.
type heard struct {
	ch chan string
}

func listen() *heard { return &heard{make(chan string, 1000)} }

func (h *heard) cb(ctx context.Context, key string, before, now any) {
	app, tenant, _, _ := scope.FromContext(ctx)
	h.ch <- fmt.Sprintf("%s/%s %s: %v to %v", app, tenant, key, before, now)
}

func (h *heard) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-h.ch:
		if got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("heard nothing, want %q", want)
	}
}

// nothing says that nothing was told up to now: a later change of the same watch arrives first.
func (h *heard) nothing(t *testing.T) {
	t.Helper()
	select {
	case got := <-h.ch:
		t.Errorf("heard %q", got)
	default:
	}
}

func TestAWatchHearsSetsOverridesAndDeletes(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st, config.WithAppID("myapp"))
		must(t, svc.Set(operator, "k", 1, ""))
		mine, every := listen(), listen()
		must(t, svc.WatchContext(as("t"), "k", mine.cb))
		svc.Watch("k", every.cb)
		must(t, svc.Set(operator, "k", 2, ""))
		mine.want(t, "myapp/t k: 1 to 2")
		every.want(t, "myapp/ k: 1 to 2")
		must(t, svc.Set(as("t"), "k", 3, ""))
		mine.want(t, "myapp/t k: 2 to 3")
		every.want(t, "myapp/t k: <nil> to 3")
		must(t, svc.Set(operator, "k", 4, "")) // hidden by the tenant's own
		every.want(t, "myapp/ k: 2 to 4")
		must(t, st.SetOverride(as("other"), &override.Override{Key: "k", Value: 9, AppID: "myapp", TenantID: "other"}))
		every.want(t, "myapp/other k: <nil> to 9")
		must(t, st.DeleteOverride(as("t"), "k", "myapp", "t"))
		mine.want(t, "myapp/t k: 3 to 4")
		every.want(t, "myapp/t k: 3 to <nil>")
		must(t, svc.Delete(operator, "k", ""))
		mine.want(t, "myapp/t k: 4 to <nil>")
		every.want(t, "myapp/ k: 4 to <nil>")
		must(t, svc.Set(operator, "k", 5, ""))
		mine.want(t, "myapp/t k: <nil> to 5")
	})
}

func TestDefectN_AWatchHearsItsOwnAppAlone(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := service(t, st)
		must(t, svc.Set(operator, "k", 1, ""))
		mine := listen()
		must(t, svc.WatchContext(as("t"), "k", mine.cb))
		app2 := scope.WithScope(t.Context(), "app2", "", "", "")
		must(t, svc.Set(app2, "k", 2, ""))
		must(t, svc.Set(scope.WithTenantID(app2, "t"), "k", 3, ""))
		must(t, svc.Set(as("u"), "k", 4, ""))
		must(t, svc.Set(operator, "kk", 5, ""))
		must(t, svc.Set(operator, "k", 1, "")) // the same value is no change
		must(t, svc.Set(operator, "k", 6, ""))
		mine.want(t, "myapp/t k: 1 to 6")
		mine.nothing(t)
	})
}

func TestDefectJ2_AWatchDiesWithItsContext(t *testing.T) {
	defer goleak.VerifyNone(t)
	st := memory.New()
	svc := config.NewService(st, config.WithAppID("myapp"))
	var dead []*heard
	for range 1000 {
		ctx, cancel := context.WithCancel(as("t"))
		h := listen()
		must(t, svc.WatchContext(ctx, "k", h.cb))
		dead = append(dead, h)
		cancel()
	}
	stopped := listen()
	svc.Watch("k", stopped.cb)()
	alive := listen()
	must(t, svc.WatchContext(as("t"), "k", alive.cb))
	must(t, svc.Set(operator, "k", 1, ""))
	alive.want(t, "myapp/t k: <nil> to 1")
	for _, h := range append(dead, stopped) {
		h.nothing(t)
	}
	for range 5000 { // watchers that are over make room for others
		ctx, cancel := context.WithCancel(as("t"))
		cancel()
		if err := svc.WatchContext(ctx, "k", alive.cb); err != nil && !fault.Is(err, fault.Canceled) {
			t.Fatal(err)
		}
	}
	svc.Close()
	if err := svc.WatchContext(as("t"), "k", alive.cb); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	must(t, st.SetConfig(operator, &config.Entry{Key: "k", Value: 2, AppID: "myapp"}))
	if got := svc.Int(as("t"), "k", 0); got != 2 {
		t.Errorf("a closed service reads %d", got)
	}
}

func TestDefectJ2_CloseAndSetAndPanicInsideACallback(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := config.NewService(st, config.WithLogger(slog.New(slog.DiscardHandler)))
		other := listen()
		must(t, svc.WatchContext(as("t"), "k", func(context.Context, string, any, any) { panic("boom") }))
		must(t, svc.WatchContext(as("t"), "k", other.cb))
		must(t, svc.Set(as("t"), "k", 1, ""))
		other.want(t, "myapp/t k: <nil> to 1")
		var once sync.Once
		closed := make(chan error, 1)
		must(t, svc.WatchContext(as("t"), "k", func(context.Context, string, any, any) {
			once.Do(func() {
				err := svc.Set(as("t"), "k", 3, "") // a callback may write,
				svc.Close()                         // and close the service it hangs on
				closed <- err
			})
		}))
		must(t, svc.Set(as("t"), "k", 2, ""))
		select {
		case err := <-closed:
			must(t, err)
		case <-time.After(10 * time.Second):
			t.Fatal("it hangs")
		}
		svc.Close()
	})
}

func TestAWatchersValuesAreItsOwn(t *testing.T) {
	st := memory.New()
	svc := service(t, st)
	must(t, svc.Set(operator, "k", map[string]any{"n": int64(1)}, ""))
	h := listen()
	must(t, svc.WatchContext(as("t"), "k", func(ctx context.Context, key string, before, now any) {
		before.(map[string]any)["n"] = "mine"
		now.(map[string]any)["n"] = fmt.Sprint(now)
		h.cb(ctx, key, before, now)
	}))
	must(t, svc.Set(operator, "k", map[string]any{"n": int64(2)}, ""))
	h.want(t, "myapp/t k: map[n:mine] to map[n:map[n:2]]")
	must(t, svc.Set(operator, "k", map[string]any{"n": int64(3)}, ""))
	h.want(t, "myapp/t k: map[n:mine] to map[n:map[n:3]]")
	if v, err := svc.Value(as("t"), "k"); err != nil || fmt.Sprint(v.Any()) != "map[n:3]" {
		t.Errorf("%v %v", v.Any(), err)
	}
}

func TestWhatCannotBeWatched(t *testing.T) {
	svc := service(t, memory.New())
	for name, err := range map[string]error{
		"no app":      svc.WatchContext(context.Background(), "k", func(context.Context, string, any, any) {}),
		"a key":       svc.WatchContext(as("t"), "a b", func(context.Context, string, any, any) {}),
		"no callback": svc.WatchContext(as("t"), "k", nil),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := config.NewService(struct{ config.Store }{memory.New()})
	if err := plain.WatchContext(as("t"), "k", func(context.Context, string, any, any) {}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(plain.Set(as("t"), "k", 1, "")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("%v", err)
	}
}
