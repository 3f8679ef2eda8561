package openfeature_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/flag/openfeature"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func as(tenant, user string) context.Context {
	return scope.WithScope(context.Background(), "myapp", tenant, user, "10.0.0.1")
}

var operator = scope.WithScope(context.Background(), "myapp", "", "root", "")

// house is a store with flags, and the real OpenFeature client over it.
type house struct {
	t      *testing.T
	st     *memory.Store
	flags  *flag.Service
	client *of.Client
	api    *of.EvaluationAPI
}

func open(t *testing.T, opts ...openfeature.Option) *house {
	t.Helper()
	h := &house{t: t, st: memory.New(), api: isolated.NewAPI()}
	engine := flag.NewEngine(h.st, flag.WithEvaluator("fails", func(context.Context, flag.Target, map[string]any) (bool, error) {
		return false, errors.New("SQLSTATE 42P01")
	}))
	h.flags = flag.NewService(engine, flag.WithAppID("myapp"), flag.WithLogger(slog.New(slog.DiscardHandler)))
	if err := h.api.SetProviderAndWait(t.Context(), openfeature.New(h.flags, opts...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.api.Shutdown(context.Background()) })
	h.client = h.api.NewClient()
	return h
}

func (h *house) define(d flag.Definition, rules ...*flag.Rule) {
	h.t.Helper()
	d.Enabled = true
	if err := errors.Join(h.flags.Define(operator, &d), h.flags.SetRules(operator, d.Key, rules)); err != nil {
		h.t.Fatal(err)
	}
}

func none() of.EvaluationContext { return of.EvaluationContext{} }

func TestEveryTypeAndReason(t *testing.T) {
	h := open(t)
	h.define(flag.Definition{Key: "bool", Type: flag.TypeBool, DefaultValue: true})
	h.define(flag.Definition{Key: "string", Type: flag.TypeString, DefaultValue: "a", Variants: []flag.Variant{{Name: "first", Value: "a"}, {Name: "second", Value: "b"}}},
		flag.WhenTenant("acme").ReturnNamed("second"))
	h.define(flag.Definition{Key: "int", Type: flag.TypeInt, DefaultValue: 1}, flag.Rollout(100).Return(int64(1<<53+1)))
	h.define(flag.Definition{Key: "float", Type: flag.TypeFloat, DefaultValue: 0.5}, flag.WhenTenant("globex").Return(2.5))
	h.define(flag.Definition{Key: "object", Type: flag.TypeJSON, DefaultValue: map[string]any{"n": 1, "l": []any{"x"}}})
	h.define(flag.Definition{Key: "off", Type: flag.TypeBool, DefaultValue: false}, flag.WhenTenant("acme").Return(true))
	if err := errors.Join(h.flags.SetEnabled(operator, "off", false), h.flags.SetTenantOverride(as("own", "u"), "float", "", 9)); err != nil {
		t.Fatal(err)
	}
	acme, c := as("acme", "ann"), h.client
	b, err1 := c.BooleanValueDetails(acme, "bool", false, none())
	s, err2 := c.StringValueDetails(acme, "string", "", none())
	i, err3 := c.IntValueDetails(acme, "int", 0, none())
	f, err4 := c.FloatValueDetails(acme, "float", 0, none())
	o, err5 := c.ObjectValueDetails(acme, "object", nil, none())
	off, err6 := c.BooleanValueDetails(acme, "off", true, none())
	own, err7 := c.FloatValueDetails(as("own", "u"), "float", 0, none())
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		got     of.ResolutionDetail
		value   any
		want    any
		reason  of.Reason
		variant string
	}{
		{b.ResolutionDetail, b.Value, true, of.StaticReason, ""},
		{s.ResolutionDetail, s.Value, "b", of.TargetingMatchReason, "second"},
		{i.ResolutionDetail, i.Value, int64(1<<53 + 1), of.SplitReason, ""},
		{f.ResolutionDetail, f.Value, 0.5, of.DefaultReason, ""},
		{o.ResolutionDetail, o.Value, map[string]any{"n": int64(1), "l": []any{"x"}}, of.StaticReason, ""},
		{off.ResolutionDetail, off.Value, false, of.DisabledReason, ""},
		{own.ResolutionDetail, own.Value, 9.0, of.TargetingMatchReason, ""},
	} {
		if !reflect.DeepEqual(tc.value, tc.want) || tc.got.Reason != tc.reason || tc.got.Variant != tc.variant || tc.got.ErrorCode != "" {
			t.Errorf("%#v %+v; want %v %s %q", tc.value, tc.got, tc.want, tc.reason, tc.variant)
		}
	}
	o.Value.(map[string]any)["n"] = "mine"
	if again, err := c.ObjectValue(acme, "object", nil, none()); err != nil || again.(map[string]any)["n"] != int64(1) {
		t.Errorf("an object is shared: %v %v", again, err)
	}
}

