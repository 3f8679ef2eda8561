package jwtkeys

import (
	"context"
	"encoding/json"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/rotation"
)

// Kind is the name under which policies ask for [New]'s rotator.
const Kind = "jwt-keys"

// DefaultOverlap is how long a key is published at least before it signs, so that caches of the public keys have it.
const DefaultOverlap = 10 * time.Minute

// Params are the parameters of a policy.
type Params struct {
	Overlap string `json:"overlap,omitempty"` // as in 10m or 24h: how long a key is published at least before it signs; empty: [DefaultOverlap]
}

func parseParams(raw json.RawMessage) (overlap time.Duration, err error) {
	var p Params
	if err := rotation.DecodeParams(raw, &p); err != nil {
		return 0, err
	}
	if p.Overlap == "" {
		return DefaultOverlap, nil
	}
	overlap, err = time.ParseDuration(p.Overlap)
	if err != nil || overlap < 0 || overlap > 366*24*time.Hour {
		return 0, fault.New(fault.Invalid, "the overlap is a duration such as 10m or 24h, at most a year").At(fault.Where{Field: "overlap"})
	}
	return overlap, nil
}

type rotator struct{ now func() time.Time }

// New returns the rotator of keys that are kept in the secret itself. It changes nothing outside: whoever signs or publishes
// reads the secret.
func New() rotation.Staged { return rotator{time.Now} }

func (rotator) Initial() bool { return true }

func (rotator) CheckParams(raw json.RawMessage) error {
	_, err := parseParams(raw)
	return err
}

// Create makes next current, current previous, and a new key next.
func (r rotator) Create(_ context.Context, s rotation.Step) (sealed.Value, error) {
	overlap, err := parseParams(s.Params)
	if err != nil {
		return sealed.Value{}, err
	}
	fresh, err := generate(Next, r.now())
	if err != nil {
		return sealed.Value{}, err
	}
	if s.Current.IsZero() {
		first, err := generate(Current, r.now())
		if err != nil {
			return sealed.Value{}, err
		}
		return value(first, fresh)
	}
	set, err := Parse(s.Current)
	if err != nil {
		return sealed.Value{}, err
	}
	next, _ := set.find(Next)
	former, _ := set.find(Current)
	if wait := overlap - r.now().Sub(next.created); wait > 0 {
		return sealed.Value{}, fault.New(fault.Conflict, "the next signing key was published too recently to be used").WithCode("TooSoon").
			WithHint("rotate again in %s, when everybody's cached key set has it", wait.Round(time.Second))
	}
	next.state, former.state = Current, Previous
	return value(next, fresh, former)
}

func (rotator) Set(context.Context, rotation.Step) error { return nil }

// Test reads the pending keys as those will who sign.
func (rotator) Test(_ context.Context, s rotation.Step) error {
	_, err := Parse(s.Pending)
	return err
}

// Keys is a set of signing keys that is kept elsewhere.
type Keys interface {
	// Active returns the id of the key that signs now.
	Active(ctx context.Context) (id string, err error)
	// Rotate makes the next key the one that signs. It fails with Conflict while that key was not published for long enough.
	Rotate(ctx context.Context) error
	// JWKS returns the public keys that are published now.
	JWKS(ctx context.Context) ([]byte, error)
}

type over struct {
	keys        Keys
	app, tenant string
}

// Over returns a rotator of keys that are kept elsewhere, for policies of exactly this app and tenant: they are no other
// tenant's to rotate. The secret's value is a note of which key was rotated away from, and lets a repeated step see that it
// was done: those keys know no idempotency token.
func Over(keys Keys, app, tenant string) rotation.Staged { return over{keys, app, tenant} }

func (over) Initial() bool { return true }

// note is the value of the secret.
type note struct {
	From string `json:"rotated_from"`
	Run  string `json:"run"`
}

func (o over) mine(s rotation.Step) error {
	if s.App == o.app && s.Tenant == o.tenant {
		return nil
	}
	return fault.New(fault.Denied, "these signing keys are not this tenant's to rotate").WithCode("NotYours")
}

func (o over) Create(ctx context.Context, s rotation.Step) (sealed.Value, error) {
	if err := o.mine(s); err != nil {
		return sealed.Value{}, err
	}
	id, err := o.keys.Active(ctx)
	if err != nil {
		return sealed.Value{}, err
	}
	b, err := json.Marshal(note{id, s.Token})
	if err != nil {
		return sealed.Value{}, fault.Wrap(fault.Internal, err, "the note of a rotation cannot be written")
	}
	return sealed.New(b), nil
}

func (o over) Set(ctx context.Context, s rotation.Step) error {
	from, err := o.from(s)
	if err != nil {
		return err
	}
	id, err := o.keys.Active(ctx)
	if err != nil || id != from {
		return err // another key signs already: it was done
	}
	return o.keys.Rotate(ctx)
}

func (o over) Test(ctx context.Context, s rotation.Step) error {
	from, err := o.from(s)
	if err != nil {
		return err
	}
	id, err := o.keys.Active(ctx)
	if err != nil {
		return err
	}
	raw, err := o.keys.JWKS(ctx)
	if err != nil {
		return err
	}
	published, err := ids(raw)
	switch {
	case err != nil:
		return err
	case id == from:
		return fault.New(fault.Failed, "the former key still signs")
	case !published[id] || !published[from]:
		return fault.New(fault.Failed, "the key that signs and the former one are not both published")
	}
	return nil
}
