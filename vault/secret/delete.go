package secret

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Delete stops serving the tenant's secret and deletes all its versions; a pending one is destroyed. Until the recovery
// window has passed ([WithRecoveryWindow], 30 days by default) [Service.Undelete] brings them back; [Service.Destroy] does
// not wait. The name can be set again at any time and goes on with the next version number. A damaged secret is destroyed:
// deleting it is how to get rid of it.
func (s *Service) Delete(ctx context.Context, key, appID string) error {
	return s.change(ctx, edit{action: "secret.delete", event: "delete", damaged: true, do: s.deleteAll}, key, appID)
}

// DeleteShared is [Service.Delete] for a shared entry, for an operator.
func (s *Service) DeleteShared(ctx context.Context, key, appID string) error {
	return s.change(ctx, edit{action: "secret.delete_shared", event: "delete", shared: true, damaged: true, do: s.deleteAll}, key, appID)
}

// Undelete brings back versions of the tenant's secret that were deleted, while the recovery window lasts: those named, or
// with none named those that the last deletion took. If the version that was served comes back, it is served again. It
// fails with vault.ErrSecretNotFound if a version is not there to bring back.
func (s *Service) Undelete(ctx context.Context, key, appID string, versions ...int64) error {
	return s.change(ctx, edit{action: "secret.undelete", event: "undelete", versions: versions, do: s.undelete}, key, appID)
}

// UndeleteShared is [Service.Undelete] for a shared entry, for an operator.
func (s *Service) UndeleteShared(ctx context.Context, key, appID string, versions ...int64) error {
	return s.change(ctx, edit{action: "secret.undelete_shared", event: "undelete", shared: true, versions: versions, do: s.undelete}, key, appID)
}

// DeleteVersions deletes single versions of the tenant's secret, to be brought back by [Service.Undelete] like those of
// [Service.Delete]. If the version that is served is among them, none is served until it comes back or a new one is set;
// the one before does not take its place. A version that is deleted already stays so. It fails with
// vault.ErrSecretNotFound, and deletes nothing, if one of them is not there or is pending.
func (s *Service) DeleteVersions(ctx context.Context, key, appID string, versions ...int64) error {
	return s.change(ctx, edit{action: "secret.delete_versions", event: "delete", named: true, versions: versions, do: s.deleteSome}, key, appID)
}

// DeleteSharedVersions is [Service.DeleteVersions] for a shared entry, for an operator.
func (s *Service) DeleteSharedVersions(ctx context.Context, key, appID string, versions ...int64) error {
	return s.change(ctx, edit{action: "secret.delete_shared_versions", event: "delete", shared: true, named: true, versions: versions,
		do: s.deleteSome}, key, appID)
}

// DestroyVersions removes the values of single versions of the tenant's secret for good; their numbers, times and authors
// stay in the history. Like [Service.DeleteVersions] otherwise, except that a pending version may be named.
func (s *Service) DestroyVersions(ctx context.Context, key, appID string, versions ...int64) error {
	return s.change(ctx, edit{action: "secret.destroy_versions", event: "destroy", named: true, versions: versions, do: s.destroySome}, key, appID)
}

// DestroySharedVersions is [Service.DestroyVersions] for a shared entry, for an operator.
func (s *Service) DestroySharedVersions(ctx context.Context, key, appID string, versions ...int64) error {
	return s.change(ctx, edit{action: "secret.destroy_shared_versions", event: "destroy", shared: true, named: true, versions: versions,
		do: s.destroySome}, key, appID)
}

// Destroy removes the values of all versions of the tenant's secret for good. The name can be set again and goes on with
// the next version number.
func (s *Service) Destroy(ctx context.Context, key, appID string) error {
	return s.change(ctx, edit{action: "secret.destroy", event: "destroy", damaged: true, do: s.destroyAll}, key, appID)
}

// DestroyShared is [Service.Destroy] for a shared entry, for an operator.
func (s *Service) DestroyShared(ctx context.Context, key, appID string) error {
	return s.change(ctx, edit{action: "secret.destroy_shared", event: "destroy", shared: true, damaged: true, do: s.destroyAll}, key, appID)
}