func TestFlagMetadata(t *testing.T) {
	h := open(t)
	h.define(flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: true, Metadata: map[string]string{"owner": "search", "version": "mine"}},
		flag.WhenTenant("acme").Return(false))
	d, err := h.client.BooleanValueDetails(as("acme", "ann"), "f", true, none())
	rule, _ := d.FlagMetadata.GetString("ruleId")
	if err != nil || d.FlagMetadata["owner"] != "search" || d.FlagMetadata["version"] != "2" || d.FlagMetadata["flagSetId"] != "myapp" ||
		d.FlagMetadata["layer"] != "rule" || len(rule) < 10 {
		t.Errorf("%+v %v", d.FlagMetadata, err)
	}
	d, err = h.client.BooleanValueDetails(as("acme", "ann"), "never", true, none())
	if err == nil || len(d.FlagMetadata) != 0 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestErrorsGiveTheDefaultAndACode(t *testing.T) {
	h := open(t)
	h.define(flag.Definition{Key: "bool", Type: flag.TypeBool, DefaultValue: true})
	h.define(flag.Definition{Key: "big", Type: flag.TypeInt, DefaultValue: uint64(1 << 63)})
	h.define(flag.Definition{Key: "fails", Type: flag.TypeBool, DefaultValue: true}, flag.Custom("fails", nil).Return(true))
	h.define(flag.Definition{Key: "broken", Type: flag.TypeBool, DefaultValue: true})
	err := h.st.Update(t.Context(), func(tx driver.Tx) error {
		row, err := tx.Flag(t.Context(), "myapp", driver.Shared, "broken")
		row.Rules = `[{"from":"the future"}]`
		return errors.Join(err, tx.PutFlag(t.Context(), row))
	})
	if err != nil {
		t.Fatal(err)
	}
	acme := as("acme", "ann")
	for name, tc := range map[string]struct {
		ctx  context.Context
		key  string
		flat map[string]any
		want of.ErrorCode
	}{
		"no such flag":                     {acme, "never", nil, of.FlagNotFoundCode},
		"another type":                     {acme, "bool", nil, of.TypeMismatchCode},
		"an integer too large":             {acme, "big", nil, of.TypeMismatchCode},
		"no scope, and another app's flag": {context.Background(), "never", nil, of.FlagNotFoundCode},
		"another app in scope":             {scope.WithAppID(acme, "other"), "bool", nil, of.InvalidContextCode},
		"two scopes":                       {context.WithValue(acme, scope.KeyTenantID, "globex"), "bool", nil, of.InvalidContextCode},
		"a targeting key that is no text":  {acme, "bool", map[string]any{of.TargetingKey: 7}, of.InvalidContextCode},
		"an evaluator that fails":          {acme, "fails", nil, of.GeneralCode},
		"what somebody else wrote":         {acme, "broken", nil, of.ParseErrorCode},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := h.client.IntValueDetails(tc.ctx, tc.key, 42, of.NewTargetlessEvaluationContext(tc.flat))
			if err == nil || d.Value != 42 || d.Reason != of.ErrorReason || d.ErrorCode != tc.want {
				t.Errorf("%+v %v, want %s", d, err, tc.want)
			}
		})
	}
	if d, err := h.client.ObjectValueDetails(acme, "bool", "mine", none()); err == nil || d.Value != "mine" || d.ErrorCode != of.TypeMismatchCode {
		t.Errorf("a bool as an object: %+v %v", d, err)
	}
}

func TestTheTenantIsThatOfTheScopeWhateverTheAttributesSay(t *testing.T) {
	h := open(t)
	h.define(flag.Definition{Key: "f", Type: flag.TypeString, DefaultValue: "nobody's"}, flag.WhenTenant("globex").Return("globex's"),
		flag.When(flag.If("tenant_id", flag.OpEquals, "globex")).Return("globex's by attribute"))
	h.define(flag.Definition{Key: "own", Type: flag.TypeString, DefaultValue: "nobody's"})
	if err := h.flags.SetTenantOverride(as("globex", "u"), "own", "", "globex's own"); err != nil {
		t.Fatal(err)
	}
	forged := map[string]any{}
	for _, name := range []string{"tenant_id", "tenantId", "tenant", "vault.tenant_id", "app_id", "app", "user_id"} {
		forged[name] = "globex"
	}
	for _, key := range []string{"f", "own"} {
		for _, evalCtx := range []of.EvaluationContext{of.NewTargetlessEvaluationContext(forged), of.NewEvaluationContext("globex", forged)} {
			if got := h.client.String(as("acme", "ann"), key, "", evalCtx); got != "nobody's" {
				t.Errorf("%s is %s", key, got)
			}
		}
		if got := h.client.String(as("globex", "ann"), key, "", none()); got == "nobody's" {
			t.Errorf("globex has %s", got)
		}
	}
}

