package hooksign_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/internal/hooksign"
)

// The first example is the one that the specification's own libraries test with.
func TestSign(t *testing.T) {
	key, err := hooksign.ParseKey(sealed.NewString("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	if err != nil {
		t.Fatal(err)
	}
	got := key.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
	for _, other := range []string{key.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265331", []byte(`{"test": 2432232314}`)), key.Sign("x", "1614265330", []byte(`{"test": 2432232314}`)),
		key.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232315}`))} {
		if other == got {
			t.Error("what is signed does not count")
		}
	}
}

func TestKeys(t *testing.T) {
	for _, bad := range []string{"", "canary", "whsec_", "whsec_canary!", "whsec_Y2FuYXJ5"} {
		if k, err := hooksign.ParseKey(sealed.NewString(bad)); !fault.Is(err, fault.Invalid) || !k.IsZero() || strings.Contains(fmt.Sprint(err, fault.From(err).Hint), "canary") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	plain, err := hooksign.ParseKey(sealed.NewString("canary-canary-canary-canary"))
	if err != nil || plain.IsZero() || strings.Contains(fmt.Sprintf("%v %+v %#v", plain, plain, plain), "canary") {
		t.Error(err)
	}
}