// SetMaxVersions sets how many versions the tenant's secret keeps from now on, without setting a value; 0 means the
// service's default. What is too much is removed at once.
func (s *Service) SetMaxVersions(ctx context.Context, key, appID string, n int) error {
	return s.change(ctx, edit{action: "secret.set_max_versions", event: "set_max_versions", do: keepVersions(n)}, key, appID)
}

// SetSharedMaxVersions is [Service.SetMaxVersions] for a shared entry, for an operator.
func (s *Service) SetSharedMaxVersions(ctx context.Context, key, appID string, n int) error {
	return s.change(ctx, edit{action: "secret.set_shared_max_versions", event: "set_max_versions", shared: true, do: keepVersions(n)}, key, appID)
}

// edit is a change of a secret that writes no value.
type edit struct {
	action, event string
	shared        bool
	named         bool // at least one version must be named
	damaged       bool // also of a secret that is not what was written
	versions      []int64
	do            func(ctx context.Context, tx driver.Tx, r *record, versions []int64) error
}

func (s *Service) change(ctx context.Context, e edit, key, appID string) error {
	t, p, err := s.enter(ctx, e.action, key, appID, e.shared)
	if err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return p.EndErr(ctx, err)
	}
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		r, err := s.lock(ctx, tx, t)
		if e.damaged && errors.Is(err, base.ErrTampered) {
			p.Note(audit.Detail{Key: "damaged", Value: "true"})
			r, err = s.salvage(ctx, tx, t)
		}
		if err != nil {
			return err
		}
		if !r.exists() {
			return notFound(t.name)
		}
		if err := e.do(ctx, tx, r, e.versions); err != nil {
			return err
		}
		if err := s.save(ctx, tx, r); err != nil {
			return err
		}
		return p.EndTx(ctx, tx, audit.OK, e.details(r)...)
	})
	if err != nil {
		return p.EndErr(ctx, err)
	}
	s.onMutate(ctx, e.event, key, t.app)
	return nil
}

const maxNamed = MaxVersions

func (e *edit) check() error {
	at := fault.Where{Field: "versions"}
	switch {
	case e.named && len(e.versions) == 0:
		return fault.New(fault.Invalid, "no version is named").At(at)
	case len(e.versions) > maxNamed:
		return fault.New(fault.TooLarge, "at most %d versions are named at once", maxNamed).At(at)
	}
	return nil
}

func (e *edit) details(r *record) []audit.Detail {
	d := []audit.Detail{revisionOf(&r.head)}
	if len(e.versions) > 0 {
		var names []string
		for _, n := range e.versions {
			names = append(names, strconv.FormatInt(n, 10))
		}
		d = append(d, audit.Detail{Key: "versions", Value: strings.Join(names, ",")})
	}
	return d
}

// revisionOf puts the tenant's revision into the audit record: all its rows put back together would not have it.
func revisionOf(head *driver.SecretRow) audit.Detail {
	return audit.Detail{Key: "revision", Value: strconv.FormatInt(head.Revision, 10)}
}

// salvage makes a record of a secret that is not what was written, with nothing in it but the highest number that any of
// its rows has.
func (s *Service) salvage(ctx context.Context, tx driver.Tx, t target) (*record, error) {
	head, err := tx.Secret(ctx, t.app, t.tenant, t.name)
	if errors.Is(err, driver.ErrNotFound) {
		head = driver.SecretRow{App: t.app, Tenant: t.tenant, Name: t.name, ID: id.New(id.Secret).String(), CreatedAt: tx.Now(), Latest: 1}
	} else if err != nil {
		return nil, err
	}
	rows, err := tx.ListSecretVersions(ctx, t.app, t.tenant, t.name, 0, manyVersions)
	if err != nil {
		return nil, err
	}
	r := &record{head: head, salvaged: true}
	if r.book, err = s.readBook(ctx, tx, t); err != nil {
		return nil, err
	}
	for i := range rows {
		r.head.Latest = max(r.head.Latest, rows[i].Version)
		r.list.add(&rows[i])
	}
	if len(rows) == 0 {
		r.list.Versions = []state{{N: r.head.Latest, Destroyed: tx.Now()}}
	}
	if r.head.Latest <= 0 || r.head.Latest > maxSalvaged { // a forged number must not use up the others
		r.head.Latest = maxSalvaged
	}
	return r, s.destroyAll(ctx, tx, r, nil)
}

// maxSalvaged is the highest version number that is believed of a damaged secret.
const maxSalvaged = 1 << 40