func TestTheTargetingKeyIsTheUser(t *testing.T) {
	h := open(t)
	h.define(flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false}, flag.WhenUser("bob").Return(true))
	h.define(flag.Definition{Key: "sticky", Type: flag.TypeBool, DefaultValue: false}, flag.SaltedRollout(50, "s").Stick(flag.ByUser).Return(true))
	acme := as("acme", "ann")
	for key, want := range map[string]bool{"": false, "ann": false, "bob": true} {
		if got := h.client.Boolean(acme, "f", !want, of.NewEvaluationContext(key, nil)); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
	if !h.client.Boolean(as("acme", "bob"), "f", false, none()) {
		t.Error("without a targeting key it is the user in scope")
	}
	in := 0
	for i := range 1000 {
		user := fmt.Sprint("user-", i)
		got := h.client.Boolean(acme, "sticky", false, of.NewEvaluationContext(user, nil))
		if want := h.flags.Bool(as("other", user), "sticky", false); got != want {
			t.Fatalf("%s: %v", user, got)
		}
		if got {
			in++
		}
	}
	if in < 400 || in > 600 {
		t.Errorf("%d of 1000", in)
	}
}

func TestAttributes(t *testing.T) {
	h := open(t)
	since := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		c     flag.Condition
		value any
		want  bool
	}{
		{flag.If("a", flag.OpEquals, "x"), "x", true},
		{flag.If("a", flag.OpGreater, 17), 18, true},
		{flag.If("a", flag.OpGreater, 17), float32(18), true},
		{flag.If("a", flag.OpEquals, "x"), []string{"w", "x"}, true},
		{flag.If("a", flag.OpStartsWith, "2026-05"), since, true},
		{flag.If("a", flag.OpStartsWith, "2026-05"), &since, true},
		{flag.If("a", flag.OpSemverGte, "1.2.0"), "1.10.0", true},
		{flag.If("a", flag.OpEquals, "x"), nil, false},
		{flag.If("a", flag.OpEquals, "x"), struct{ X int }{1}, false},
		{flag.If("a", flag.OpEquals, "x"), make(chan int), false},
		{flag.If("a", flag.OpLess, 1), func() {}, false},
		{flag.If("a", flag.OpContains, "x"), errors.New("x"), false},
		{flag.If("a", flag.OpMatches, "x"), (*time.Time)(nil), false},
		{flag.If("a", flag.OpMatches, "x"), map[string]any{"x": make(chan int)}, false},
	} {
		h.define(flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false}, flag.When(tc.c).Return(true))
		d, err := h.client.BooleanValueDetails(as("acme", "ann"), "f", !tc.want, of.NewTargetlessEvaluationContext(map[string]any{"a": tc.value}))
		if err != nil || d.Value != tc.want {
			t.Errorf("%v of %T %v: %+v %v", tc.c, tc.value, tc.value, d, err)
		}
	}
}

// heard collects the flags of events.
type heard struct {
	mu  sync.Mutex
	got [][]string
}

func (h *heard) callback() of.EventCallback {
	fn := func(d of.EventDetails) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, d.FlagChanges)
	}
	return &fn
}

func (h *heard) all() [][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

func (h *heard) wait(t *testing.T, what string, ok func([][]string) bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		got := h.all()
		if ok(got) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: heard %v", what, got)
		}
	}
}

func TestEvents(t *testing.T) {
	h := open(t)
	ready, changed := &heard{}, &heard{}
	h.client.AddHandler(of.ProviderReady, ready.callback())
	h.client.AddHandler(of.ProviderConfigChange, changed.callback())
	ready.wait(t, "READY", func(got [][]string) bool { return len(got) == 1 })
	if s := h.client.State(); s != of.ReadyState {
		t.Errorf("state %s", s)
	}
	d := flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: true, Enabled: true, AppID: "other"}
	if err := h.st.DefineFlag(scope.WithAppID(context.Background(), "other"), &d); err != nil {
		t.Fatal(err)
	}
	h.define(flag.Definition{Key: "mine", Type: flag.TypeBool, DefaultValue: true})
	changed.wait(t, "a flag", func(got [][]string) bool { return len(got) > 0 && reflect.DeepEqual(got[len(got)-1], []string{"mine"}) })
	for _, keys := range changed.all() {
		if !reflect.DeepEqual(keys, []string{"mine"}) {
			t.Errorf("another app's flag is told: %v", keys)
		}
	}
	s := flag.Segment{Key: "s", Conditions: []flag.Condition{flag.If("x", flag.OpExists)}}
	if err := h.flags.DefineSegment(operator, &s); err != nil {
		t.Fatal(err)
	}
	changed.wait(t, "a segment", func(got [][]string) bool { return len(got[len(got)-1]) == 0 })
	if err := h.flags.SetTenantOverride(as("acme", "ann"), "mine", "", false); err != nil {
		t.Fatal(err)
	}
	changed.wait(t, "an override", func(got [][]string) bool { return reflect.DeepEqual(got[len(got)-1], []string{"mine"}) })
	if h.client.Boolean(as("acme", "ann"), "mine", true, none()) {
		t.Error("the change is told and not seen")
	}
}

