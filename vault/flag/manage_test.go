package flag_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func quietService(st flag.Store, opts ...flag.ServiceOption) *flag.Service {
	return flag.NewService(flag.NewEngine(st), append([]flag.ServiceOption{flag.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
}

func TestManaging(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		d := flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false}
		if err := svc.Define(operator, &d); err != nil || d.Version != 1 || d.ID == "" || d.AppID != "myapp" {
			t.Fatalf("%+v %v", d, err)
		}
		err := errors.Join(svc.SetRules(operator, "f", []*flag.Rule{flag.WhenTenant("t1").Return(true)}), svc.SetEnabled(operator, "f", true),
			svc.SetTenantOverride(operator, "f", "t2", true), svc.SetTenantOverride(as("t3", "u"), "f", "", true))
		if err != nil {
			t.Fatal(err)
		}
		for _, tenant := range []string{"t1", "t2", "t3"} {
			if !svc.Bool(as(tenant, "u"), "f", false) {
				t.Errorf("%s", tenant)
			}
		}
		got, rules, err := svc.Get(operator, "f")
		if err != nil || got.Version != 3 || !got.Enabled || len(rules) != 1 {
			t.Errorf("%+v %v %v", got, rules, err)
		}
		list, err := svc.List(operator, flag.ListOpts{})
		every, err2 := svc.TenantOverrides(operator, "f")
		own, err3 := svc.TenantOverrides(as("t3", "u"), "f")
		if errors.Join(err, err2, err3) != nil || len(list) != 1 || len(every) != 2 || len(own) != 1 {
			t.Errorf("%v %v %v %v", list, every, own, errors.Join(err, err2, err3))
		}
		tenant := as("t1", "u")
		_, _, denied := svc.Get(tenant, "f")
		_, denied2 := svc.List(tenant, flag.ListOpts{})
		for i, err := range []error{svc.Define(tenant, &d), svc.SetRules(tenant, "f", nil), svc.SetEnabled(tenant, "f", false), svc.Delete(tenant, "f"),
			svc.SetTenantOverride(tenant, "f", "t2", false), svc.DeleteTenantOverride(tenant, "f", "t2"), denied, denied2} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("call %d inside a tenant: %v", i, err)
			}
		}
		if !svc.Bool(as("t2", "u"), "f", false) {
			t.Error("what was denied was done")
		}
		err = errors.Join(svc.DeleteTenantOverride(as("t3", "u"), "f", ""), svc.DeleteTenantOverride(operator, "f", "t2"), svc.Delete(operator, "f"))
		if err != nil {
			t.Fatal(err)
		}
		if err := svc.Delete(operator, "f"); !errors.Is(err, base.ErrFlagNotFound) {
			t.Errorf("%v", err)
		}
		page, err := audit.NewService(st, audit.NewGate(audit.NewLogger(st), nil)).List(tenant, audit.Query{Action: "flag.*", OldestFirst: true})
		if err != nil || len(page.Entries) != 8 || page.Entries[0].Outcome != audit.Denied {
			t.Errorf("%v %v", page.Entries, err)
		}
	})
}

type refusing struct{}

func (refusing) Enter(context.Context, audit.Request) (*audit.Pending, error) {
	return nil, fault.Wrap(fault.Unavailable, base.ErrAuditUnavailable, "no")
}

func TestWithoutARecordNothingIsDone(t *testing.T) {
	st := memory.New()
	define(t, st, boolFlag("f"), flag.WhenTenant("t").Return(true))
	svc := quietService(st, flag.WithGate(refusing{}))
	d := flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: true}
	_, _, err := svc.Get(operator, "f")
	_, err2 := svc.List(operator, flag.ListOpts{})
	_, err3 := svc.TenantOverrides(operator, "f")
	for i, err := range []error{svc.Define(operator, &d), svc.SetRules(operator, "f", nil), svc.SetEnabled(operator, "f", false), svc.Delete(operator, "f"),
		svc.SetTenantOverride(as("t", "u"), "f", "", false), svc.DeleteTenantOverride(operator, "f", "t"), err, err2, err3} {
		if !errors.Is(err, base.ErrAuditUnavailable) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if !svc.Bool(as("t", "u"), "f", false) {
		t.Error("it was done")
	}
}

func TestListsHavePages(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		for i := range 5 {
			define(t, st, boolFlag(fmt.Sprint("f", i)))
		}
		for _, tc := range []struct {
			opts flag.ListOpts
			want string
		}{{flag.ListOpts{}, "f0f1f2f3f4"}, {flag.ListOpts{Limit: 2}, "f0f1"}, {flag.ListOpts{Limit: 2, Offset: 3}, "f3f4"}, {flag.ListOpts{Offset: 9}, ""}, {flag.ListOpts{After: "f2"}, "f3f4"}} {
			list, err := st.ListFlagDefinitions(operator, "myapp", tc.opts)
			got := ""
			for _, d := range list {
				got += d.Key
			}
			if err != nil || got != tc.want {
				t.Errorf("%+v: %s, %v", tc.opts, got, err)
			}
		}
		if _, err := st.ListFlagDefinitions(operator, "myapp", flag.ListOpts{Limit: -1}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	})
}
