package secret

import (
	"context"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The states of a version.
const (
	StateCurrent    = "current"    // it is served
	StateSuperseded = "superseded" // it can be read by its number
	StatePending    = "pending"    // written and not served yet, see [Service.Stage]
	StateDeleted    = "deleted"    // can be brought back by [Service.Undelete]
	StateDestroyed  = "destroyed"  // its value is gone
)

// Version is one version of a secret, without its value.
type Version struct {
	ID          string     `json:"id"`
	Version     int64      `json:"version"`
	State       string     `json:"state"`
	Current     bool       `json:"current"`
	CreatedAt   time.Time  `json:"created_at"`
	CreatedBy   string     `json:"created_by,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	DeletedAt   *time.Time `json:"deleted_at,omitempty"`
	RecoverBy   *time.Time `json:"recover_by,omitempty"` // a deleted version is destroyed then
	DestroyedAt *time.Time `json:"destroyed_at,omitempty"`
}

// History is what became of each version of a secret. It is authenticated as a whole.
type History struct {
	ID          string     `json:"id"`
	Key         string     `json:"key"`
	Current     int64      `json:"current"`           // 0: none is served
	Pending     int64      `json:"pending,omitempty"` // 0: none
	Latest      int64      `json:"latest"`            // the highest number ever used
	MaxVersions int        `json:"max_versions"`
	Versions    []*Version `json:"versions"` // oldest first; those that were too many are not in it any more
}

// History returns all versions of the tenant's own secret that are kept, deleted and destroyed ones too, without values. It
// answers for a deleted secret as well. It fails with vault.ErrSecretNotFound.
func (s *Service) History(ctx context.Context, key, appID string) (*History, error) {
	return s.history(ctx, "secret.history", key, appID, false)
}

// HistoryShared is [Service.History] for a shared entry, for an operator.
func (s *Service) HistoryShared(ctx context.Context, key, appID string) (*History, error) {
	return s.history(ctx, "secret.history_shared", key, appID, true)
}

func (s *Service) history(ctx context.Context, action, key, appID string, shared bool) (h *History, err error) {
	t, p, err := s.enter(ctx, action, key, appID, shared)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, t, func(tx driver.Tx, vw view) error {
		r, err := s.load(ctx, tx, t, vw)
		if err != nil {
			return err
		}
		if !r.exists() {
			return notFound(t.name)
		}
		h = s.historyOf(r)
		return nil
	})
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return h, nil
}

func (s *Service) historyOf(r *record) *History {
	h := &History{ID: r.head.ID, Key: r.head.Name, Current: r.head.Current, Pending: r.head.Pending, Latest: r.head.Latest,
		MaxVersions: int(s.keeps(&r.head))}
	for i := range r.list.Versions {
		st := &r.list.Versions[i]
		v := &Version{ID: st.ID, Version: st.N, State: r.stateOf(st), Current: st.N == r.head.Current, CreatedAt: micros(st.CreatedAt),
			CreatedBy: st.CreatedBy, ExpiresAt: moment(st.ExpiresAt), DeletedAt: moment(st.DeletedAt), DestroyedAt: moment(st.Destroyed)}
		if v.State == StateDeleted {
			v.RecoverBy = moment(st.DeletedAt + s.recovery.Microseconds())
		}
		h.Versions = append(h.Versions, v)
	}
	return h
}

func (r *record) stateOf(st *state) string {
	switch {
	case st.Destroyed != 0:
		return StateDestroyed
	case st.DeletedAt != 0:
		return StateDeleted
	case st.N == r.head.Current:
		return StateCurrent
	case st.N == r.head.Pending:
		return StatePending
	}
	return StateSuperseded
}

// Rollback sets the tenant's secret to the value, metadata and destinations of an earlier version, as a new version. The
// options go before those. It is not the opposite of a deletion: see [Service.Undelete]. It fails with
// vault.ErrSecretNotFound if that version cannot be read, and with vault.ErrSecretExpired if it has expired and the options
// set no other expiry; like [Service.Set] it keeps a lifetime and no moment.
func (s *Service) Rollback(ctx context.Context, key, appID string, version int64, opts ...SetOption) (*Meta, error) {
	return s.rollback(ctx, "secret.rollback", key, appID, false, version, opts)
}

// RollbackShared is [Service.Rollback] for a shared entry, for an operator.
func (s *Service) RollbackShared(ctx context.Context, key, appID string, version int64, opts ...SetOption) (*Meta, error) {
	return s.rollback(ctx, "secret.rollback_shared", key, appID, true, version, opts)
}

func (s *Service) rollback(ctx context.Context, action, key, appID string, shared bool, version int64, opts []SetOption) (*Meta, error) {
	from := audit.Detail{Key: "from_version", Value: strconv.FormatInt(version, 10)}
	return s.put(ctx, action, key, appID, shared, opts, []audit.Detail{from}, func(ctx context.Context, tx driver.Tx, r *record, user string, in *setting) error {
		if !r.exists() {
			return notFound(r.head.Name)
		}
		if version == r.head.Pending {
			return noVersion(r.head.Name, version)
		}
		old, err := s.readable(ctx, tx, r, version)
		if err != nil {
			return err
		}
		if old.ExpiresAt != 0 && old.ExpiresAt <= s.now().UnixMicro() && !in.hasExpires && !in.hasLifetime {
			return expired(r.head.Name)
		}
		value, err := s.ring.Unseal(ctx, tx, place(&old), boxOf(&old))
		if err != nil {
			return err
		}
		v, err := s.next(ctx, tx, r, &old, user, value, in)
		if err == nil {
			r.serve(v)
		}
		return err
	})
}

// ListDeleted returns the tenant's secrets of which no version is served and some can be brought back, by name. Version
// is the one that would be served again.
func (s *Service) ListDeleted(ctx context.Context, appID string, opts ListOpts) ([]*Meta, error) {
	return s.listDeleted(ctx, "secret.list_deleted", appID, opts, false)
}

// ListSharedDeleted is [Service.ListDeleted] for shared entries, for an operator.
func (s *Service) ListSharedDeleted(ctx context.Context, appID string, opts ListOpts) ([]*Meta, error) {
	return s.listDeleted(ctx, "secret.list_shared_deleted", appID, opts, true)
}
