package secret

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
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
	t, p, err := s.enter(ctx, action, key, appID, shared)
	if err != nil {
		return nil, err
	}
	in := settings(opts)
	if err := s.checkSet(key, size, &in); err != nil {
		return nil, p.EndErr(ctx, err)
	}
	var m Meta
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		head, v, err := s.write(ctx, tx, t, p.Caller().User, value, &in)
		if err != nil {
			return err
		}
		if m, err = toMeta(head, v); err != nil {
			return err
		}
		details := []audit.Detail{{Key: "version", Value: strconv.FormatInt(m.Version, 10)}}
		for _, d := range m.Destinations {
			details = append(details, audit.Detail{Key: "destination", Value: d.String()})
		}
		return p.EndTx(ctx, tx, audit.OK, details...)
	})
	if err != nil {
		return nil, p.EndErr(ctx, err)
	}
	s.onMutate(ctx, "set", key, t.app)
	return &m, nil
}

func (s *Service) checkSet(key string, size int, in *setting) error {
	if err := CheckName(key); err != nil {
		return err
	}
	at := fault.Where{Field: "value"}
	switch {
	case size == 0:
		return fault.New(fault.Invalid, "the value of a secret is empty").At(at).WithHint("delete the secret instead")
	case size > s.maxSize:
		return fault.New(fault.TooLarge, "the value has %d bytes; a secret has at most %d", size, s.maxSize).At(at)
	case in.expires != 0 && in.expires <= s.now().UnixMicro():
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

// write adds the next version and moves the head to it.
func (s *Service) write(ctx context.Context, tx driver.Tx, t target, user string, value sealed.Value, in *setting) (
	driver.SecretRow, driver.SecretVersion, error) {
	r, err := s.load(ctx, tx, t)
	if err != nil {
		return driver.SecretRow{}, driver.SecretVersion{}, err
	}
	if in.hasExpected && in.expected != r.head.Current {
		return r.head, r.current, moved(t.name, r.head.Current, in.expected)
	}
	v, err := s.next(ctx, tx, r, &r.current, user, value, in)
	if err != nil {
		return r.head, v, err
	}
	r.serve(v)
	return r.head, v, s.save(ctx, tx, r)
}

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

func (s *Service) putHead(ctx context.Context, tx driver.Tx, head *driver.SecretRow, ciphertext []byte) (err error) {
	if head.Mark, err = s.ring.Mark(ctx, tx, markPlace(*head, ciphertext)); err != nil {
		return err
	}
	head.MarkKey = canon.NewReader(head.Mark).Text()
	return tx.PutSecret(ctx, *head)
}

// Delete removes the tenant's secret with all its versions. The name can be set again and goes on with the next version
// number.
func (s *Service) Delete(ctx context.Context, key, appID string) error {
	return s.delete(ctx, "secret.delete", key, appID, false)
}

// DeleteShared removes a shared entry, for an operator.
func (s *Service) DeleteShared(ctx context.Context, key, appID string) error {
	return s.delete(ctx, "secret.delete_shared", key, appID, true)
}

func (s *Service) delete(ctx context.Context, action, key, appID string, shared bool) error {
	t, p, err := s.enter(ctx, action, key, appID, shared)
	if err != nil {
		return err
	}
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		head, damaged, err := s.removable(ctx, tx, t)
		if err != nil {
			return err
		}
		if damaged {
			p.Note(audit.Detail{Key: "damaged", Value: "true"})
		}
		if err := tx.DeleteSecretVersions(ctx, t.app, t.tenant, t.name); err != nil {
			return err
		}
		head.Current, head.UpdatedAt = 0, tx.Now()
		if err := s.putHead(ctx, tx, &head, nil); err != nil {
			return err
		}
		return p.EndTx(ctx, tx, audit.OK)
	})
	if err != nil {
		return p.EndErr(ctx, err)
	}
	s.onMutate(ctx, "delete", key, t.app)
	return nil
}

// removable returns the head of an entry that exists. A damaged one may be deleted: that is how to get rid of it.
func (s *Service) removable(ctx context.Context, tx driver.Tx, t target) (head driver.SecretRow, damaged bool, err error) {
	head, _, err = s.own(ctx, tx, t)
	if errors.Is(err, base.ErrTampered) {
		return head, true, nil
	}
	return head, false, err
}