func (s *Service) deleteAll(ctx context.Context, tx driver.Tx, r *record, _ []int64) error {
	if s.recovery <= 0 {
		return s.destroyAll(ctx, tx, r, nil)
	}
	any := false
	for i := range r.list.Versions {
		st := &r.list.Versions[i]
		switch {
		case st.N == r.head.Pending:
			if err := s.destroy(ctx, tx, r, st.N); err != nil {
				return err
			}
		case st.readable():
			st.DeletedAt, any = tx.Now(), true
		}
	}
	if !any && r.head.Pending == 0 && !r.salvaged {
		return notFound(r.head.Name)
	}
	r.head.Pending = 0
	r.serveNone()
	return nil
}

func (r *record) serveNone() { r.head.Current, r.current = 0, driver.SecretVersion{} }

func (s *Service) deleteSome(ctx context.Context, tx driver.Tx, r *record, versions []int64) error {
	if s.recovery <= 0 {
		return s.destroySome(ctx, tx, r, versions)
	}
	for _, n := range versions {
		st := r.list.find(n)
		if st == nil || st.Destroyed != 0 || n == r.head.Pending {
			return noVersion(r.head.Name, n)
		}
		if st.DeletedAt == 0 {
			st.DeletedAt = tx.Now()
		}
		if n == r.head.Current {
			r.serveNone()
		}
	}
	return nil
}

func (s *Service) destroyAll(ctx context.Context, tx driver.Tx, r *record, _ []int64) error {
	any := false
	for i := range r.list.Versions {
		st := &r.list.Versions[i]
		if st.Destroyed != 0 {
			continue
		}
		any = true
		if err := s.destroy(ctx, tx, r, st.N); err != nil {
			return err
		}
	}
	if !any && !r.salvaged {
		return notFound(r.head.Name)
	}
	r.head.Pending, r.list.Restore = 0, 0
	r.serveNone()
	return nil
}

func (s *Service) destroySome(ctx context.Context, tx driver.Tx, r *record, versions []int64) error {
	for _, n := range versions {
		st := r.list.find(n)
		if st == nil || st.Destroyed != 0 {
			return noVersion(r.head.Name, n)
		}
		if err := s.destroy(ctx, tx, r, n); err != nil {
			return err
		}
		switch n {
		case r.head.Pending:
			r.head.Pending = 0
		case r.head.Current:
			r.serveNone()
		}
	}
	return nil
}

func (s *Service) undelete(ctx context.Context, tx driver.Tx, r *record, versions []int64) error {
	if len(versions) == 0 {
		versions = r.list.lastDeleted()
	}
	if len(versions) == 0 {
		return notFound(r.head.Name)
	}
	for _, n := range versions {
		st := r.list.find(n)
		if st == nil || st.DeletedAt == 0 || st.Destroyed != 0 || s.lost(st, tx.Now()) {
			return noVersion(r.head.Name, n)
		}
		st.DeletedAt = 0
	}
	if r.head.Current != 0 || !slices.Contains(versions, r.list.Restore) {
		return nil
	}
	v, err := s.readable(ctx, tx, r, r.list.Restore)
	if err == nil {
		r.serve(v)
	}
	return err
}

// lost reports whether a deleted version's recovery window is over.
func (s *Service) lost(st *state, now int64) bool {
	return st.DeletedAt+s.recovery.Microseconds() <= now
}

// lastDeleted are the versions that were deleted together, last of all.
func (m *manifest) lastDeleted() (versions []int64) {
	at := int64(1)
	for i := range m.Versions {
		st := &m.Versions[i]
		if st.Destroyed != 0 || st.DeletedAt < at {
			continue
		}
		if st.DeletedAt > at {
			at, versions = st.DeletedAt, nil
		}
		versions = append(versions, st.N)
	}
	return versions
}

func keepVersions(n int) func(context.Context, driver.Tx, *record, []int64) error {
	return func(_ context.Context, _ driver.Tx, r *record, _ []int64) error {
		if n < 0 || n > MaxVersions {
			return fault.New(fault.Invalid, "a secret keeps 1 to %d versions, or 0 for the default", MaxVersions).At(fault.Where{Field: "max_versions"})
		}
		r.head.MaxVersions = int64(n)
		return nil
	}
}
