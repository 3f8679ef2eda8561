package limit

import (
	"net/netip"
	"sync"
	"time"
)

// LoginOptions configures [NewLogin]. The zero value of each field is usable.
type LoginOptions struct {
	PerUserIP Rate          // failures of one name from one address; default 5 in 15 minutes
	PerIP     Rate          // failures of all names from one address; default 50 in 15 minutes
	Free      int           // failures of one name from anywhere before strange addresses must wait; default 10
	MaxDelay  time.Duration // the longest such wait; default 15 minutes
	Forget    time.Duration // a name without failures for so long starts afresh; default 1 hour
	Known     time.Duration // how long an address stays known after a successful login; default 30 days
	MaxNames  int           // names and known addresses remembered, each; default 100,000
}

func (o LoginOptions) withDefaults() LoginOptions {
	if o.PerUserIP == (Rate{}) {
		o.PerUserIP = Rate{Quota: 5, Window: 15 * time.Minute}
	}
	if o.PerIP == (Rate{}) {
		o.PerIP = Rate{Quota: 50, Window: 15 * time.Minute}
	}
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&o.MaxDelay, 15*time.Minute)
	set(&o.Forget, time.Hour)
	set(&o.Known, 30*24*time.Hour)
	if o.Free <= 0 {
		o.Free = 10
	}
	if o.MaxNames <= 0 {
		o.MaxNames = 100_000
	}
	return o
}

// Login throttles password guessing. Failures count per (name, address) and per address, hard; and per name as a growing
// delay, from 1 s doubling up to MaxDelay, that addresses from which this name has logged in before do not wait for: who
// hammers a name from many addresses slows himself, not its owner.
//
// An attempt is counted as a failure when it begins, before any password is hashed, and is given back on success, so
// that parallel guesses cannot overtake the count. Callers pass canonical names only: every spelling of one name must
// reach one counter.
type Login struct {
	l *Limiter
	o LoginOptions

	mu    sync.Mutex
	names map[uint64]nameState
	known map[uint64]int64 // (name, address) -> the end of being known, in the Limiter's nanoseconds
	spare [256]nameState   // shared by names that find no room
}

// NewLogin returns a throttle that counts in l.
func NewLogin(l *Limiter, o LoginOptions) *Login {
	return &Login{l: l, o: o.withDefaults(), names: map[uint64]nameState{}, known: map[uint64]int64{}}
}

// Attempt is one login under way. End it with [Attempt.Succeed], [Attempt.Fail] or [Attempt.Abandon].
type Attempt struct {
	t       *Login
	app     string
	name    string
	ip      netip.Addr
	checks  [2]Check
	settled bool
}

// Begin counts an attempt of the canonical name in app from ip. If d.Allowed is false the attempt must be refused
// without looking at the password; first reports whether this is the first refusal of its kind in its window, which is
// the one worth an audit entry.
func (t *Login) Begin(app, name string, ip netip.Addr) (a *Attempt, d Decision, first bool) {
	a = &Attempt{t: t, app: app, name: name, ip: ip, checks: [2]Check{
		{"login-user-ip", t.l.KeyIP("login-user-ip", ip, app, name), t.o.PerUserIP},
		{"login-ip", t.l.KeyIP("login-ip", ip), t.o.PerIP},
	}}
	if d = t.l.All(a.checks[:]...); !d.Allowed {
		return nil, d, t.firstRefusal(d, app, name, ip)
	}
	if wait := t.beginName(a); wait > 0 {
		a.refund()
		d = Decision{Name: "login-user", Rate: Rate{Quota: t.o.Free, Window: t.o.Forget}, RetryAfter: wait, Reset: wait}
		return nil, d, t.firstRefusal(d, app, name, ip)
	}
	return a, d, false
}

// firstRefusal reports whether the limit that refused has refused this one nobody else in the current window.
func (t *Login) firstRefusal(d Decision, app, name string, ip netip.Addr) bool {
	key := t.l.Key("told", d.Name, app, name)
	switch d.Name {
	case "login-ip":
		key = t.l.KeyIP("told-ip", ip)
	case "login-user-ip":
		key = t.l.KeyIP("told-user-ip", ip, app, name)
	}
	return t.l.Take(key, Rate{Quota: 1, Window: d.Rate.Window}).Allowed
}

// Succeed gives the attempt back and makes the address known for this name. A first success from an address clears the
// name's count; one from a known address does not, or an owner's daily login would hand guessers a fresh start.
func (a *Attempt) Succeed() {
	if !a.settle() {
		return
	}
	a.refund()
	now := a.t.l.clock()
	key := a.t.l.Key("name", a.app, a.name).fine
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	if a.t.isKnown(now, a) {
		a.t.giveBack(key)
	} else {
		delete(a.t.names, key)
	}
	a.t.remember(now, a)
}

// Abandon gives the attempt back without a verdict: no password was looked at.
func (a *Attempt) Abandon() {
	if !a.settle() {
		return
	}
	a.refund()
	key := a.t.l.Key("name", a.app, a.name).fine
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.t.giveBack(key)
}

// Fail leaves the attempt counted.
func (a *Attempt) Fail() { a.settle() }

func (a *Attempt) settle() bool {
	if a.settled {
		return false
	}
	a.settled = true
	return true
}

func (a *Attempt) refund() {
	for _, c := range a.checks {
		a.t.l.Refund(c.Key, c.Rate)
	}
}
