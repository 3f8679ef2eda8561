package rotation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func tokenPolicy() *rotation.Policy {
	return &rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, Rotator: rotation.KindToken}
}

func TestPoliciesThroughTheService(t *testing.T) {
	onLocalStores(t, func(t *testing.T, st store) {
		svc, ctx := rotation.NewService(rotation.NewManager(st, secretsIn(t, st))), as("app", "t")
		p := tokenPolicy()
		p.Params, p.Windows, p.TimeZone = json.RawMessage(`{"bytes":24}`), []rotation.Window{{Days: []string{"sat"}, From: "22:00", To: "04:00"}}, "Europe/Berlin"
		p.Grace, p.Lifetime = rotation.NoGrace, 2*time.Hour
		saved, err := svc.SetPolicy(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := svc.GetPolicy(ctx, "K", "app")
		if err != nil || fmt.Sprint(got) != fmt.Sprint(saved) || got.AppID != "app" || got.TenantID != "t" || got.CreatedBy != "ann" || got.Grace != rotation.NoGrace ||
			got.Lifetime != 2*time.Hour || string(got.Params) != `{"bytes":24}` || len(got.Windows) != 1 || got.TimeZone != "Europe/Berlin" || got.ID == "" {
			t.Fatalf("%+v\n%+v\n%v", got, saved, err)
		}
		if wait := got.NextRotationAt.Sub(got.CreatedAt); wait != time.Hour || got.LastRotatedAt != nil {
			t.Errorf("a new policy is due after %v", wait)
		}
		got.Enabled = false
		again, err := svc.SetPolicy(ctx, got)
		if err != nil || again.ID != got.ID || !again.NextRotationAt.Equal(*got.NextRotationAt) || !again.CreatedAt.Equal(got.CreatedAt) {
			t.Errorf("%+v, %v", again, err)
		}
		for _, key := range []string{"C", "A", "B"} {
			other := tokenPolicy()
			other.SecretKey = key
			if _, err := svc.SetPolicy(ctx, other); err != nil {
				t.Fatal(err)
			}
		}
		page, err := svc.ListPolicies(ctx, "", rotation.PolicyOpts{After: "A", Limit: 2})
		if err != nil || len(page) != 2 || page[0].SecretKey != "B" || page[1].SecretKey != "C" {
			t.Errorf("%v, %v", page, err)
		}
		if err := svc.DeletePolicy(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.GetPolicy(ctx, "K", ""); !errors.Is(err, vault.ErrRotationNotFound) || !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// Another tenant's rotation is not found, in the same words as one that does not exist; without a tenant nothing works.
func TestEveryCallHasItsNotFoundTwin(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets := secretsIn(t, st)
		m := rotation.NewManager(st, secrets)
		svc, ctx := rotation.NewService(m), as("app", "t")
		setSecret(t, secrets, ctx, "K", "first")
		if _, err := svc.SetPolicy(ctx, tokenPolicy()); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.RotateNow(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		calls := map[string]func(ctx context.Context) error{
			"get":     func(ctx context.Context) error { _, err := svc.GetPolicy(ctx, "K", ""); return err },
			"delete":  func(ctx context.Context) error { return svc.DeletePolicy(ctx, "K", "") },
			"status":  func(ctx context.Context) error { _, err := svc.Status(ctx, "K", ""); return err },
			"abandon": func(ctx context.Context) error { return svc.Abandon(ctx, "K", "") },
			"table":   func(ctx context.Context) error { _, err := st.GetRotationPolicy(ctx, "K", ""); return err },
			"drop":    func(ctx context.Context) error { return st.DeleteRotationPolicy(ctx, "K", "") },
		}
		for name, call := range calls {
			theirs, nobodys := call(as("app", "u")), call(as("other", "nobody"))
			if !errors.Is(theirs, vault.ErrRotationNotFound) || theirs.Error() != nobodys.Error() {
				t.Errorf("%s: %v and %v", name, theirs, nobodys)
			}
		}
		calls["set"] = func(ctx context.Context) error { _, err := svc.SetPolicy(ctx, tokenPolicy()); return err }
		calls["list"] = func(ctx context.Context) error {
			_, err := svc.ListPolicies(ctx, "", rotation.PolicyOpts{})
			return err
		}
		calls["history"] = func(ctx context.Context) error { _, err := svc.History(ctx, "K", "", rotation.ListOpts{}); return err }
		calls["rotate"] = func(ctx context.Context) error { return m.RotateNow(ctx, "K", "") }
		calls["save"] = func(ctx context.Context) error { return st.SaveRotationPolicy(ctx, tokenPolicy()) }
		calls["record"] = func(ctx context.Context) error { return st.RecordRotation(ctx, &rotation.Record{SecretKey: "K"}) }
		for name, call := range calls {
			if err := call(scope.WithAppID(context.Background(), "app")); !errors.Is(err, scope.ErrNoTenant) {
				t.Errorf("%s without a tenant: %v", name, err)
			}
			if err := call(context.Background()); !errors.Is(err, scope.ErrNoApp) {
				t.Errorf("%s without an app: %v", name, err)
			}
		}
		list, err := svc.ListPolicies(as("app", "u"), "", rotation.PolicyOpts{})
		history, err2 := svc.History(as("app", "u"), "K", "", rotation.ListOpts{})
		if len(list)+len(history) > 0 || errors.Join(err, err2) != nil {
			t.Errorf("%v %v %v", list, history, errors.Join(err, err2))
		}
		if own, err := svc.GetPolicy(ctx, "K", ""); err != nil || own.SecretKey != "K" {
			t.Errorf("what is the tenant's own: %v", err)
		}
	})
}

func TestListingEveryTenantNeedsNoTenant(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		for _, o := range [][2]string{{"app", "t"}, {"app", "u"}, {"other", "t"}} {
			save(t, st, as(o[0], o[1]), rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true})
		}
		all, err := st.ListRotationPolicies(scope.WithAppID(context.Background(), "app"), "app")
		own, err2 := st.ListRotationPolicies(as("app", "u"), "app")
		if len(all) != 2 || len(own) != 1 || own[0].TenantID != "u" || errors.Join(err, err2) != nil {
			t.Errorf("%v %v %v", all, own, errors.Join(err, err2))
		}
		p := rotation.Policy{SecretKey: "L", Interval: time.Hour, TenantID: "w"}
		if err := st.SaveRotationPolicy(scope.WithAppID(context.Background(), "app"), &p); err != nil || p.TenantID != "w" {
			t.Errorf("a policy that names its tenant: %v", err)
		}
		if err := st.SaveRotationPolicy(as("app", "t"), &p); !fault.Is(err, fault.Invalid) {
			t.Errorf("a policy of another tenant than the scope's: %v", err)
		}
	})
}

func TestPoliciesThatAreRefused(t *testing.T) {
	st := stores["memory"](t)
	svc := rotation.NewService(rotation.NewManager(st, secretsIn(t, st)))
	for name, change := range map[string]func(*rotation.Policy){
		"key":       func(p *rotation.Policy) { p.SecretKey = "a b" },
		"interval":  func(p *rotation.Policy) { p.Interval = 0 },
		"interval ": func(p *rotation.Policy) { p.Interval = -time.Hour },
		"interval  ": func(p *rotation.Policy) {
			p.Interval = 59 * time.Second // below the manager's least
		},
		"interval   ": func(p *rotation.Policy) { p.Interval = 20 * 366 * 24 * time.Hour },
		"grace":       func(p *rotation.Policy) { p.Grace = 2 * time.Hour },
		"grace ":      func(p *rotation.Policy) { p.Grace = -2 },
		"lifetime":    func(p *rotation.Policy) { p.Lifetime = time.Minute },
		"lifetime ":   func(p *rotation.Policy) { p.Lifetime = -time.Minute },
		"rotator":     func(p *rotation.Policy) { p.Rotator = "Random Token" },
		"rotator ":    func(p *rotation.Policy) { p.Rotator = "no-such" },
		"rotator  ":   func(p *rotation.Policy) { p.Rotator = "" }, // and none is registered for the key
		"params":      func(p *rotation.Policy) { p.Params = json.RawMessage(`[]`) },
		"params ":     func(p *rotation.Policy) { p.Params = json.RawMessage(`{"byts":1}`) },
		"params  ":    func(p *rotation.Policy) { p.Params = json.RawMessage(`{"bytes":32}{}`) },
		"params   ": func(p *rotation.Policy) {
			p.Params = json.RawMessage(`{"prefix":"` + strings.Repeat("x", 17<<10) + `"}`)
		},
		"bytes":   func(p *rotation.Policy) { p.Params = json.RawMessage(`{"bytes":1}`) },
		"windows": func(p *rotation.Policy) { p.Windows = []rotation.Window{{From: "25:00", To: "01:00"}} },
		"windows ": func(p *rotation.Policy) {
			p.Windows = []rotation.Window{{Days: []string{"Mon"}, From: "00:00", To: "01:00"}}
		},
		"windows  ":  func(p *rotation.Policy) { p.Windows = make([]rotation.Window, 33) },
		"time_zone":  func(p *rotation.Policy) { p.TimeZone = "Berlin" },
		"time_zone ": func(p *rotation.Policy) { p.TimeZone = "Local" },
	} {
		p := tokenPolicy()
		change(p)
		_, err := svc.SetPolicy(as("app", "t"), p)
		f := fault.From(err)
		if err == nil || f.Kind == fault.Internal || f.Where.Field != strings.TrimSpace(name) && f.Code != "RotatorMissing" {
			t.Errorf("%s: %v at %q", name, err, f.Where.Field)
		}
	}
}

func TestParametersOfAFunctionAreRefused(t *testing.T) {
	st := stores["memory"](t)
	m := rotation.NewManager(st, secretsIn(t, st), rotation.WithMinInterval(time.Second))
	m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("x"), nil })
	p := tokenPolicy()
	p.Rotator, p.Interval = "", time.Second
	if _, err := rotation.NewService(m).SetPolicy(as("app", "t"), p); err != nil {
		t.Error(err)
	}
	p.Params = json.RawMessage(`{"x":1}`)
	if _, err := rotation.NewService(m).SetPolicy(as("app", "t"), p); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	m.RegisterRotator("K", nil)
	if err := m.RotateNow(as("app", "t"), "K", ""); code(err) != "RotatorMissing" {
		t.Error(err)
	}
}

