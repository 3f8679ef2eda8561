package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

func TestAMachinesKey(t *testing.T) {
	const first, second = "canary-of-a-monitor-0123456789", "another-of-a-monitor-0123456789"
	now, broken := first, error(nil)
	k, err := auth.NewMachineKey(func() (sealed.Value, error) { return sealed.NewString(now), broken })
	if err != nil {
		t.Fatal(err)
	}
	is := func(bearer string) bool {
		ok, err := k.Is(bearer)
		if err != nil {
			t.Errorf("%v", err)
		}
		return ok
	}
	for bearer, want := range map[string]bool{first: true, second: false, "": false, first + " ": false, first[:29]: false, strings.ToUpper(first): false} {
		if is(bearer) != want {
			t.Errorf("%q: %v", bearer, !want)
		}
	}
	now = second
	if is(first) || !is(second) {
		t.Error("the key that was replaced still counts")
	}
	now = "short"
	if ok, err := k.Is("short"); ok || !fault.Is(err, fault.Invalid) {
		t.Errorf("a key that has become short: %v %v", ok, err)
	}
	now, broken = first, errors.New("the file is gone")
	if ok, err := k.Is(first); ok || err == nil {
		t.Errorf("a key that cannot be read: %v %v", ok, err)
	}
	if text := fmt.Sprintf("%v %+v", k, k); strings.Contains(text, "canary") {
		t.Error(text)
	}
	for what, read := range map[string]func() (sealed.Value, error){
		"short": func() (sealed.Value, error) { return sealed.NewString("short"), nil }, "none": func() (sealed.Value, error) { return sealed.Value{}, nil },
		"broken": func() (sealed.Value, error) { return sealed.Value{}, errors.New("gone") },
	} {
		if k, err := auth.NewMachineKey(read); err == nil || !k.IsZero() {
			t.Errorf("%s: %v", what, err)
		}
	}
	if ok, err := (auth.MachineKey{}).Is(""); ok || err != nil {
		t.Errorf("no key is nobody's: %v %v", ok, err)
	}
	if auth.MachineRoles(auth.MonitorID) != policy.Monitor || auth.MachineRoles("usr_1") != 0 || auth.MachineRoles("") != 0 {
		t.Error("roles")
	}
}
