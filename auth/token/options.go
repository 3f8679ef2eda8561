package token

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// KeyWrapper encrypts private signing keys at rest, bound to aad. The host wires the vault's key ring to it.
type KeyWrapper interface {
	Wrap(ctx context.Context, plaintext []byte, aad string) ([]byte, error)
	Unwrap(ctx context.Context, ciphertext []byte, aad string) ([]byte, error)
}

// Options configures [Open]. Issuer, Audience and Wrapper are required.
type Options struct {
	Issuer        string           // who makes the tokens: the server's own URL, from configuration only
	Audience      string           // whom they are for
	Wrapper       KeyWrapper       // encrypts signing keys at rest
	Lifetime      time.Duration    // of an access token; default 30 minutes, at least 1 second, at most 24 hours
	GrantLifetime time.Duration    // how long after the login tokens of its grant may live at the most; default Lifetime
	Skew          time.Duration    // how far clocks may differ; default 1 minute
	Overlap       time.Duration    // how long a key is published before it signs, and a key set may be cached; default 10 minutes
	Retention     time.Duration    // how long a key verifies after it stops signing; default Lifetime + Skew, never less
	CacheSize     int              // verified tokens remembered; default 16384
	CacheTTL      time.Duration    // how long a verified token is remembered; default 60 s
	Now           func() time.Time // the clock; default time.Now
}

func (o Options) withDefaults() (Options, error) {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&o.Lifetime, 30*time.Minute)
	set(&o.GrantLifetime, o.Lifetime)
	set(&o.Skew, time.Minute)
	set(&o.Overlap, 10*time.Minute)
	set(&o.Retention, o.Lifetime+o.Skew)
	set(&o.CacheTTL, time.Minute)
	if o.CacheSize <= 0 {
		o.CacheSize = 16384
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, o.check()
}

func (o Options) check() error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: field})
	}
	switch {
	case o.Issuer == "":
		return bad("issuer", "access tokens need an issuer")
	case o.Audience == "":
		return bad("audience", "access tokens need an audience")
	case o.Wrapper == nil:
		return bad("wrapper", "signing keys need something that encrypts them at rest")
	case o.Lifetime < time.Second || o.Lifetime > 24*time.Hour:
		return bad("token_lifetime", "the token lifetime %s is not between 1 second and 24 hours", o.Lifetime)
	case o.GrantLifetime < o.Lifetime:
		return bad("grant_lifetime", "the grant lifetime %s is shorter than the token lifetime %s", o.GrantLifetime, o.Lifetime)
	case o.Skew < 0 || o.Overlap < 0 || o.CacheTTL < 0:
		return bad("skew", "a duration is negative")
	case o.Retention < o.Lifetime+o.Skew:
		return fault.New(fault.Invalid, "signing keys are kept %s after their last use, but tokens live %s and clocks may differ by %s",
			o.Retention, o.Lifetime, o.Skew).At(fault.Where{Field: "key_retention"}).
			WithHint("set the key retention to %s or more, or the token lifetime to less", o.Lifetime+o.Skew)
	}
	return nil
}
