package driver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func TestOwner(t *testing.T) {
	for _, ok := range [][2]string{{"default", "acme"}, {"myapp", "tenant-1"}, {"a", "Zürich AG"}, {"a:b", "c/d"}, {"a", "system"}, {"a", strings.Repeat("t", 255)}} {
		if err := driver.Owner(ok[0], ok[1]); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []struct {
		app, tenant string
		want        error
	}{
		{"", "t", scope.ErrNoApp}, {"a", "", scope.ErrNoTenant}, {"a", driver.Shared, nil}, {"a", driver.Operator, nil}, {"/a", "t", nil},
		{"a", "t\n", nil}, {"a", "t\x00", nil}, {"a", "\u202et", nil}, {"a", "t\xff", nil}, {"a", strings.Repeat("t", 256), nil},
	} {
		err := driver.Owner(bad.app, bad.tenant)
		if !fault.Is(err, fault.Invalid) || (bad.want != nil && !errors.Is(err, bad.want)) {
			t.Errorf("%q, %q: %v", bad.app, bad.tenant, err)
		}
	}
}

func TestActionPrefix(t *testing.T) {
	for action, want := range map[string]string{"": "", "secret.get": "", "secret.*": "secret.", "secret.": "secret.", "sec*": "sec"} {
		prefix, ok := driver.AuditFilter{Action: action}.ActionPrefix()
		if ok != (want != "") || (ok && prefix != want) {
			t.Errorf("%q: %q %v", action, prefix, ok)
		}
	}
}