// A run writes its beginning and its end into the tenant's chain, with versions; no value is in any entry or record.
func TestRunsAreRecordedWithoutValues(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets, ctx, w := secretsIn(t, st), as("app", "t"), newWorld("canary-first")
		setSecret(t, secrets, ctx, "K", "canary-first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Grace: rotation.NoGrace, Enabled: true, NextRotationAt: long()})
		m := rotation.NewManager(st, secrets, rotation.WithCheckInterval(3*time.Millisecond), rotation.WithBackoff(time.Millisecond, time.Millisecond))
		m.RegisterStaged("K", failsQuoting{w})
		w.fails["set"] = 1
		start(t, m)
		until(t, "the run to end", func() bool { return !w.takes("canary-first") && idle(t, st, ctx) })
		page, err := audit.NewService(st, audit.NewGate(audit.NewLogger(st), nil)).List(ctx, audit.Query{Action: "rotation.*", OldestFirst: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Entries {
			if e.Action == "rotation.status" {
				continue
			}
			got = append(got, fmt.Sprint(e.Action, " ", e.Outcome))
			if e.UserID != rotation.Actor || e.TenantID != "t" || e.Key != "K" || e.Resource != "rotation" {
				t.Errorf("%+v", e)
			}
		}
		want := []string{"rotation.run begin", "rotation.run error", "rotation.run begin", "rotation.run ok", "rotation.retire begin", "rotation.retire ok"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		text, _ := json.Marshal(page)
		if !strings.Contains(string(text), `["old_version","1"],["new_version","2"]`) {
			t.Errorf("the record has no versions: %s", text)
		}
		records, err := st.ListRotationRecords(ctx, "K", "", rotation.ListOpts{})
		more, _ := json.Marshal(records)
		if all := string(text) + string(more); err != nil || strings.Contains(all, "canary") || strings.Contains(all, "made 1") {
			t.Errorf("a value is written down: %s, %v", all, err)
		}
		if r, err := audit.Verify(ctx, st, nil, nil); err != nil || !r.OK() {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// failsQuoting is a world whose errors quote values, which they must not.
type failsQuoting struct{ *world }

func (f failsQuoting) Set(ctx context.Context, s rotation.Step) error {
	if err := f.world.Set(ctx, s); err != nil {
		return errors.New("cannot replace canary-first: " + err.Error())
	}
	return nil
}

// Whoever may not is told so, and nothing happens.
func TestTheGateDecides(t *testing.T) {
	st := stores["memory"](t)
	secrets, ctx := secretsIn(t, st), as("app", "t")
	setSecret(t, secrets, ctx, "K", "first")
	denied := fault.New(fault.Denied, "not you")
	var asked []string
	gate := audit.NewGate(audit.NewLogger(st), func(_ context.Context, r audit.Request) error {
		asked = append(asked, r.Action)
		return denied
	})
	m := rotation.NewManager(st, secrets, rotation.WithGate(gate))
	svc := rotation.NewService(m)
	_, err := svc.SetPolicy(ctx, tokenPolicy())
	_, err2 := svc.GetPolicy(ctx, "K", "")
	_, err3 := svc.ListPolicies(ctx, "", rotation.PolicyOpts{})
	_, err4 := svc.RotateNow(ctx, "K", "")
	_, err5 := svc.History(ctx, "K", "", rotation.ListOpts{})
	_, err6 := svc.Status(ctx, "K", "")
	for i, err := range []error{err, err2, err3, err4, err5, err6, svc.DeletePolicy(ctx, "K", ""), svc.Abandon(ctx, "K", ""), m.RotateNow(ctx, "K", "")} {
		if !errors.Is(err, denied) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	want := []string{"rotation.set_policy", "rotation.get_policy", "rotation.list_policies", "rotation.rotate_now", "rotation.history", "rotation.status",
		"rotation.delete_policy", "rotation.abandon", "rotation.rotate_now"}
	if _, version := served(t, secrets, ctx, "K"); !slices.Equal(asked, want) || version != 1 {
		t.Errorf("asked for %q, version %d", asked, version)
	}
	// What runs by itself asks nobody: setting the policy was asked for.
	save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, Rotator: rotation.KindToken, NextRotationAt: long()})
	start(t, m)
	until(t, "a rotation", func() bool { return len(history(t, st, ctx, "K")) == 1 })
}

// If the record cannot be written, nothing is done.
func TestUnrecordedMeansNotDone(t *testing.T) {
	inner := stores["memory"](t)
	secrets, ctx := secretsIn(t, inner), as("app", "t")
	setSecret(t, secrets, ctx, "K", "first")
	save(t, inner, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
	mute := &breaking{store: inner}
	mute.fail.Store(1 << 30)
	m := rotation.NewManager(inner, secrets, rotation.WithAudit(audit.NewLogger(mute)), rotation.WithCheckInterval(2*time.Millisecond))
	calls := 0
	m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { calls++; return []byte("second"), nil })
	start(t, m)
	time.Sleep(30 * time.Millisecond)
	if err := m.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if calls != 0 {
		t.Errorf("%d calls", calls)
	}
	mute.fail.Store(0)
	if err := m.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	until(t, "a rotation", func() bool { return len(history(t, inner, ctx, "K")) == 1 })
}

func TestRecordsOfOthers(t *testing.T) {
	onLocalStores(t, func(t *testing.T, st store) {
		ctx := as("app", "t")
		at := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
		for i := range 5 {
			r := rotation.Record{SecretKey: "K", AppID: "app", OldVersion: int64(i), NewVersion: int64(i + 1), RotatedBy: "cron", RotatedAt: at}
			if err := st.RecordRotation(ctx, &r); err != nil || r.ID == "" || r.Seq != int64(i+1) || r.Outcome != rotation.Rotated || r.TenantID != "t" {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		for _, tc := range []struct {
			opts rotation.ListOpts
			want string
		}{{rotation.ListOpts{}, "[5 4 3 2 1]"}, {rotation.ListOpts{Limit: 2, Offset: 1}, "[4 3]"}, {rotation.ListOpts{Below: 3}, "[2 1]"}, {rotation.ListOpts{Offset: 9}, "[]"}} {
			list, err := st.ListRotationRecords(ctx, "K", "app", tc.opts)
			seqs := []int64{}
			for _, r := range list {
				seqs = append(seqs, r.Seq)
				if r.RotatedBy != "cron" || !r.RotatedAt.Equal(at) {
					t.Errorf("%+v", r)
				}
			}
			if err != nil || fmt.Sprint(seqs) != tc.want {
				t.Errorf("%+v: %v, %v", tc.opts, seqs, err)
			}
		}
		for _, bad := range []rotation.ListOpts{{Limit: -1}, {Limit: 1001}, {Offset: -1}} {
			if _, err := st.ListRotationRecords(ctx, "K", "app", bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	st, ctx := stores["memory"](t), as("app", "t")
	for range 1005 {
		if err := st.RecordRotation(ctx, &rotation.Record{SecretKey: "K"}); err != nil {
			t.Fatal(err)
		}
	}
	err := st.View(ctx, func(tx driver.Tx) error {
		rows, err := tx.ListRotationRecords(ctx, "app", "t", "K", 0, 2000)
		if len(rows) != 1000 || rows[0].Seq != 1005 {
			t.Errorf("%d records, the last is %d", len(rows), rows[0].Seq)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStoreOfSomebodyElses(t *testing.T) {
	st := stores["memory"](t)
	m := rotation.NewManager(struct{ rotation.Store }{}, secretsIn(t, st))
	if err := m.Start(context.Background()); !fault.Is(err, fault.Unsupported) {
		t.Error(err)
	}
	if err := m.RotateNow(as("app", "t"), "K", ""); !fault.Is(err, fault.Unsupported) {
		t.Error(err)
	}
	if err := rotation.NewManager(st, (*secret.Service)(nil)).Start(context.Background()); err == nil {
		t.Error("it starts without secrets")
	}
}