func TestAWriteDoesNotWaitForWhoDoesNotListen(t *testing.T) {
	st := memory.New()
	flags := flag.NewService(flag.NewEngine(st), flag.WithAppID("myapp"))
	p := openfeature.New(flags)
	if err := errors.Join(p.Init(none()), p.Init(none())); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := flags.Define(operator, &flag.Definition{Key: fmt.Sprint("f", i%10), Type: flag.TypeBool, DefaultValue: true}); err != nil {
			t.Fatal(err)
		}
	}
	p.Shutdown()
	p.Shutdown()
	if err := p.Init(none()); err != nil {
		t.Fatal(err)
	}
	if err := flags.Define(operator, &flag.Definition{Key: "late", Type: flag.TypeBool, DefaultValue: true}); err != nil {
		t.Fatal(err)
	}
	if e := <-p.EventChannel(); e.EventType != of.ProviderConfigChange || !reflect.DeepEqual(e.FlagChanges, []string{"late"}) {
		t.Errorf("%+v", e)
	}
	p.Shutdown()
}

func TestHooksRun(t *testing.T) {
	own := &hook{}
	h := open(t, openfeature.WithHooks(own))
	h.define(flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false}, flag.When(flag.If("from", flag.OpEquals, "a hook")).Return(true))
	theirs := &hook{}
	d, err := h.client.BooleanValueDetails(as("acme", "ann"), "f", false, none(), of.WithHooks(theirs))
	if err != nil || !d.Value {
		t.Errorf("what a hook adds is not seen: %+v %v", d, err)
	}
	_, _ = h.client.BooleanValueDetails(as("acme", "ann"), "never", false, none(), of.WithHooks(theirs))
	for name, got := range map[string][]string{"the provider's": own.ran, "the call's": theirs.ran} {
		if !reflect.DeepEqual(got, []string{"before", "after true TARGETING_MATCH", "finally", "before", "error", "finally"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

type hook struct{ ran []string }

func (h *hook) Before(context.Context, of.HookContext, of.HookHints) (*of.EvaluationContext, error) {
	h.ran = append(h.ran, "before")
	c := of.NewTargetlessEvaluationContext(map[string]any{"from": "a hook"})
	return &c, nil
}

func (h *hook) After(_ context.Context, _ of.HookContext, d of.InterfaceEvaluationDetails, _ of.HookHints) error {
	h.ran = append(h.ran, fmt.Sprint("after ", d.Value, " ", d.Reason))
	return nil
}

func (h *hook) Error(context.Context, of.HookContext, error, of.HookHints) {
	h.ran = append(h.ran, "error")
}

func (h *hook) Finally(context.Context, of.HookContext, of.InterfaceEvaluationDetails, of.HookHints) {
	h.ran = append(h.ran, "finally")
}

func TestAProviderWithoutAServiceIsFatalAndDoesNotPanic(t *testing.T) {
	api := isolated.NewAPI()
	defer func() { _ = api.Shutdown(context.Background()) }()
	p := openfeature.New(nil)
	if err := api.SetProviderAndWait(t.Context(), p); err == nil {
		t.Error("it is ready")
	}
	c := api.NewClient()
	if d, err := c.BooleanValueDetails(as("t", "u"), "f", true, none()); err == nil || !d.Value || d.ErrorCode != of.ProviderFatalCode {
		t.Errorf("%+v %v", d, err)
	}
	if d := p.BooleanEvaluation(as("t", "u"), "f", true, nil); !d.Value || d.Reason != of.ErrorReason {
		t.Errorf("%+v", d)
	}
	if d := openfeature.New(&flag.Service{}).ObjectEvaluation(as("t", "u"), "f", "def", nil); d.Value != "def" || d.Reason != of.ErrorReason {
		t.Errorf("a service nobody made: %+v", d)
	}
}
