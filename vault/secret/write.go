package secret

import (
	"context"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Set writes a new version of the tenant's secret, making the secret if there is none. The caller may clear value
// afterwards.
func (s *Service) Set(ctx context.Context, key string, value []byte, appID string, opts ...SetOption) (*Meta, error) {
	return s.set(ctx, "secret.set", key, value, appID, false, opts)
}

// SetShared writes a new version of an entry that every tenant of the app may use, for an operator. It must name its
// destinations, now or in an earlier version.
func (s *Service) SetShared(ctx context.Context, key string, value []byte, appID string, opts ...SetOption) (*Meta, error) {
	return s.set(ctx, "secret.set_shared", key, value, appID, true, opts)
}

func (s *Service) set(ctx context.Context, action, key string, plain []byte, appID string, shared bool, opts []SetOption) (*Meta, error) {
	value, size := sealed.New(plain), len(plain)
	return s.put(ctx, action, key, appID, shared, opts, nil, func(ctx context.Context, tx driver.Tx, r *record, user string, in *setting) error {
		v, err := s.next(ctx, tx, r, &r.current, user, value, in)
		if err == nil {
			r.serve(v)
		}
		return err
	}, func(*setting) error { return s.checkSize(size) })
}

// writing is what a write does between reading a secret and writing its head.
type writing func(ctx context.Context, tx driver.Tx, r *record, user string, in *setting) error

// put is a write that makes a new version current.
func (s *Service) put(ctx context.Context, action, key, appID string, shared bool, opts []SetOption, details []audit.Detail, write writing,
	checks ...func(*setting) error) (*Meta, error) {
	t, p, err := s.enter(ctx, action, key, appID, shared)
	if err != nil {
		return nil, err
	}
	in := settings(opts)
	if err := s.checkSet(key, &in, checks); err != nil {
		return nil, p.EndErr(ctx, err)
	}
	var m Meta
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		r, err := s.lock(ctx, tx, t)
		if err != nil {
			return err
		}
		if in.hasExpected && in.expected != r.head.Current {
			return moved(t.name, r.head.Current, in.expected)
		}
		if err := write(ctx, tx, r, p.Caller().User, &in); err != nil {
			return err
		}
		if err := s.save(ctx, tx, r); err != nil {
			return err
		}
		if m, err = toMeta(r.head, r.current); err != nil {
			return err
		}
		return p.EndTx(ctx, tx, audit.OK, append(wrote(&m, &r.head), details...)...)
	})
	if err != nil {
		return nil, p.EndErr(ctx, err)
	}
	s.onMutate(ctx, "set", key, t.app)
	return &m, nil
}

// wrote is what the audit entry says about a version that was written.
func wrote(m *Meta, head *driver.SecretRow) []audit.Detail {
	details := []audit.Detail{{Key: "version", Value: strconv.FormatInt(m.Version, 10)}, revisionOf(head)}
	for _, d := range m.Destinations {
		details = append(details, audit.Detail{Key: "destination", Value: d.String()})
	}
	return details
}

func (s *Service) checkSet(key string, in *setting, more []func(*setting) error) error {
	if err := CheckName(key); err != nil {
		return err
	}
	for _, check := range more {
		if err := check(in); err != nil {
			return err
		}
	}
	return in.check(s.now().UnixMicro())
}

func (s *Service) checkSize(size int) error {
	at := fault.Where{Field: "value"}
	switch {
	case size == 0:
		return fault.New(fault.Invalid, "the value of a secret is empty").At(at).WithHint("delete the secret instead")
	case size > s.maxSize:
		return fault.New(fault.TooLarge, "the value has %d bytes; a secret has at most %d", size, s.maxSize).At(at)
	}
	return nil
}

// check refuses options that mean nothing.
func (in *setting) check(now int64) error {
	switch {
	case in.hasExpires && in.expires != 0 && in.expires <= now:
		return fault.New(fault.Invalid, "the expiry lies in the past").At(fault.Where{Field: "expires_at"})
	case in.hasLifetime && (in.lifetime < 0 || in.lifetime > maxLifetime):
		return fault.New(fault.Invalid, "a lifetime is between 0 and 100 years").At(fault.Where{Field: "lifetime"})
	case in.hasMaxVersions && (in.maxVersions < 0 || in.maxVersions > MaxVersions):
		return fault.New(fault.Invalid, "a secret keeps 1 to %d versions, or 0 for the default", MaxVersions).At(fault.Where{Field: "max_versions"})
	case len(in.createdBy) > maxUser:
		return fault.New(fault.TooLarge, "the user id is longer than %d bytes", maxUser).At(fault.Where{Field: "created_by"})
	}
	return nil
}

const maxLifetime = 100 * 365 * 24 * time.Hour

// apply writes the options over what the version before had.
func (in *setting) apply(v *driver.SecretVersion) (err error) {
	if in.hasMetadata || v.Metadata == "" {
		if v.Metadata, err = encodeMetadata(in.metadata); err != nil {
			return err
		}
	}
	if in.hasDests || v.Destinations == "" {
		if v.Destinations, err = encodeDestinations(in.destinations); err != nil {
			return err
		}
	}
	in.expire(v)
	if v.Tenant == driver.Shared && v.Destinations == "[]" {
		return fault.New(fault.Invalid, "a shared entry must name its destinations").At(fault.Where{Field: "destinations"}).
			WithHint("name the origins that may receive it, such as https://api.openai.com")
	}
	return nil
}

// expire sets when the version ends: at the moment given, else after the lifetime given or kept.
func (in *setting) expire(v *driver.SecretVersion) {
	if in.hasLifetime {
		v.Lifetime = in.lifetime.Microseconds()
	}
	switch {
	case in.hasExpires:
		v.ExpiresAt, v.Lifetime = in.expires, 0
	case v.Lifetime > 0:
		v.ExpiresAt = v.CreatedAt + v.Lifetime
	}
}

func (s *Service) putHead(ctx context.Context, tx driver.Tx, r *record) (err error) {
	if err := s.enterLedger(ctx, tx, r.book, &r.head); err != nil {
		return err
	}
	if r.head.Mark, err = s.ring.Mark(ctx, tx, markPlace(r.head, r.current.Ciphertext)); err != nil {
		return err
	}
	r.head.MarkKey = markKey(r.head.Mark)
	return tx.PutSecret(ctx, r.head)
}
