package limit_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/fault"
)

func newLogin(o limit.LoginOptions) (*limit.Login, *clock) {
	l, c := newLimiter(0)
	return limit.NewLogin(l, o), c
}

func addr(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}) }

func fail(t *testing.T, th *limit.Login, name string, ip netip.Addr) {
	t.Helper()
	a, d, _ := th.Begin("app", name, ip)
	if !d.Allowed {
		t.Fatalf("refused: %+v", d)
	}
	a.Fail()
}

func TestFiveFailuresOfOneNameFromOneAddressAreEnough(t *testing.T) {
	th, c := newLogin(limit.LoginOptions{})
	for range 5 {
		fail(t, th, "bob", addr(1))
	}
	_, d, first := th.Begin("app", "bob", addr(1))
	if d.Allowed || d.Name != "login-user-ip" || d.RetryAfter != 3*time.Minute || !first {
		t.Fatalf("got %+v first=%v", d, first)
	}
	if _, _, again := th.Begin("app", "bob", addr(1)); again {
		t.Error("the second refusal counts as the first")
	}
	fail(t, th, "eve", addr(1))
	fail(t, th, "bob", addr(2))
	c.advance(d.RetryAfter)
	fail(t, th, "bob", addr(1))
}

func TestAnAddressIsLimitedOverAllNames(t *testing.T) {
	th, _ := newLogin(limit.LoginOptions{PerIP: limit.Rate{Quota: 20, Window: time.Minute}})
	for i := range 20 {
		fail(t, th, fmt.Sprint("user", i), addr(1))
	}
	if _, d, _ := th.Begin("app", "another", addr(1)); d.Allowed || d.Name != "login-ip" {
		t.Errorf("got %+v", d)
	}
	fail(t, th, "another", addr(2))
}

func TestRow10TheVictimStillLogsInFromAKnownAddress(t *testing.T) {
	th, c := newLogin(limit.LoginOptions{})
	home := netip.MustParseAddr("203.0.113.7")
	a, _, _ := th.Begin("app", "victim", home)
	a.Succeed()
	var longest time.Duration
	for i := range 500 {
		a, d, _ := th.Begin("app", "victim", addr(i))
		if d.Allowed {
			a.Fail()
			continue
		}
		longest = max(longest, d.RetryAfter)
		c.advance(d.RetryAfter)
	}
	if longest != 15*time.Minute {
		t.Errorf("the longest wait of a strange address was %s, want 15m", longest)
	}
	for range 3 {
		a, d, _ := th.Begin("app", "victim", home)
		if !d.Allowed {
			t.Fatalf("the victim is locked out: %+v", d)
		}
		a.Succeed()
	}
	if a, d, _ := th.Begin("app", "victim", addr(1000)); d.Allowed {
		a.Fail()
		if _, d, _ = th.Begin("app", "victim", addr(1001)); d.Allowed {
			t.Error("the victim's own login reset the attackers' delay")
		}
	}
}

func TestTheDelayOfANameGrowsAndIsForgotten(t *testing.T) {
	th, c := newLogin(limit.LoginOptions{Free: 2})
	fail(t, th, "bob", addr(1))
	fail(t, th, "bob", addr(2))
	fail(t, th, "bob", addr(3))
	for i, want := range []time.Duration{1, 2, 4, 8, 16} {
		_, d, _ := th.Begin("app", "bob", addr(10+i))
		if d.Allowed || d.RetryAfter != want*time.Second || d.Name != "login-user" {
			t.Fatalf("step %d: got %+v, want a wait of %d s", i, d, want)
		}
		c.advance(d.RetryAfter)
		fail(t, th, "bob", addr(20+i))
	}
	c.advance(time.Hour)
	for i := range 3 {
		fail(t, th, "bob", addr(30+i))
	}
}

func TestSuccessAndAbandonGiveTheAttemptBack(t *testing.T) {
	th, _ := newLogin(limit.LoginOptions{})
	for range 50 {
		a, d, _ := th.Begin("app", "bob", addr(1))
		if !d.Allowed {
			t.Fatal("abandoned attempts were counted")
		}
		a.Abandon()
		a.Abandon()
		if a, d, _ = th.Begin("app", "bob", addr(1)); !d.Allowed {
			t.Fatal("successes were counted")
		}
		a.Succeed()
		a.Fail()
	}
}

func TestAFloodOfNamesIsBounded(t *testing.T) {
	th, _ := newLogin(limit.LoginOptions{MaxNames: 100, Free: 1})
	for i := range 100 {
		fail(t, th, fmt.Sprint("flood", i), addr(i))
	}
	refused := 0
	for i := range 2000 {
		a, d, _ := th.Begin("app", fmt.Sprint("more", i), addr(1000+i))
		if d.Allowed {
			a.Fail()
		} else {
			refused++
		}
	}
	if refused == 0 {
		t.Error("names without room were not counted at all")
	}
	fail(t, th, "flood1", addr(9000))
	if _, d, _ := th.Begin("app", "flood1", addr(9001)); d.Allowed {
		t.Error("the flood wiped a live count")
	}
}

func TestRetryAfterIsReadFromAnError(t *testing.T) {
	err := fmt.Errorf("login: %w", limit.Refuse(fault.Limited, 1500*time.Millisecond, "too many attempts"))
	if after, ok := limit.RetryAfter(err); !ok || after != 1500*time.Millisecond {
		t.Errorf("got %v %v", after, ok)
	}
	if f := fault.From(err); f.Hint != "try again in 2 s" || f.Error() != "too many attempts" {
		t.Errorf("got %q, hint %q", f.Error(), f.Hint)
	}
	if _, ok := limit.RetryAfter(errors.New("other")); ok {
		t.Error("an error without a wait has one")
	}
}
